//! The index in its file: a frame for each transaction, read without a copy of its names.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::super::Uses;
use super::super::digest::{Digest, Secret};
use super::{Index, Row};
use crate::backend::Placement;
use crate::frame::{self, Form};
use crate::network::Name;
use crate::storage::Version;

const FORM: Form = Form {
    magic: *b"PLSI",
    schema: 2,
};
/// How much longer the file may grow than what it says, before it is written anew: an eighth, and
/// some more. Whoever reads it wants to read little beyond what it says.
const SLACK: usize = 64 * 1024;

/// What the file says of a network.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted<'f> {
    pub(super) name: &'f str,
    pub(super) order: u64,
    pub(super) bridge: Option<&'f str>,
    /// Whether the bridge is the network's own, and no other's.
    pub(super) owns_bridge: bool,
    pub(super) subnets: Vec<(IpAddr, u8)>,
    /// Its place among [`Index::placements`].
    pub(super) place: u32,
    pub(super) digest: Digest,
}

/// What one transaction changes in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Frame<'f> {
    #[serde(borrow)]
    gone: Vec<&'f str>,
    came: Vec<Noted<'f>>,
    uses: BTreeMap<String, Uses>,
    generations: BTreeMap<String, u64>,
    /// Backends and their settings: as a record has them, only a form that describes itself could
    /// be read.
    placements: Vec<(String, BTreeMap<String, String>)>,
    secret: Secret,
    /// The version of the folder of records when all this was so.
    records: Option<Version>,
}

impl Index {
    /// What a file says, if it can be believed: it is whole, and of this version of the records.
    pub(in super::super) fn read(bytes: &[u8], records: Version) -> Option<Self> {
        let decoded = frame::decode::<Frame<'_>>(FORM, bytes);
        let mut frames = decoded.entries;
        let last = frames.last_mut()?;
        if decoded.broken.is_some() || last.records != Some(records) {
            return None;
        }
        let placement = |(backend, settings)| Placement { backend, settings };
        let placements = std::mem::take(&mut last.placements).into_iter();
        let mut index = Self {
            uses: std::mem::take(&mut last.uses),
            generations: std::mem::take(&mut last.generations),
            placements: placements.map(placement).collect(),
            secret: last.secret,
            written: bytes.len(),
            ..Self::default()
        };
        // The last word on a network counts.
        let mut told = HashSet::new();
        for (i, frame) in frames.iter().enumerate().rev() {
            index.rows.reserve(frame.came.len());
            for noted in &frame.came {
                if told.is_empty() || !told.contains(noted.name) {
                    index.note(noted)?;
                }
            }
            if i > 0 {
                told.extend(frame.came.iter().map(|noted| noted.name));
                told.extend(&frame.gone);
            }
        }
        Some(index)
    }

    /// The bytes of a whole file.
    pub(in super::super) fn file(&mut self, records: Option<Version>) -> Option<Vec<u8>> {
        self.sweep();
        let came = self.rows.iter().map(|row| self.noted(row)).collect();
        let bytes = self.frame(Vec::new(), came, records)?;
        (self.written, self.added) = (bytes.len(), 0);
        Some(bytes)
    }

    /// The bytes to add to the file after these networks went and came; none if it is time to write
    /// it as a whole.
    pub(in super::super) fn addition(
        &mut self,
        gone: &[&Name],
        came: &[&Name],
        records: Option<Version>,
    ) -> Option<Vec<u8>> {
        let came = came.iter().filter_map(|name| self.get(name));
        let came = came.map(|row| self.noted(row)).collect();
        let gone = gone.iter().map(|name| name.as_str()).collect();
        let bytes = self.frame(gone, came, records)?;
        self.added += bytes.len();
        (self.added <= self.written / 8 + SLACK).then_some(bytes)
    }

    fn noted(&self, row: &Row) -> Noted<'_> {
        let subnets = self.subnets(row).iter();
        Noted {
            name: self.text(row.name),
            order: row.order,
            bridge: row.bridge.map(|bridge| self.text(bridge)),
            owns_bridge: row.owns_bridge,
            subnets: subnets.map(|s| (s.network(), s.prefix())).collect(),
            place: row.place,
            digest: row.digest,
        }
    }

    fn frame(
        &self,
        gone: Vec<&str>,
        came: Vec<Noted<'_>>,
        records: Option<Version>,
    ) -> Option<Vec<u8>> {
        let placements = self.placements.iter().cloned();
        let frame = Frame {
            gone,
            came,
            uses: self.uses.clone(),
            generations: self.generations.clone(),
            placements: placements.map(|p| (p.backend, p.settings)).collect(),
            secret: self.secret,
            records,
        };
        frame::encode(FORM, [&frame])
    }
}
