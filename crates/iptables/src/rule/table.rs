//! The tables and chains in which rules of networks are.

use palisade_core::rules::{AdminChain, Role};

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
                ("FORWARD", &[FWA, FWB, FWX, FWI, FWO]),
                ("OUTPUT", &[OUT]),
            ],
            Self::Nat => &[
                ("PREROUTING", &[PRE, PRA]),
                ("OUTPUT", &[PRE, PRA]),
                ("POSTROUTING", &[PRT]),
            ],
            Self::Mangle => &[
                ("PREROUTING", &[BLK]),
                ("FORWARD", &[MSS]),
                ("POSTROUTING", &[PRT]),
            ],
        }
    }

    /// The chains for the administrator's own rules. Palisade's rules lead there.
    pub fn admin_chains(self) -> impl Iterator<Item = &'static str> {
        let here = AdminChain::ALL
            .into_iter()
            .filter(move |_| self == Self::Filter);
        here.map(admin_chain)
    }

    /// Our chains that rules in others of ours lead to.
    pub(crate) fn inner_chains(self) -> &'static [&'static str] {
        match self {
            Self::Nat => &[BTW],
            Self::Filter | Self::Mangle => &[],
        }
    }

    /// Our chains.
    pub fn chains(self) -> impl Iterator<Item = &'static str> {
        let parents = self.parents();
        // Two of the kernel's may lead to one of ours.
        let is_first = |(at, chain): &(usize, &'static str)| {
            let mut before = parents[..*at].iter().flat_map(|(_, ours)| *ours);
            !before.any(|before| before == chain)
        };
        let led_to = parents.iter().enumerate();
        let led_to = led_to.flat_map(|(at, (_, ours))| ours.iter().map(move |&chain| (at, chain)));
        let led_to = led_to.filter(is_first).map(|(_, chain)| chain);
        led_to.chain(self.inner_chains().iter().copied())
    }
}

const INP: &str = "PALISADE_INP";
const OUT: &str = "PALISADE_OUT";
/// The administrator's rules for what guests send, and for what they receive.
const FWA: &str = "PALISADE_FWA";
const FWB: &str = "PALISADE_FWB";
pub(super) const FWO: &str = "PALISADE_FWO";
const FWI: &str = "PALISADE_FWI";
const FWX: &str = "PALISADE_FWX";
pub(super) const BTW: &str = "PALISADE_BTW";
const MSS: &str = "PALISADE_MSS";
/// What blocked guests send.
const BLK: &str = "PALISADE_BLK";
const PRT: &str = "PALISADE_PRT";
/// Forwards at one address of the host, and those at every address.
const PRE: &str = "PALISADE_PRE";
const PRA: &str = "PALISADE_PRA";

/// Whether a chain is one of ours, by its name.
#[must_use]
pub fn is_chain(name: &str) -> bool {
    let mut ours = Table::ALL.into_iter().flat_map(Table::chains);
    ours.any(|chain| chain == name)
}

/// Whether a chain has a name like palisade's chains, and none of them has it.
pub(crate) fn is_stray_chain(name: &str) -> bool {
    name.starts_with("PALISADE_") && !is_chain(name) && !name.starts_with("PALISADE_ADMIN_")
}

/// Whether a chain is for the administrator's own rules, by its name.
#[must_use]
pub fn is_admin_chain(name: &str) -> bool {
    Table::Filter.admin_chains().any(|chain| chain == name)
}

/// The chain for the administrator's own rules.
pub(super) fn admin_chain(chain: AdminChain) -> &'static str {
    match chain {
        AdminChain::FromGuest => "PALISADE_ADMIN_FWO",
        AdminChain::ToGuest => "PALISADE_ADMIN_FWI",
        AdminChain::Input => "PALISADE_ADMIN_INP",
    }
}

/// Where rules of a role go; none where iptables has none of them.
pub(super) fn place(role: Role) -> Option<(Table, &'static str)> {
    Some(match role {
        Role::GuestSource => return None,
        Role::FromBlocked => (Table::Mangle, BLK),
        Role::ForwardAt => (Table::Nat, PRE),
        Role::ForwardAny => (Table::Nat, PRA),
        Role::GuestMss => (Table::Mangle, MSS),
        Role::AdminFromGuest => (Table::Filter, FWA),
        Role::AdminToGuest => (Table::Filter, FWB),
        Role::HostAdmin | Role::HostInput => (Table::Filter, INP),
        Role::HostOutput => (Table::Filter, OUT),
        Role::GuestOutput => (Table::Filter, FWO),
        Role::GuestInput => (Table::Filter, FWI),
        Role::GuestCross => (Table::Filter, FWX),
        Role::GuestNat => (Table::Nat, PRT),
        Role::GuestBetween => (Table::Nat, BTW),
        Role::ToBlocked | Role::Mangle => (Table::Mangle, PRT),
    })
}
