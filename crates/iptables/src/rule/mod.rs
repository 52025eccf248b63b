//! A network's rules in the words of iptables, and where they go.
//!
//! Words are spelled as `iptables-save` prints them, so that what is recorded of a rule is what
//! stands in a dump. The comment is ours: it tells our rules from others'.

mod log;
mod placed;
mod read;
mod table;
mod write;

use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{self, Guard, Layer, RuleKind};

use crate::text::Words;

pub(crate) use placed::Placed;
pub use read::read;
pub(crate) use read::untag;
pub(crate) use read::{digest, identity};
pub(crate) use table::is_stray_chain;
pub use table::{Table, is_admin_chain, is_chain};

/// The layers that iptables has rules for, each with programs of its own.
pub(crate) const LAYERS: [Layer; 2] = Layer::IP;

/// The rules of a network that see packets of a family, in the order in which they are issued.
#[must_use]
pub(crate) fn placed(network: &Network, family: Family) -> Vec<Placed> {
    let rules = rules::rules(network, Guard::Libvirt);
    let its = rules.iter().filter(|rule| rule.layer == family.into());
    its.filter_map(Placed::of).collect()
}

/// The words of a jump to a chain of ours: without a condition, and without a comment, since the
/// chain's name says whose it is.
#[must_use]
pub fn jump(chain: &str) -> Words {
    ["-j", chain].into_iter().collect()
}

/// Whether a rule is in nft's words, since the programs have none for it: theirs begin with an option.
pub(crate) fn is_native(words: &Words) -> bool {
    let first = words.as_slice().first();
    first.is_some_and(|first| !first.starts_with('-') && first != "!")
}

/// The network that our comment in a rule says, and the purpose.
#[must_use]
pub fn tag(words: &Words) -> Option<(Name, RuleKind)> {
    untag(words.behind("--comment")?)
}
