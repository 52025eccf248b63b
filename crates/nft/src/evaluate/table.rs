//! A table, laid out so that packets find their way quickly.

use std::borrow::Cow;
use std::collections::HashMap;

use super::lookup::Index;
use crate::program::{FilledSet, Program};

/// A table, laid out so that packets find their way quickly. Its chains have the numbers that they
/// have in the program.
pub(super) struct Table<'a> {
    pub(super) program: Cow<'a, Program>,
    numbers: HashMap<String, usize>,
    /// The sets by their names: their places in the program, and what is found there.
    sets: HashMap<String, (usize, Index)>,
}

impl<'a> Table<'a> {
    /// This table.
    pub(super) fn of(program: Cow<'a, Program>) -> Self {
        let chains = program.chains.iter().enumerate();
        let sets = program.sets.iter().enumerate();
        let indexed = |(place, set): (usize, &FilledSet)| {
            let index = Index::of(set);
            (set.set.name.clone(), (place, index))
        };
        Self {
            numbers: chains.map(|(n, c)| (c.chain.name.clone(), n)).collect(),
            sets: sets.map(indexed).collect(),
            program,
        }
    }

    pub(super) fn chain(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(super) fn set(&self, name: &str) -> Option<(&FilledSet, &Index)> {
        let (place, index) = self.sets.get(name)?;
        Some((&self.program.sets[*place], index))
    }
}
