//! The index in its file: a frame for each transaction. A network is looked for where it lies, in the
//! last frame first, which says the last word on it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::Index;
use super::row::{Claim, Row, RowBytes, rows_in};
use crate::backend::Placement;
use crate::frame::{self, Form};
use crate::network::{Name, Network};
use crate::state::Uses;
use crate::state::digest::Secret;
use crate::storage::Version;

/// The schema goes up also when names or subnets that were allowed are no more: a row that says such a
/// thing would be passed over.
const FORM: Form = Form {
    magic: *b"PLSI",
    schema: 3,
};
/// How much longer the file may grow than what it says, before it is written anew: an eighth, and
/// some more. Whoever reads it wants to read little beyond what it says.
const SLACK: usize = 64 * 1024;

/// What one transaction changes in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Frame<'f> {
    #[serde(borrow)]
    gone: Vec<&'f str>,
    /// The networks that came, in [rows](super::row).
    #[serde(serialize_with = "frame::at_once")]
    came: &'f [u8],
    next_order: u64,
    uses: BTreeMap<String, Uses>,
    generations: BTreeMap<String, u64>,
    /// Backends and their settings: as a record has them, only a form that describes itself could
    /// be read.
    placements: Vec<(String, BTreeMap<String, String>)>,
    secret: Secret,
    /// The version of the folder of records when all this was so.
    records: Option<Version>,
}

/// The networks of a file that was read.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The oldest first.
    parts: Vec<Part>,
    /// A cell for each row: some become rows in memory.
    rows: Vec<OnceCell<Box<Row>>>,
}

/// What one frame says of networks.
#[derive(Debug)]
struct Part {
    gone: Vec<String>,
    came: Vec<u8>,
    /// The place of the first one.
    first: usize,
}

impl File {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// None if it is not whole.
    fn add(&mut self, frame: &Frame<'_>) -> Option<()> {
        let (mut count, mut len) = (0, 0);
        for row in rows_in(frame.came) {
            (count, len) = (count + 1, len + row.len());
        }
        self.parts.push(Part {
            gone: frame.gone.iter().map(|&name| name.to_owned()).collect(),
            came: frame.came.to_vec(),
            first: self.rows.len(),
        });
        self.rows.extend((0..count).map(|_| OnceCell::new()));
        (len == frame.came.len()).then_some(())
    }

    /// The place of a network's row.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.parts.iter().rev().find_map(|part| {
            let found = part.rows().find(|(_, row)| row.is_of(name));
            match found {
                Some((place, row)) => Some(self.read(place, row).map(|_| place)),
                None => part.gone.iter().any(|gone| gone == name).then_some(None),
            }
        })?
    }

    /// The row at a place, if it was read.
    pub(super) fn row(&self, place: usize) -> Option<&Row> {
        self.rows.get(place)?.get().map(Box::as_ref)
    }

    pub(super) fn row_mut(&mut self, place: usize) -> Option<&mut Row> {
        self.rows.get_mut(place)?.get_mut().map(Box::as_mut)
    }

    fn read(&self, place: usize, bytes: RowBytes<'_>) -> Option<&Row> {
        let cell = self.rows.get(place)?;
        if cell.get().is_none() {
            let _ = cell.set(Box::new(bytes.read()?));
        }
        cell.get().map(Box::as_ref)
    }

    /// The places of the networks with which another one would share a bridge or addresses.
    pub(super) fn shared_with(&self, network: &Network) -> impl Iterator<Item = usize> {
        let claim = Claim::from(network);
        let rows = self.parts.iter().flat_map(Part::rows);
        let shared = rows.filter(move |(_, row)| row.is_shared_by(&claim));
        // A later frame may say otherwise.
        shared.filter_map(|(place, row)| (self.find(row.name()?)? == place).then_some(place))
    }

    /// The places of some, those that came last first.
    pub(super) fn some(&self) -> impl Iterator<Item = usize> {
        let rows = self.parts.iter().rev().flat_map(Part::rows);
        rows.filter_map(|(_, row)| self.find(row.name()?))
    }

    /// All networks, read.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        let mut told: HashSet<&str> = HashSet::new();
        let mut places = Vec::with_capacity(self.rows.len());
        for (i, part) in self.parts.iter().enumerate().rev() {
            for (place, row) in part.rows() {
                let is_current = row.name().is_some_and(|name| !told.contains(name));
                if is_current && self.read(place, row).is_some() {
                    places.push(place);
                }
            }
            if i > 0 {
                told.extend(part.rows().filter_map(|(_, row)| row.name()));
                told.extend(part.gone.iter().map(String::as_str));
            }
        }
        places.into_iter()
    }
}

impl Part {
    fn rows(&self) -> impl Iterator<Item = (usize, RowBytes<'_>)> {
        (self.first..).zip(rows_in(&self.came))
    }
}

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
