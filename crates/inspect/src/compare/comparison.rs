//! How sides compare.

use std::borrow::Cow;
use std::fmt;

use palisade::RenderError;
use palisade_core::evaluate::{Difference, Fate, Outcome, Packet, UnknownCondition, Visit};
use palisade_core::{ErrorKind, Hint};
use serde::Serialize;
use thiserror::Error;

/// Disagreements that are told in full; more are counted.
pub(super) const TOLD: usize = 10;

/// Who makes something of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The networks' rules, one after another, as libvirt orders them.
    Rules,
    /// The rules with every bridge guarded, source network first.
    GuardedRules,
    /// nf_tables in the layout `flat`.
    Flat,
    /// nf_tables in the layout `mapped`.
    Mapped,
    /// iptables.
    Iptables,
    /// The rules that open services of the host, where it drops whatever nobody accepts.
    Service,
    /// iptables on such a host.
    ClosedIptables,
}

/// How backends and layouts compare.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// How many packets were looked at: one of each class.
    pub packets: usize,
    /// The documented differences that these networks meet with.
    pub documented: Vec<Documented>,
    /// How many packets are treated otherwise than documented.
    pub disagreements: usize,
    /// The first of them.
    pub examples: Vec<Disagreement>,
}

/// A documented difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Documented {
    /// Which one.
    pub difference: Difference,
    /// For how many of the packets.
    pub packets: usize,
    /// For this one, for example.
    pub example: Disagreement,
}

/// A packet of which two sides make different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The packet.
    pub packet: Packet,
    /// What either makes of it.
    pub sides: [View; 2],
}

/// What one side makes of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// Which side.
    pub side: Side,
    /// What becomes of the packet.
    #[serde(flatten)]
    pub fate: Fate,
    /// The rules that it met.
    pub path: Vec<Visit>,
}

/// Why networks cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// They cannot run side by side.
    #[error(transparent)]
    Conflicts(#[from] RenderError),
    /// A rule matches what packets are not compared by.
    #[error("{side} cannot be compared: {source}")]
    Unknown {
        /// Whose rule.
        side: Side,
        /// The rule.
        source: UnknownCondition,
    },
}

impl Hint for CompareError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflicts(error) => error.kind(),
            Self::Unknown { .. } => ErrorKind::Foreign,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Conflicts(error) => return error.hint(),
            Self::Unknown { .. } => "palisade makes no such rule: it is another program's",
        }
        .into()
    }
}

impl Comparison {
    /// Whether all differences are documented ones.
    #[must_use]
    pub fn is_as_documented(&self) -> bool {
        self.disagreements == 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.disagreements += other.disagreements;
        self.examples.extend(other.examples);
        self.examples.truncate(TOLD);
        for documented in other.documented {
            match self.documented(documented.difference) {
                Some(known) => known.packets += documented.packets,
                None => self.documented.push(documented),
            }
        }
    }

    pub(super) fn documented(&mut self, difference: Difference) -> Option<&mut Documented> {
        self.documented
            .iter_mut()
            .find(|known| known.difference == difference)
    }
}

impl View {
    pub(super) fn of(side: Side, outcome: Outcome) -> Self {
        Self {
            side,
            fate: outcome.fate,
            path: outcome.path,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rules => "rules",
            Self::GuardedRules => "guarded rules",
            Self::Flat => "flat",
            Self::Mapped => "mapped",
            Self::Iptables => "iptables",
            Self::Service => "rules, on a host that drops",
            Self::ClosedIptables => "iptables, on a host that drops",
        })
    }
}
