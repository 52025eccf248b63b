//! One network comes and goes, again and again, beside others that stay.

use std::time::Duration;

use super::super::amount::Amount;
use super::{Contestant, Label};

/// Who adds one network and takes it away again.
pub(in super::super) trait Pair {
    /// How long adding takes.
    fn add(&mut self) -> Result<Duration, String>;

    /// How long removing takes.
    fn remove(&mut self) -> Result<Duration, String>;
}

/// Which half counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Half {
    Add,
    Remove,
}

/// A run of both, of which one half counts.
pub(in super::super) struct Toggle<P> {
    pub(in super::super) label: Label,
    pub(in super::super) half: Half,
    pub(in super::super) pair: P,
}

impl<P: Pair> Contestant for Toggle<P> {
    fn label(&self) -> Label {
        self.label
    }

    fn run(&mut self) -> Result<Amount, String> {
        let (added, removed) = (self.pair.add()?, self.pair.remove()?);
        Ok(match self.half {
            Half::Add => added.into(),
            Half::Remove => removed.into(),
        })
    }
}
