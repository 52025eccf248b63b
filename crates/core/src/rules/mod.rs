//! What a network asks of a firewall, whichever program enforces it.
//!
//! A [`Rule`] says for which packets ([`Matches`]) what happens ([`Action`]), where in a packet's
//! way it is asked ([`Role`]), what it is for ([`Purpose`]) and for which network it stands. A
//! [`Ruleset`] is the rules of a set of networks in the order in which packets meet them. Where
//! the rules live (tables, chains, sets) is a backend's own affair: its layout.

mod derive;
mod display;

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::network::{AddressRange, Family, InterfaceName, Name, Network, PortRange, Subnet};

pub use derive::{Guard, rules};

/// One rule of one network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The network that the rule serves.
    pub owner: Name,
    /// What it is for.
    pub purpose: Purpose,
    /// The family of packets that it sees.
    pub family: Family,
    /// Where it is asked.
    pub role: Role,
    /// The packets it applies to: those for which all of this holds.
    pub matches: Matches,
    /// What happens to them.
    pub action: Action,
}

/// The places at which rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Forwarded packets, first: of known flows, where they are accepted first, and between guests
    /// of one bridge.
    GuestCross,
    /// Forwarded packets, second: to a guest.
    GuestInput,
    /// Forwarded packets, third: from a guest.
    GuestOutput,
    /// The first packet of each flow, on its way out: its translation.
    GuestNat,
    /// Packets from guests to the host itself.
    HostInput,
    /// Packets from the host itself to guests.
    HostOutput,
    /// Packets on their way out, to be mended.
    Mangle,
}

impl Role {
    /// All of them, in the order in which packets meet them.
    pub const ALL: [Self; 7] = [
        Self::HostInput,
        Self::GuestCross,
        Self::GuestInput,
        Self::GuestOutput,
        Self::HostOutput,
        Self::Mangle,
        Self::GuestNat,
    ];

    /// Its place among [all](Self::ALL).
    fn place(self) -> Option<usize> {
        Self::ALL.iter().position(|&role| role == self)
    }
}

/// What a rule is for. Together with owner, family, role and matches it names the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum Purpose {
    /// Guests talk among themselves over the bridge.
    Cross,
    /// Packets of known flows come in, before anything else is asked.
    EstablishedIn,
    /// Packets of known flows leave, before anything else is asked.
    EstablishedOut,
    /// Packets of a subnet leave.
    Out,
    /// Packets come in to a subnet: all of them, or those of known flows.
    In,
    /// Everything else from guests is refused.
    RefuseOut,
    /// Everything else to guests is refused.
    RefuseIn,
    /// The source address is translated.
    Nat,
    /// Broadcasts keep their source: DHCP answers must keep their port.
    KeepBroadcast,
    /// Link-local multicast keeps its source: it is not routed.
    KeepMulticast,
    /// Guests get addresses from the host.
    Dhcp,
    /// Guests ask the host for names.
    Dns,
    /// Guests boot from the host.
    Tftp,
    /// DHCP answers get the checksum that some guests insist on.
    Checksum,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Cross,
        Self::EstablishedIn,
        Self::EstablishedOut,
        Self::Out,
        Self::In,
        Self::RefuseOut,
        Self::RefuseIn,
        Self::Nat,
        Self::KeepBroadcast,
        Self::KeepMulticast,
        Self::Dhcp,
        Self::Dns,
        Self::Tftp,
        Self::Checksum,
    ];

    /// The purpose that these [`words`](Self::words) name.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.words() == words)
    }

    /// The purpose in a word or two, as comments and listings show it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Cross => "guest to guest",
            Self::EstablishedIn => "established in",
            Self::EstablishedOut => "established out",
            Self::Out => "out",
            Self::In => "in",
            Self::RefuseOut => "refuse out",
            Self::RefuseIn => "refuse in",
            Self::Nat => "nat",
            Self::KeepBroadcast => "broadcast without nat",
            Self::KeepMulticast => "multicast without nat",
            Self::Dhcp => "dhcp",
            Self::Dns => "dns",
            Self::Tftp => "tftp",
            Self::Checksum => "dhcp checksum",
        }
    }

    /// What the purpose means, in a sentence for people.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Cross => "guests on the bridge may talk to each other",
            Self::EstablishedIn => "what belongs to a known flow comes in, first of all",
            Self::EstablishedOut => "what belongs to a known flow leaves, first of all",
            Self::Out => "guests may send from their subnet",
            Self::In => "what may come in to the guests' subnet",
            Self::RefuseOut => "everything else from the bridge is refused",
            Self::RefuseIn => "everything else to the bridge is refused",
            Self::Nat => "guests leave with another address",
            Self::KeepBroadcast => "broadcasts keep their source: DHCP needs it",
            Self::KeepMulticast => "link-local multicast keeps its source: it is not routed",
            Self::Dhcp => "guests may ask the host for addresses",
            Self::Dns => "guests may ask the host for names",
            Self::Tftp => "guests may boot over TFTP from the host",
            Self::Checksum => "DHCP answers get a checksum that old clients insist on",
        }
    }
}

impl From<Purpose> for &'static str {
    fn from(purpose: Purpose) -> Self {
        purpose.words()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// The packets that a rule applies to. `None` means any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Matches {
    /// The interface that the packet came in through.
    pub in_interface: Option<InterfaceName>,
    /// The interface that it leaves through.
    pub out_interface: Option<InterfaceName>,
    /// Its source lies in this subnet.
    pub source: Option<Subnet>,
    /// Where it goes.
    pub destination: Option<Destination>,
    /// Its protocol, and for udp and tcp the port that it goes to.
    pub protocol: Option<Protocol>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
    /// It belongs to a known flow, or is related to one (ct state established,related).
    pub known_flow: bool,
}

/// A packet's destination, as rules ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// In the subnet.
    In(Subnet),
    /// Anywhere but in the subnet.
    NotIn(Subnet),
    /// 255.255.255.255.
    Broadcast,
    /// 224.0.0.0/24 or ff02::/16, after the rule's family.
    LinkLocalMulticast,
}

/// The protocols that rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Protocol number 6.
    Tcp,
    /// Protocol number 17.
    Udp,
}

impl Protocol {
    /// The number in the IP header.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It passes: no further rule of ours is asked at this place.
    Accept,
    /// It is refused with ICMP port unreachable.
    Reject,
    /// No further rule of ours is asked; for NAT: it is not translated.
    Return,
    /// It leaves with an address of the outgoing device.
    Masquerade {
        /// The source ports to use.
        ports: Option<PortRange>,
    },
    /// It leaves with one of these addresses.
    Snat {
        /// The source addresses to use.
        addresses: AddressRange,
        /// The source ports to use.
        ports: Option<PortRange>,
    },
    /// Its checksum is filled in.
    FillChecksum,
}

impl Rule {
    /// Where packets meet it: rulesets are sorted by that.
    fn place(&self) -> (Family, Option<usize>) {
        (self.family, self.role.place())
    }

    /// The source address that NAT could give: `Some` where the action translates.
    #[must_use]
    pub fn translates(&self) -> bool {
        matches!(self.action, Action::Masquerade { .. } | Action::Snat { .. })
    }
}

impl Destination {
    /// Whether a packet of `family` to `address` goes there.
    #[must_use]
    pub fn holds(self, family: Family, address: IpAddr) -> bool {
        match self {
            Self::In(subnet) => subnet.net().contains(&address),
            Self::NotIn(subnet) => !subnet.net().contains(&address),
            Self::Broadcast => address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST),
            Self::LinkLocalMulticast => family.link_local_multicast().contains(&address),
        }
    }
}

/// The rules of a set of networks, in the order in which packets meet them within each
/// [`Role`] and family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ruleset {
    rules: Vec<Rule>,
}

impl Ruleset {
    /// The rules of networks that were started in the order given: a later one's stand above.
    #[must_use]
    pub fn of<'a>(networks: impl IntoIterator<Item = &'a Network>, guard: Guard) -> Self {
        let mut issued: Vec<Rule> = networks
            .into_iter()
            .flat_map(|network| rules(network, guard))
            .collect();
        issued.reverse();
        Self::in_order(issued)
    }

    /// Rules that are already in the order in which packets meet them.
    #[must_use]
    pub fn in_order(mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(Rule::place);
        Self { rules }
    }

    /// All rules: by family, then by role, then in the order in which packets meet them.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that a packet of `family` meets at `role`, in that order.
    pub fn at(&self, family: Family, role: Role) -> impl Iterator<Item = &Rule> {
        let place = (family, role.place());
        let start = self.rules.partition_point(|rule| rule.place() < place);
        let rest = self.rules.get(start..).unwrap_or_default();
        rest.iter().take_while(move |rule| rule.place() == place)
    }
}
