//! A network's rules in the words of iptables, and where they go.
//!
//! Words are spelled as `iptables-save` prints them, so that what is recorded of a rule is what
//! stands in a dump. The comment is ours: it tells our rules from others'.

mod read;
mod write;

use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{self, AdminChain, Guard, Layer, Role, Rule, RuleKind};

use crate::text::Words;

pub(crate) use read::{digest, identity};
pub use read::{read, untag};

/// The layers that iptables has rules for, each with programs of its own.
pub const LAYERS: [Layer; 2] = Layer::IP;

/// The tables in which rules of networks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Which packets pass.
    Filter,
    /// Which packets leave with another address.
    Nat,
    /// Which packets are mended.
    Mangle,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Filter, Self::Nat, Self::Mangle];

    /// The kernel's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Mangle => "mangle",
        }
    }

    /// The table of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The chains of the kernel from which packets are sent to ours, each with ours in the order
    /// in which packets meet them.
    #[must_use]
    pub fn parents(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Filter => &[
                ("INPUT", &[INP]),
                ("FORWARD", &[FWA, FWX, FWI, FWO]),
                ("OUTPUT", &[OUT]),
            ],
            Self::Nat | Self::Mangle => &[("POSTROUTING", &[PRT])],
        }
    }

    /// The chains for the administrator's own rules. Palisade's rules lead there.
    pub fn admin_chains(self) -> impl Iterator<Item = &'static str> {
        let here = AdminChain::ALL
            .into_iter()
            .filter(move |_| self == Self::Filter);
        here.map(admin_chain)
    }

    /// Our chains.
    pub fn chains(self) -> impl Iterator<Item = &'static str> {
        self.parents().iter().flat_map(|(_, ours)| *ours).copied()
    }
}

const INP: &str = "PALISADE_INP";
const OUT: &str = "PALISADE_OUT";
const FWA: &str = "PALISADE_FWA";
const FWO: &str = "PALISADE_FWO";
const FWI: &str = "PALISADE_FWI";
const FWX: &str = "PALISADE_FWX";
const PRT: &str = "PALISADE_PRT";

/// A rule, where it goes and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placed {
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: &'static str,
    /// What it says, as `iptables-save` prints it.
    pub words: Words,
    /// The kind of the rule that it is.
    pub kind: RuleKind,
}

impl Placed {
    /// Where a rule goes, and its words.
    #[must_use]
    pub fn of(rule: &Rule) -> Self {
        let (table, chain) = place(rule.role());
        Self {
            table,
            chain,
            words: write::words(rule),
            kind: rule.kind,
        }
    }
}

/// The rules of a network that see packets of a family, in the order in which they are issued.
#[must_use]
pub fn placed(network: &Network, family: Family) -> Vec<Placed> {
    let rules = rules::rules(network, Guard::AsDefined);
    let its = rules.iter().filter(|rule| rule.layer == family.into());
    its.map(Placed::of).collect()
}

/// The words of a jump to a chain of ours: without a condition, and without a comment, since the
/// chain's name says whose it is.
#[must_use]
pub fn jump(chain: &str) -> Words {
    ["-j", chain].into_iter().collect()
}

/// Whether a chain is one of ours, by its name.
#[must_use]
pub fn is_chain(name: &str) -> bool {
    let mut ours = Table::ALL.into_iter().flat_map(Table::chains);
    ours.any(|chain| chain == name)
}

/// Whether a chain is for the administrator's own rules, by its name.
#[must_use]
pub fn is_admin_chain(name: &str) -> bool {
    Table::Filter.admin_chains().any(|chain| chain == name)
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

/// The chain for the administrator's own rules.
fn admin_chain(chain: AdminChain) -> &'static str {
    match chain {
        AdminChain::FromGuest => "PALISADE_ADMIN_FWO",
        AdminChain::ToGuest => "PALISADE_ADMIN_FWI",
        AdminChain::Input => "PALISADE_ADMIN_INP",
    }
}

fn place(role: Role) -> (Table, &'static str) {
    match role {
        Role::GuestAdmin => (Table::Filter, FWA),
        Role::HostAdmin | Role::HostInput => (Table::Filter, INP),
        Role::HostOutput => (Table::Filter, OUT),
        Role::GuestOutput => (Table::Filter, FWO),
        Role::GuestInput => (Table::Filter, FWI),
        Role::GuestCross => (Table::Filter, FWX),
        Role::GuestNat => (Table::Nat, PRT),
        Role::Mangle => (Table::Mangle, PRT),
    }
}
