//! Where the rows of an index are, by what they are asked for: for those who ask more than a few
//! questions, since it takes as long to make as some dozens of answers without it.

use std::collections::{BTreeSet, HashMap};

use super::row::Row;
use crate::network::{Claim, Name, Space};

/// Places of rows.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    names: HashMap<Name, usize>,
    /// Where claims begin in their spaces, and the places of their rows.
    claims: BTreeSet<(Space<'static>, u128, usize)>,
}

impl Lookup {
    pub(super) fn put(&mut self, place: usize, row: &Row) {
        self.names.insert(row.name.clone(), place);
        self.claims
            .extend(row.claims().map(|claim| key(&claim, place)));
    }

    pub(super) fn drop(&mut self, place: usize, row: &Row) {
        self.names.remove(&row.name);
        for claim in row.claims() {
            self.claims.remove(&key(&claim, place));
        }
    }

    pub(super) fn get(&self, name: &Name) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The rows that may have what is claimed, and some beside them.
    pub(super) fn near(&self, claim: &Claim<'_>) -> impl Iterator<Item = usize> {
        let space = claim.space().into_owned();
        let (first, last) = claim.range();
        let before = (space.clone(), 0, 0)..(space.clone(), first, 0);
        let before = self.claims.range(before).next_back();
        let from = claim.reached_from(before.map(|&(_, first, _)| first));
        let near = (space.clone(), from, 0)..=(space, last, usize::MAX);
        self.claims.range(near).map(|&(_, _, place)| place)
    }
}

fn key(claim: &Claim<'_>, place: usize) -> (Space<'static>, u128, usize) {
    (claim.space().into_owned(), claim.range().0, place)
}
