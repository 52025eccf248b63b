//! Values of fields, as nft writes them.

use std::fmt;

use super::super::quoted;
use super::super::value::{write_hex, zero_ended};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A number in the byte order of the host.
    Host,
    /// A number in the byte order of the network.
    Network,
    /// `0x00000001`, in the byte order of the host.
    Mark,
    /// A name in quotes.
    Name,
    /// Milliseconds: `1m30s`.
    Time,
    /// `1:2`, the class of a queueing discipline.
    Priority,
    /// `02:00:00:00:00:01`.
    Link,
    /// One of these, or a number.
    One(&'static [(u32, &'static str)]),
    /// Some of these, with commas between.
    Some(&'static [(u32, &'static str)]),
}

pub(super) const FAMILIES: Format = Format::One(&[(2, "ipv4"), (10, "ipv6")]);
pub(super) const PROTOCOLS: Format = Format::One(&[
    (1, "icmp"),
    (2, "igmp"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (132, "sctp"),
    (136, "udplite"),
]);
pub(super) const PACKETS: Format = Format::One(&[
    (0, "host"),
    (1, "broadcast"),
    (2, "multicast"),
    (3, "other"),
]);
pub(super) const HARDWARE: Format = Format::One(&[(1, "ether"), (772, "loopback")]);
pub(super) const ETHER_TYPES: Format = Format::One(&[
    (0x0800, "ip"),
    (0x0806, "arp"),
    (0x86dd, "ip6"),
    (0x8100, "vlan"),
]);
pub(super) const DIRECTIONS: Format = Format::One(&[(0, "original"), (1, "reply")]);
pub(super) const STATES: Format = Format::Some(&[
    (1, "invalid"),
    (2, "established"),
    (4, "related"),
    (8, "new"),
    (64, "untracked"),
]);
pub(super) const STATUS: Format = Format::Some(&[
    (1, "expected"),
    (2, "seen-reply"),
    (4, "assured"),
    (8, "confirmed"),
    (16, "snat"),
    (32, "dnat"),
    (512, "dying"),
]);
pub(super) const TCP_FLAGS: Format = Format::Some(&[
    (1, "fin"),
    (2, "syn"),
    (4, "rst"),
    (8, "psh"),
    (16, "ack"),
    (32, "urg"),
    (64, "ecn"),
    (128, "cwr"),
]);
pub(super) const ICMP_TYPES: Format = Format::One(&[
    (0, "echo-reply"),
    (3, "destination-unreachable"),
    (4, "source-quench"),
    (5, "redirect"),
    (8, "echo-request"),
    (9, "router-advertisement"),
    (10, "router-solicitation"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
    (13, "timestamp-request"),
    (14, "timestamp-reply"),
]);
pub(super) const ICMPV6_TYPES: Format = Format::One(&[
    (1, "destination-unreachable"),
    (2, "packet-too-big"),
    (3, "time-exceeded"),
    (4, "parameter-problem"),
    (128, "echo-request"),
    (129, "echo-reply"),
    (130, "mld-listener-query"),
    (131, "mld-listener-report"),
    (132, "mld-listener-done"),
    (133, "nd-router-solicit"),
    (134, "nd-router-advert"),
    (135, "nd-neighbor-solicit"),
    (136, "nd-neighbor-advert"),
    (137, "nd-redirect"),
    (143, "mld2-listener-report"),
]);

impl Format {
    /// Whether its values are sets of bits, asked by a mask.
    pub(super) fn is_bits(self) -> bool {
        matches!(self, Self::Some(_))
    }

    pub(super) fn write(self, f: &mut fmt::Formatter<'_>, value: &[u8]) -> fmt::Result {
        let (host, network) = (|| host(value), || network(value));
        match self {
            Self::Name => write!(f, "{}", quoted(&zero_ended(value))),
            Self::Link => {
                let bytes: Vec<String> = value.iter().map(|byte| format!("{byte:02x}")).collect();
                f.write_str(&bytes.join(":"))
            }
            Self::Host => write_number(f, host(), value, |f, n| write!(f, "{n}")),
            Self::Network => write_number(f, network(), value, |f, n| write!(f, "{n}")),
            Self::Mark => write_number(f, host(), value, |f, n| write!(f, "0x{n:08x}")),
            Self::Time => write_number(f, host(), value, |f, n| f.write_str(&time(n))),
            Self::Priority => write_number(f, host(), value, |f, n| {
                write!(f, "{:x}:{:x}", n >> 16, n & 0xffff)
            }),
            Self::One(names) | Self::Some(names) => {
                // What has two bytes here is of Ethernet's header, but for kinds of hardware.
                let number = match value.len() {
                    2 if self != HARDWARE => network(),
                    _ => host(),
                };
                write_number(f, number, value, |f, n| write_names(f, self, names, n))
            }
        }
    }
}

/// A number in the byte order of the host.
fn host(value: &[u8]) -> Option<u64> {
    Some(match *value {
        [byte] => byte.into(),
        [..] => match value.len() {
            2 => u16::from_ne_bytes(value.try_into().ok()?).into(),
            4 => u32::from_ne_bytes(value.try_into().ok()?).into(),
            8 => u64::from_ne_bytes(value.try_into().ok()?),
            _ => return None,
        },
    })
}

/// A number in the byte order of the network.
fn network(value: &[u8]) -> Option<u64> {
    let bytes = || value.iter().copied().map(u64::from);
    (1..=8)
        .contains(&value.len())
        .then(|| bytes().fold(0, |number, byte| number << 8 | byte))
}

fn write_number(
    f: &mut fmt::Formatter<'_>,
    number: Option<u64>,
    value: &[u8],
    write: impl Fn(&mut fmt::Formatter<'_>, u64) -> fmt::Result,
) -> fmt::Result {
    match number {
        Some(number) => write(f, number),
        None => write_hex(f, value),
    }
}

fn write_names(
    f: &mut fmt::Formatter<'_>,
    format: Format,
    names: &[(u32, &str)],
    number: u64,
) -> fmt::Result {
    if !format.is_bits() {
        let named = names.iter().find(|(value, _)| u64::from(*value) == number);
        return match named {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{number}"),
        };
    }
    let set: Vec<&str> = names
        .iter()
        .filter(|(bit, _)| number & u64::from(*bit) != 0)
        .map(|&(_, name)| name)
        .collect();
    f.write_str(&set.join(","))
}

/// `1d2h3m4s5ms`, without what is zero.
fn time(milliseconds: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
        (1, "ms"),
    ];
    let mut rest = milliseconds;
    let mut text = String::new();
    for (unit, name) in UNITS {
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// A value as text.
pub(super) struct Value<'a> {
    pub(super) format: Format,
    pub(super) bytes: &'a [u8],
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format.write(f, self.bytes)
    }
}
