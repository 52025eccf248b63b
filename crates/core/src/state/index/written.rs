//! From an index to the bytes of its file, and back.

use super::file::{File, Frame};
use super::table::Index;
use crate::frame::{self, Form};
use crate::installed::Placement;
use crate::network::Name;
use crate::storage::Version;

/// The schema goes up also when names or claims that were allowed are no more: a row that says such a
/// thing would be passed over.
const FORM: Form = Form {
    magic: *b"PLSI",
    schema: 5,
};
/// How much longer the file may grow than what it says, before it is written anew: an eighth, and
/// some more. Whoever reads it wants to read little beyond what it says.
const SLACK: usize = 64 * 1024;

impl Index {
    /// What a file says, if it can be believed: it is whole, and of this version of the records.
    pub(in crate::state) fn read(bytes: &[u8], records: Version) -> Option<Self> {
        let decoded = frame::decode::<Frame<'_>>(FORM, bytes);
        let mut frames = decoded.entries;
        if decoded.broken.is_some() || frames.last()?.records != Some(records) {
            return None;
        }
        let mut file = File::default();
        for frame in &frames {
            file.add(frame)?;
        }
        let written = file.parts.first()?.came.len();
        let last = frames.pop()?;
        let placement = |(backend, settings)| Placement { backend, settings };
        Some(Self {
            file,
            next_order: last.next_order,
            uses: last.uses,
            generations: last.generations,
            placements: last.placements.into_iter().map(placement).collect(),
            secret: last.secret,
            written,
            added: bytes.len() - written,
            ..Self::default()
        })
    }

    /// The bytes of a whole file. Rows of networks that went are let go of, once they are most.
    pub(in crate::state) fn file(&mut self, records: Option<Version>) -> Option<Vec<u8>> {
        let mut came = Vec::new();
        for row in self.running() {
            row.put(&mut came)?;
        }
        let bytes = self.frame(Vec::new(), &came, records)?;
        (self.written, self.added) = (bytes.len(), 0);
        if self.gone.len() > (self.file.len() + self.came.len()) / 2 {
            *self = records.and_then(|records| Self::read(&bytes, records))?;
        }
        Some(bytes)
    }

    /// The bytes to add to the file after these networks went and came; none if it is time to write
    /// it as a whole.
    pub(in crate::state) fn addition(
        &mut self,
        gone: &[&Name],
        came: &[&Name],
        records: Option<Version>,
    ) -> Option<Vec<u8>> {
        let mut rows = Vec::new();
        for row in came.iter().filter_map(|name| self.get(name)) {
            row.put(&mut rows)?;
        }
        let gone = gone.iter().map(|name| name.as_str()).collect();
        let bytes = self.frame(gone, &rows, records)?;
        self.added += bytes.len();
        (self.added <= self.written / 8 + SLACK).then_some(bytes)
    }

    fn frame(&self, gone: Vec<&str>, came: &[u8], records: Option<Version>) -> Option<Vec<u8>> {
        let placements = self.placements.iter().cloned();
        let frame = Frame {
            gone,
            came,
            next_order: self.next_order,
            uses: self.uses.clone(),
            generations: self.generations.clone(),
            placements: placements.map(|p| (p.backend, p.settings)).collect(),
            secret: self.secret,
            records,
        };
        frame::encode(FORM, [&frame])
    }
}
