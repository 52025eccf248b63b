//! What rules make of packets, and which packets they tell apart.

use palisade_core::evaluate::{Conditions, Doubt, Fate, Packet};
use palisade_core::network::Family;
use palisade_iptables::evaluate as iptables;
use palisade_nft::conditions::known_conditions;
use palisade_nft::evaluate as nft;

use super::places::Rules;
use crate::compare::closed;

/// Rules, laid out so that packets find their way quickly.
pub(super) enum Judge<'a> {
    Nftables(nft::Tables<'a>),
    Iptables {
        /// On a host that lets pass what nobody decides on.
        open: Box<iptables::Tables>,
        /// On a host that drops it: there it shows which of its services rules open.
        closed: Box<iptables::Tables>,
    },
}

impl<'a> Judge<'a> {
    pub(super) fn of(rules: &'a Rules, family: Family) -> Self {
        match rules {
            Rules::Nftables(program) => Self::Nftables(nft::Tables::of(program.as_deref())),
            Rules::Iptables(tables) => Self::Iptables {
                open: Box::new(iptables::Tables::of(family, tables)),
                closed: Box::new(iptables::Tables::of(family, &closed(tables))),
            },
        }
    }

    /// What becomes of a packet; of one from or to the host itself also where that drops what nobody
    /// accepts.
    pub(super) fn fates(&self, packet: &Packet) -> [Fate; 2] {
        match self {
            Self::Nftables(tables) => [nft::fate(tables, packet); 2],
            Self::Iptables { open, .. } if packet.is_forwarded() => [open.fate(packet); 2],
            Self::Iptables { open, closed } => [open.fate(packet), closed.fate(packet)],
        }
    }

    /// The rules that may treat it otherwise.
    pub(super) fn doubts(&self, packet: &Packet) -> Vec<Doubt> {
        match self {
            Self::Nftables(tables) => nft::evaluate(tables, packet).doubts,
            Self::Iptables { open, .. } => open.evaluate(packet).doubts,
        }
    }
}

impl Rules {
    /// What they ask of packets, and whether that is all.
    pub(super) fn conditions(&self, family: Family) -> (Conditions, bool) {
        let (conditions, is_all) = match self {
            Self::Nftables(None) => (Conditions::default(), true),
            Self::Nftables(Some(program)) => {
                let (conditions, unknown) = known_conditions(program);
                (conditions, unknown.is_empty())
            }
            Self::Iptables(tables) => {
                let tables = iptables::Tables::of(family, tables);
                let (conditions, unknown) = tables.known_conditions();
                (conditions, unknown.is_empty())
            }
        };
        (conditions, is_all)
    }
}
