//! What the index knows of a network: a row, in memory and as it lies in the file, where it is looked
//! at without being read.
//!
//! ```text
//! length u32  order u64  place u32  digest 16  name u8  name's bytes  claims
//! ```
//!
//! Numbers are little-endian, the length is of the whole row. [`claim_bytes`](super::claim_bytes)
//! has the form of the claims.

use std::cell::OnceCell;

use super::claim_bytes;
use crate::installed::Placement;
use crate::network::{Claim, Name};
use crate::record::Record;
use crate::state::digest::{Digest, Secret};

/// What is of the same length in all rows.
const HEAD: usize = 33;

/// A running network.
#[derive(Debug)]
pub(in crate::state) struct Row {
    pub(super) name: Name,
    /// What no other network may have, as it lies in the file.
    claims: Vec<u8>,
    pub(super) order: u64,
    /// Its place among the index's placements.
    pub(super) place: u32,
    pub(super) digest: Digest,
    /// Its record, read when it is first asked for.
    pub(in crate::state) record: OnceCell<Box<Record>>,
}

impl Row {
    pub(super) fn of(
        record: Record,
        secret: Secret,
        place: impl FnOnce(&Placement) -> u32,
    ) -> Self {
        let network = &record.network;
        let mut claims = Vec::new();
        for claim in network.claims() {
            claim_bytes::put(&claim, &mut claims);
        }
        Self {
            name: network.name().clone(),
            claims,
            order: record.order,
            place: place(&record.placement),
            digest: secret.digest(network),
            record: OnceCell::from(Box::new(record)),
        }
    }

    /// Its rank in the order in which networks were started.
    pub(in crate::state) fn order(&self) -> u64 {
        self.order
    }

    /// What no other network may have.
    pub(super) fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        claim_bytes::claims(&self.claims)
    }

    /// Whether it has what a network with these claims has too.
    pub(super) fn is_shared_by(&self, claims: &[Claim<'_>]) -> bool {
        is_shared(&self.claims, claims)
    }

    /// Appends it as it lies in the file. None if it is larger than can be said there, as none is.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) -> Option<()> {
        let name = self.name.as_str().as_bytes();
        let len = HEAD + name.len() + self.claims.len();
        bytes.extend(u32::try_from(len).ok()?.to_le_bytes());
        bytes.extend(self.order.to_le_bytes());
        bytes.extend(self.place.to_le_bytes());
        bytes.extend(self.digest.to_bytes());
        bytes.push(u8::try_from(name.len()).ok()?);
        bytes.extend(name);
        bytes.extend(&self.claims);
        Some(())
    }
}

fn is_shared(bytes: &[u8], claims: &[Claim<'_>]) -> bool {
    claim_bytes::claims(bytes).any(|other| claims.iter().any(|own| own.excludes(&other)))
}

/// A row as it lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBytes<'f> {
    head: &'f [u8; HEAD],
    name: &'f [u8],
    claims: &'f [u8],
}

/// The rows that lie in these bytes, up to one that is none.
pub(super) fn rows_in(mut bytes: &[u8]) -> impl Iterator<Item = RowBytes<'_>> {
    std::iter::from_fn(move || {
        let (row, rest) = RowBytes::split(bytes)?;
        bytes = rest;
        Some(row)
    })
}

impl<'f> RowBytes<'f> {
    fn split(bytes: &'f [u8]) -> Option<(Self, &'f [u8])> {
        let [a, b, c, d] = *bytes.first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let (row, rest) = bytes.split_at_checked(len)?;
        let (head, row) = row.split_first_chunk::<HEAD>()?;
        let (name, claims) = row.split_at_checked(usize::from(head[HEAD - 1]))?;
        Some((Self { head, name, claims }, rest))
    }

    /// How many bytes it takes.
    pub(super) fn len(self) -> usize {
        HEAD + self.name.len() + self.claims.len()
    }

    pub(super) fn is_of(self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    pub(super) fn name(self) -> Option<&'f str> {
        std::str::from_utf8(self.name).ok()
    }

    /// As of a row that was [read](Self::read), but without reading it.
    pub(super) fn is_shared_by(self, claims: &[Claim<'_>]) -> bool {
        is_shared(self.claims, claims)
    }

    /// None if it says what cannot be, as none that palisade wrote does.
    pub(super) fn read(self) -> Option<Row> {
        let head = self.head;
        Some(Row {
            name: self.name()?.parse().ok()?,
            claims: claim_bytes::is_whole(self.claims).then(|| self.claims.to_vec())?,
            order: u64::from_le_bytes(*head[4..].first_chunk()?),
            place: u32::from_le_bytes(*head[12..].first_chunk()?),
            digest: Digest::from_bytes(*head[16..].first_chunk()?),
            record: OnceCell::new(),
        })
    }
}
