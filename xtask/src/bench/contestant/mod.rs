//! Who runs: we in several ways, and the others.

mod change;
mod fresh;
mod label;
mod library;
mod pair;
mod plan;
mod rival;

use super::amount::Amount;

pub(super) use change::{CommandPair, ExchangePair, LibraryPair, ResentPair};
pub(super) use fresh::{Fresh, Timed};
pub(super) use label::{Label, What, networks, thousands};
pub(super) use library::{Iptables, Kernel, Library};
pub(super) use pair::{Half, Pair, Toggle};
pub(super) use plan::InMemory;
pub(super) use rival::{EachRule, NftPair, RestorePair};

/// Something that is measured.
pub(super) trait Contestant {
    fn label(&self) -> Label;

    /// One run: makes ready, measures, cleans up. Only the middle counts.
    fn run(&mut self) -> Result<Amount, String>;
}

/// One that needs nothing of its own: what it does, under this label.
pub(super) fn doing<'a>(
    label: Label,
    run: impl FnMut() -> Result<Amount, String> + 'a,
) -> Box<dyn Contestant + 'a> {
    Box::new(Doing { label, run })
}

struct Doing<F> {
    label: Label,
    run: F,
}

impl<F: FnMut() -> Result<Amount, String>> Contestant for Doing<F> {
    fn label(&self) -> Label {
        self.label
    }

    fn run(&mut self) -> Result<Amount, String> {
        (self.run)()
    }
}
