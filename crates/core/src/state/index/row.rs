//! What the index knows of a network: a row, in memory and as it lies in the file, where it is looked
//! at without being read.
//!
//! ```text
//! length u32  order u64  place u32  digest 16  subnets u16  owns u8  name u8  bridge u8
//! name's bytes  bridge's bytes, none without a bridge  subnets: family u8, prefix u8, address u128
//! ```
//!
//! Numbers are little-endian, the length is of the whole row.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::installed::Placement;
use crate::network::{InterfaceName, Name, Network, Subnet};
use crate::record::Record;
use crate::state::digest::{Digest, Secret};

/// What is of the same length in all rows.
const HEAD: usize = 37;
/// A family, a prefix, an address.
const SUBNET: usize = 18;

/// A running network.
#[derive(Debug)]
pub(in crate::state) struct Row {
    pub(super) name: Name,
    pub(super) bridge: Option<InterfaceName>,
    /// Whether the bridge is the network's own, and no other's.
    pub(super) owns_bridge: bool,
    pub(super) subnets: Vec<Subnet>,
    pub(super) order: u64,
    /// Its place among the index's placements.
    pub(super) place: u32,
    pub(super) digest: Digest,
    /// Its record, read when it is first asked for.
    pub(in crate::state) record: OnceCell<Box<Record>>,
}

impl Row {
    pub(super) fn of(
        record: Record,
        secret: Secret,
        place: impl FnOnce(&Placement) -> u32,
    ) -> Self {
        let network = &record.network;
        Self {
            name: network.name().clone(),
            bridge: network.bridge().cloned(),
            owns_bridge: network.owns_bridge(),
            subnets: network.subnets().to_vec(),
            order: record.order,
            place: place(&record.placement),
            digest: secret.digest(network),
            record: OnceCell::from(Box::new(record)),
        }
    }

    /// Its rank in the order in which networks were started.
    pub(in crate::state) fn order(&self) -> u64 {
        self.order
    }

    /// Whether it has a bridge or addresses that another network has too.
    pub(super) fn is_shared_with(&self, network: &Network) -> bool {
        let on_bridge = |bridge: &InterfaceName| self.bridge.as_ref() == Some(bridge);
        let overlaps = |own: &Subnet| self.subnets.iter().any(|other| own.overlaps(*other));
        network.bridge().is_some_and(on_bridge) && (self.owns_bridge || network.owns_bridge())
            || network.subnets().iter().any(overlaps)
    }

    /// Appends it as it lies in the file. None if it is larger than can be said there, as none is.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) -> Option<()> {
        let (name, subnets) = (self.name.as_str().as_bytes(), &self.subnets);
        let bridge = self.bridge.as_ref().map_or("", InterfaceName::as_str);
        let len = HEAD + name.len() + bridge.len() + subnets.len() * SUBNET;
        bytes.extend(u32::try_from(len).ok()?.to_le_bytes());
        bytes.extend(self.order.to_le_bytes());
        bytes.extend(self.place.to_le_bytes());
        bytes.extend(self.digest.to_bytes());
        bytes.extend(u16::try_from(subnets.len()).ok()?.to_le_bytes());
        bytes.push(u8::from(self.owns_bridge));
        bytes.push(u8::try_from(name.len()).ok()?);
        bytes.push(u8::try_from(bridge.len()).ok()?);
        bytes.extend(name);
        bytes.extend(bridge.as_bytes());
        for &subnet in subnets {
            let Bits {
                family,
                prefix,
                address,
            } = subnet.into();
            bytes.extend([family, prefix]);
            bytes.extend(address.to_le_bytes());
        }
        Some(())
    }
}

/// A subnet as it lies in the file: 4 or 6, the length of its prefix, and its first address, whose
/// first bits are the highest ones.
#[derive(Clone, Copy)]
struct Bits {
    family: u8,
    prefix: u8,
    address: u128,
}

impl From<Subnet> for Bits {
    fn from(subnet: Subnet) -> Self {
        let prefix = subnet.prefix();
        match subnet.network() {
            IpAddr::V4(address) => Self {
                family: 4,
                prefix,
                address: u128::from(address.to_bits()) << 96,
            },
            IpAddr::V6(address) => Self {
                family: 6,
                prefix,
                address: address.to_bits(),
            },
        }
    }
}

impl Bits {
    fn overlaps(self, other: Self) -> bool {
        let rest = 128_u32.saturating_sub(self.prefix.min(other.prefix).into());
        let differing = (self.address ^ other.address).checked_shr(rest);
        self.family == other.family && differing.unwrap_or(0) == 0
    }

    fn read(self) -> Option<Subnet> {
        let address = match self.family {
            4 => Ipv4Addr::from_bits(u32::try_from(self.address >> 96).ok()?).into(),
            _ => Ipv6Addr::from_bits(self.address).into(),
        };
        Subnet::new(address, self.prefix).ok()
    }
}

/// What another network has that none may share.
pub(super) struct Claim<'n> {
    bridge: &'n [u8],
    owns_bridge: bool,
    subnets: Vec<Bits>,
}

impl<'n> From<&'n Network> for Claim<'n> {
    fn from(network: &'n Network) -> Self {
        let bridge = network.bridge().map_or("", InterfaceName::as_str);
        Self {
            bridge: bridge.as_bytes(),
            owns_bridge: network.owns_bridge(),
            subnets: network.subnets().iter().map(|&s| s.into()).collect(),
        }
    }
}

/// A row as it lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBytes<'f> {
    head: &'f [u8; HEAD],
    name: &'f [u8],
    bridge: &'f [u8],
    subnets: &'f [u8],
}

/// The rows that lie in these bytes, up to one that is none.
pub(super) fn rows_in(mut bytes: &[u8]) -> impl Iterator<Item = RowBytes<'_>> {
    std::iter::from_fn(move || {
        let (row, rest) = RowBytes::split(bytes)?;
        bytes = rest;
        Some(row)
    })
}

impl<'f> RowBytes<'f> {
    fn split(bytes: &'f [u8]) -> Option<(Self, &'f [u8])> {
        let [a, b, c, d] = *bytes.first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let (row, rest) = bytes.split_at_checked(len)?;
        let (head, texts) = row.split_first_chunk::<HEAD>()?;
        let (name, texts) = texts.split_at_checked(usize::from(head[35]))?;
        let (bridge, subnets) = texts.split_at_checked(usize::from(head[36]))?;
        let count = usize::from(u16::from_le_bytes([head[32], head[33]]));
        let row = Self {
            head,
            name,
            bridge,
            subnets,
        };
        (subnets.len() == count * SUBNET).then_some((row, rest))
    }

    /// How many bytes it takes.
    pub(super) fn len(self) -> usize {
        HEAD + self.name.len() + self.bridge.len() + self.subnets.len()
    }

    pub(super) fn is_of(self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    pub(super) fn name(self) -> Option<&'f str> {
        std::str::from_utf8(self.name).ok()
    }

    fn owns_bridge(self) -> bool {
        self.head[34] != 0
    }

    fn subnets(self) -> impl Iterator<Item = Bits> {
        self.subnets.chunks_exact(SUBNET).filter_map(|chunk| {
            let (&[family, prefix], address) = chunk.split_first_chunk()?;
            let address = u128::from_le_bytes(*address.first_chunk()?);
            Some(Bits {
                family,
                prefix,
                address,
            })
        })
    }

    /// As of a row that was [read](Self::read), but without reading it.
    pub(super) fn is_shared_by(self, claim: &Claim<'_>) -> bool {
        let overlaps = |other: Bits| claim.subnets.iter().any(|own| own.overlaps(other));
        let is_on_bridge = !self.bridge.is_empty() && self.bridge == claim.bridge;
        is_on_bridge && (self.owns_bridge() || claim.owns_bridge) || self.subnets().any(overlaps)
    }

    /// None if it says what cannot be, as none of ours does.
    pub(super) fn read(self) -> Option<Row> {
        let head = self.head;
        let bridge = std::str::from_utf8(self.bridge).ok()?;
        Some(Row {
            name: self.name()?.parse().ok()?,
            bridge: match bridge {
                "" => None,
                bridge => Some(bridge.parse().ok()?),
            },
            owns_bridge: self.owns_bridge(),
            subnets: self.subnets().map(Bits::read).collect::<Option<_>>()?,
            order: u64::from_le_bytes(*head[4..].first_chunk()?),
            place: u32::from_le_bytes(*head[12..].first_chunk()?),
            digest: Digest::from_bytes(*head[16..].first_chunk()?),
            record: OnceCell::new(),
        })
    }
}
