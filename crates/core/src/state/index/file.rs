//! The index in its file: a frame for each transaction. A network is looked for where it lies, in the
//! last frame first, which says the last word on it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::row::{Row, RowBytes, rows_in};
use crate::backend_id::BackendId;
use crate::frame;
use crate::network::Claim;
use crate::state::digest::Secret;
use crate::storage::Version;
use crate::uses::Uses;

/// What one transaction changes in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Frame<'f> {
    #[serde(borrow)]
    pub(super) gone: Vec<&'f str>,
    /// The networks that came, in [rows](super::row).
    #[serde(serialize_with = "frame::at_once")]
    pub(super) came: &'f [u8],
    pub(super) next_order: u64,
    pub(super) uses: BTreeMap<BackendId, Uses>,
    pub(super) generations: BTreeMap<BackendId, u64>,
    /// Backends and their settings: as a record has them, only a form that describes itself could
    /// be read.
    pub(super) placements: Vec<(BackendId, BTreeMap<String, String>)>,
    pub(super) secret: Secret,
    /// The version of the folder of records when all this was so.
    pub(super) records: Option<Version>,
}

/// The networks of a file that was read.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The oldest first.
    pub(super) parts: Vec<Part>,
    /// A cell for each row: some become rows in memory.
    rows: Vec<OnceCell<Box<Row>>>,
}

/// What one frame says of networks.
#[derive(Debug)]
pub(super) struct Part {
    gone: Vec<String>,
    pub(super) came: Vec<u8>,
    /// The place of the first one.
    first: usize,
}

impl File {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// None if it is not whole.
    pub(super) fn add(&mut self, frame: &Frame<'_>) -> Option<()> {
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

    /// The places of the networks that have what is claimed.
    pub(super) fn shared_by(&self, claims: &[Claim<'_>]) -> impl Iterator<Item = usize> {
        let rows = self.parts.iter().flat_map(Part::rows);
        let shared = rows.filter(|(_, row)| row.is_shared_by(claims));
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
