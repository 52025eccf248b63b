//! What a network takes of what all networks of a host share: its bridge, its addresses, ports of
//! the host.
//!
//! Networks conflict where their claims exclude each other, and only there. The index of running
//! networks keeps claims without knowing what they are for.

use std::borrow::Cow;
use std::net::IpAddr;

use super::interface::InterfaceName;
use super::port_forward::{ForwardProtocol, MAX_FORWARDED_PORTS, PortForward};
use super::subnet::{Family, Subnet};
use super::validated::Network;

/// What a network takes. At most one of those that exclude each other can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim<'n> {
    /// A bridge, which several networks may have that hand guests to it, and only they.
    Bridge { bridge: &'n str, is_own: bool },
    /// A subnet.
    Addresses(Block),
    /// Ports of the host, for packets from some sources.
    Ports {
        protocol: ForwardProtocol,
        /// None for every address of the host, which is another claim than one address.
        address: Option<Block>,
        first: u16,
        last: u16,
        sources: Block,
    },
}

/// Addresses with one prefix, whose first bits are the highest ones of `address`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Block {
    pub(crate) family: Family,
    pub(crate) prefix: u8,
    pub(crate) address: u128,
}

/// Claims in different spaces never exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Space<'n> {
    Bridge(Cow<'n, str>),
    Addresses(Family),
    Ports(ForwardProtocol, Family, Option<Block>),
}

/// What a claim was made for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holding<'n> {
    Bridge(&'n InterfaceName),
    Subnet(Subnet),
    Forward(&'n PortForward),
}

impl Network {
    /// All that it takes of what networks share.
    pub(crate) fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        self.holdings().map(|(claim, _)| claim)
    }

    pub(super) fn holdings(&self) -> impl Iterator<Item = (Claim<'_>, Holding<'_>)> {
        let is_own = self.owns_bridge();
        let bridges = self.bridge().into_iter().map(move |name| {
            let bridge = name.as_str();
            (Claim::Bridge { bridge, is_own }, Holding::Bridge(name))
        });
        let subnets = self.subnets().iter();
        let subnets = subnets.map(|&s| (Claim::Addresses(s.into()), Holding::Subnet(s)));
        let forwards = self.port_forwards().iter();
        let ports = forwards.flat_map(|forward| {
            of_forward(forward).map(move |claim| (claim, Holding::Forward(forward)))
        });
        bridges.chain(subnets).chain(ports)
    }
}

/// A claim for each of its sources.
fn of_forward(forward: &PortForward) -> impl Iterator<Item = Claim<'_>> {
    let (ports, family) = (forward.listen().ports(), forward.family());
    let of = move |sources: Block| Claim::Ports {
        protocol: forward.protocol(),
        address: forward.listen().address().map(Block::from),
        first: ports.start(),
        last: ports.end(),
        sources,
    };
    let sources = forward.sources();
    let every = sources.is_empty().then(|| Block::every(family));
    let some = sources.iter().map(|&source| source.into());
    every.into_iter().chain(some).map(of)
}

impl<'n> Claim<'n> {
    /// Whether only one network can have both.
    pub(crate) fn excludes(&self, other: &Claim<'_>) -> bool {
        match (*self, *other) {
            (
                Self::Bridge { bridge, is_own },
                Claim::Bridge {
                    bridge: others,
                    is_own: is_others_own,
                },
            ) => bridge == others && (is_own || is_others_own),
            (Self::Addresses(own), Claim::Addresses(others)) => own.overlaps(others),
            (
                Self::Ports { sources, .. },
                Claim::Ports {
                    sources: others, ..
                },
            ) => {
                let (own_range, others_range) = (self.range(), other.range());
                self.space() == other.space()
                    && own_range.0 <= others_range.1
                    && others_range.0 <= own_range.1
                    && sources.overlaps(others)
            }
            _ => false,
        }
    }

    /// In which space it lies.
    pub(crate) fn space(&self) -> Space<'n> {
        match *self {
            Self::Bridge { bridge, .. } => Space::Bridge(bridge.into()),
            Self::Addresses(block) => Space::Addresses(block.family),
            Self::Ports {
                protocol,
                address,
                sources,
                ..
            } => Space::Ports(protocol, sources.family, address),
        }
    }

    /// What it covers of its space, both ends included. Claims that exclude each other share some
    /// of it.
    pub(crate) fn range(&self) -> (u128, u128) {
        match *self {
            Self::Bridge { is_own, .. } => (u128::from(!is_own), 1),
            Self::Addresses(block) => (block.address, block.last()),
            Self::Ports { first, last, .. } => (first.into(), last.into()),
        }
    }

    /// At which places of its space claims may begin that reach into this one from before.
    /// `before` is the last place before it where one begins.
    pub(crate) fn reached_from(&self, before: Option<u128>) -> u128 {
        let (first, _) = self.range();
        match self {
            Self::Bridge { .. } => 0,
            // Running networks share no addresses: only the last one can be long enough.
            Self::Addresses(_) => before.unwrap_or(first),
            Self::Ports { .. } => first.saturating_sub(MAX_FORWARDED_PORTS.into()),
        }
    }
}

impl Space<'_> {
    pub(crate) fn into_owned(self) -> Space<'static> {
        match self {
            Self::Bridge(bridge) => Space::Bridge(bridge.into_owned().into()),
            Self::Addresses(family) => Space::Addresses(family),
            Self::Ports(protocol, family, address) => Space::Ports(protocol, family, address),
        }
    }
}

impl Block {
    fn every(family: Family) -> Self {
        Self {
            family,
            prefix: 0,
            address: 0,
        }
    }

    fn overlaps(self, other: Self) -> bool {
        let both = self.prefix.min(other.prefix);
        let differing = self.address ^ other.address;
        self.family == other.family && differing & !rest(both) == 0
    }

    fn last(self) -> u128 {
        self.address | rest(self.prefix)
    }
}

/// The bits behind a prefix.
fn rest(prefix: u8) -> u128 {
    u128::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

impl From<IpAddr> for Block {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self {
                family: Family::Ipv4,
                prefix: 32,
                address: u128::from(address.to_bits()) << 96,
            },
            IpAddr::V6(address) => Self {
                family: Family::Ipv6,
                prefix: 128,
                address: address.to_bits(),
            },
        }
    }
}

impl From<Subnet> for Block {
    fn from(subnet: Subnet) -> Self {
        Self {
            prefix: subnet.prefix(),
            ..subnet.network().into()
        }
    }
}
