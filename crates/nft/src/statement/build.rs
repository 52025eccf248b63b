//! The statements that our layouts are made of.

use ipnet::IpNet;
use palisade_core::network::InterfaceName;
use palisade_core::rules::Protocol;

use super::value::{interface_name, mask};
use super::{Field, Match, Origin, Statement, Test};
use crate::object::{Comparison, ConntrackKey, Family, FibFlags, FibResult, MetaKey, PayloadBase};
use crate::object::{Reject, RejectKind};

/// In which direction a packet passes an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It came in through it.
    In,
    /// It leaves through it.
    Out,
}

/// Which of a packet's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
}

/// `established` and `related`, as bits of `ct state`.
const ESTABLISHED_OR_RELATED: u32 = 2 | 4;
/// `invalid` and `untracked`, likewise.
const INVALID_OR_UNTRACKED: u32 = 1 | 64;

impl Origin {
    /// The whole of an address in the IP header.
    #[must_use]
    pub(crate) fn address(family: Family, end: End) -> Self {
        let (source, len) = if family == Family::Ip6 {
            (8, 16)
        } else {
            (12, 4)
        };
        let offset = match end {
            End::Source => source,
            End::Destination => source + len,
        };
        let base = PayloadBase::NETWORK;
        Self::Payload { base, offset, len }
    }

    /// How many bytes the value has.
    #[must_use]
    pub fn width(self) -> u32 {
        match self {
            Self::Meta(MetaKey::IIFNAME | MetaKey::OIFNAME) => 16,
            Self::Meta(MetaKey::L4PROTO | MetaKey::NFPROTO) => 1,
            Self::Meta(_) | Self::Conntrack(_) | Self::Fib(..) => 4,
            Self::Payload { len, .. } => len,
        }
    }

    fn interface(direction: Direction) -> Self {
        Self::Meta(match direction {
            Direction::In => MetaKey::IIFNAME,
            Direction::Out => MetaKey::OIFNAME,
        })
    }
}

fn whole(origin: Origin) -> Field {
    Field { origin, mask: None }
}

/// `iifname`, `oifname`: for a concatenation.
#[must_use]
pub(crate) fn interface_field(direction: Direction) -> Field {
    whole(Origin::interface(direction))
}

/// `ip saddr & MASK`: the first bits of an address, for a concatenation.
#[must_use]
pub(crate) fn address_field(family: Family, end: End, prefix: u8) -> Field {
    let origin = Origin::address(family, end);
    let whole_mask = mask(prefix, origin.width());
    Field {
        origin,
        mask: whole_mask
            .iter()
            .any(|&byte| byte != 0xff)
            .then_some(whole_mask),
    }
}

/// `iifname "virbr0"`.
#[must_use]
pub fn interface(direction: Direction, name: &InterfaceName) -> Statement {
    let value = interface_name(name.as_str());
    equal(whole(Origin::interface(direction)), value)
}

/// `meta l4proto tcp`.
#[must_use]
pub fn protocol(protocol: Protocol) -> Statement {
    equal(
        whole(Origin::Meta(MetaKey::L4PROTO)),
        vec![protocol.number()],
    )
}

/// `ip saddr 10.0.0.0/24`, `ip daddr != 10.0.0.0/24`.
///
/// A prefix of whole bytes needs no mask: the bytes that count are loaded alone, as `nft` does.
#[must_use]
pub fn address(end: End, operator: Comparison, net: IpNet) -> Statement {
    let (family, mut value) = match net {
        IpNet::V4(net) => (Family::Ip, net.network().octets().to_vec()),
        IpNet::V6(net) => (Family::Ip6, net.network().octets().to_vec()),
    };
    let mut field = address_field(family, end, net.prefix_len());
    if let Origin::Payload { len, .. } = &mut field.origin
        && net.prefix_len().is_multiple_of(8)
    {
        *len = u32::from(net.prefix_len() / 8);
        value.truncate(usize::from(net.prefix_len() / 8));
        field.mask = None;
    }
    Statement::Match(Match {
        fields: vec![field],
        test: Test::Compare(operator, value),
    })
}

/// `ip daddr`: a whole address, for a concatenation.
#[must_use]
pub(crate) fn whole_address_field(family: Family, end: End) -> Field {
    whole(Origin::address(family, end))
}

/// `meta l4proto`, for a concatenation.
#[must_use]
pub(crate) fn protocol_field() -> Field {
    whole(Origin::Meta(MetaKey::L4PROTO))
}

/// `th sport`, `th dport`, for a concatenation.
#[must_use]
pub(crate) fn port_field(end: End) -> Field {
    whole(Origin::Payload {
        base: PayloadBase::TRANSPORT,
        offset: match end {
            End::Source => 0,
            End::Destination => 2,
        },
        len: 2,
    })
}

/// `th dport 80`, behind `meta l4proto`. With the other port beside it, `nft` loads both as one field
/// when it loads its own listing.
#[must_use]
pub fn port(end: End, port: u16) -> Statement {
    equal(port_field(end), port.to_be_bytes().to_vec())
}

/// `meta l4proto icmp`, or `ipv6-icmp`, and the type of its message.
#[must_use]
pub fn icmp(family: palisade_core::network::Family, kind: u8) -> [Statement; 2] {
    let number = match family {
        palisade_core::network::Family::Ipv4 => 1,
        palisade_core::network::Family::Ipv6 => 58,
    };
    let kind_field = whole(Origin::Payload {
        base: PayloadBase::TRANSPORT,
        offset: 0,
        len: 1,
    });
    [
        equal(protocol_field(), vec![number]),
        equal(kind_field, vec![kind]),
    ]
}

/// `fib daddr type local`.
#[must_use]
pub(crate) fn goes_to_host() -> Statement {
    /// `RTN_LOCAL`.
    const LOCAL: u32 = 2;
    let kind = Origin::Fib(FibFlags::DESTINATION, FibResult::ADDRESS_TYPE);
    equal(whole(kind), LOCAL.to_ne_bytes().to_vec())
}

/// `ct status dnat`.
#[must_use]
pub(crate) fn redirected() -> Statement {
    /// `IPS_DST_NAT`.
    const DNAT: u32 = 1 << 5;
    Statement::Match(Match {
        fields: vec![Field {
            origin: Origin::Conntrack(ConntrackKey::STATUS),
            mask: Some(DNAT.to_ne_bytes().to_vec()),
        }],
        test: Test::Compare(Comparison::NotEqual, vec![0; 4]),
    })
}

/// `ct state established,related`.
#[must_use]
pub fn known_flow() -> Statement {
    state(ESTABLISHED_OR_RELATED)
}

/// `ct state invalid,untracked`.
#[must_use]
pub(crate) fn no_flow() -> Statement {
    state(INVALID_OR_UNTRACKED)
}

/// One of these bits of `ct state` is set.
fn state(bits: u32) -> Statement {
    Statement::Match(Match {
        fields: vec![Field {
            origin: Origin::Conntrack(ConntrackKey::STATE),
            mask: Some(bits.to_ne_bytes().to_vec()),
        }],
        test: Test::Compare(Comparison::NotEqual, vec![0; 4]),
    })
}

/// `tcp flags syn / syn,rst`, behind `meta l4proto tcp`: the first packet of each side of a connection.
#[must_use]
pub(crate) fn opens_connection() -> Statement {
    const SYN: u8 = 2;
    const RST: u8 = 4;
    let flags = Origin::Payload {
        base: PayloadBase::TRANSPORT,
        offset: 13,
        len: 1,
    };
    Statement::Match(Match {
        fields: vec![Field {
            origin: flags,
            mask: Some(vec![SYN | RST]),
        }],
        test: Test::Compare(Comparison::Equal, vec![SYN]),
    })
}

/// `fib saddr . mark . iif oif missing`.
#[must_use]
pub(crate) fn no_reverse_path() -> Statement {
    let origin = Origin::Fib(FibFlags::REVERSE_PATH, FibResult::OIF);
    // Of the four bytes, kernels before 6.10 write all and later ones the first: zero is zero in both.
    equal(whole(origin), vec![0; 4])
}

/// `FIELD . FIELD @set`.
#[must_use]
pub(crate) fn in_set(fields: Vec<Field>, set: &str) -> Statement {
    let test = Test::In(set.to_owned());
    Statement::Match(Match { fields, test })
}

/// `reject`: ICMP or ICMPv6 "port unreachable", the answer that `nft` and iptables give unless told
/// otherwise.
#[must_use]
pub(crate) fn port_unreachable(family: Family) -> Reject {
    Reject {
        kind: RejectKind::ICMP_UNREACHABLE,
        // ICMP_PORT_UNREACH and ICMPV6_PORT_UNREACH.
        code: if family == Family::Ip6 { 4 } else { 3 },
    }
}

fn equal(field: Field, value: Vec<u8>) -> Statement {
    Statement::Match(Match {
        fields: vec![field],
        test: Test::Compare(Comparison::Equal, value),
    })
}
