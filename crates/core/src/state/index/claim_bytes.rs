//! Claims as they lie in the index's file, where they are compared without being kept.
//!
//! ```text
//! shared bridge   0  length u8  name            own bridge  1  length u8  name
//! addresses       2  block                      ports       3  protocol u8  block or 0
//!                                                              first u16  last u16  sources: block
//! block           4  prefix u8  address u32     or          6  prefix u8  address u128
//! ```

use crate::network::{Block, Claim, Family, ForwardProtocol};

const SHARED_BRIDGE: u8 = 0;
const OWN_BRIDGE: u8 = 1;
const ADDRESSES: u8 = 2;
const PORTS: u8 = 3;
/// Instead of a block: every address.
const EVERY: u8 = 0;
const IPV4: u8 = 4;
const IPV6: u8 = 6;

/// Appends a claim.
pub(super) fn put(claim: &Claim<'_>, bytes: &mut Vec<u8>) {
    match *claim {
        Claim::Bridge { bridge, is_own } => {
            bytes.push(if is_own { OWN_BRIDGE } else { SHARED_BRIDGE });
            // Names of interfaces have at most 15 bytes.
            let length = u8::try_from(bridge.len()).unwrap_or(u8::MAX);
            bytes.push(length);
            bytes.extend(bridge.bytes().take(length.into()));
        }
        Claim::Addresses(block) => {
            bytes.push(ADDRESSES);
            put_block(block, bytes);
        }
        Claim::Ports {
            protocol,
            address,
            first,
            last,
            sources,
        } => {
            bytes.extend([PORTS, protocol as u8]);
            match address {
                Some(address) => put_block(address, bytes),
                None => bytes.push(EVERY),
            }
            bytes.extend(first.to_le_bytes());
            bytes.extend(last.to_le_bytes());
            put_block(sources, bytes);
        }
    }
}

fn put_block(block: Block, bytes: &mut Vec<u8>) {
    match block.family {
        Family::Ipv4 => {
            bytes.extend([IPV4, block.prefix]);
            // An address of IPv4 has no more bits.
            let address = u32::try_from(block.address >> 96).unwrap_or_default();
            bytes.extend(address.to_le_bytes());
        }
        Family::Ipv6 => {
            bytes.extend([IPV6, block.prefix]);
            bytes.extend(block.address.to_le_bytes());
        }
    }
}

/// The claims in these bytes, up to one that is none.
pub(super) fn claims(mut bytes: &[u8]) -> impl Iterator<Item = Claim<'_>> {
    std::iter::from_fn(move || claim(&mut bytes))
}

/// Whether these bytes are claims and nothing else.
pub(super) fn is_whole(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        if claim(&mut bytes).is_none() {
            return false;
        }
    }
    true
}

fn claim<'b>(bytes: &mut &'b [u8]) -> Option<Claim<'b>> {
    let claim = match byte(bytes)? {
        kind @ (SHARED_BRIDGE | OWN_BRIDGE) => {
            let length = byte(bytes)?;
            let (bridge, rest) = bytes.split_at_checked(length.into())?;
            *bytes = rest;
            Claim::Bridge {
                bridge: std::str::from_utf8(bridge).ok()?,
                is_own: kind == OWN_BRIDGE,
            }
        }
        ADDRESSES => {
            let family = byte(bytes)?;
            Claim::Addresses(block(family, bytes)?)
        }
        PORTS => Claim::Ports {
            protocol: *ForwardProtocol::ALL.get(usize::from(byte(bytes)?))?,
            address: match byte(bytes)? {
                EVERY => None,
                family => Some(block(family, bytes)?),
            },
            first: u16::from_le_bytes(take(bytes)?),
            last: u16::from_le_bytes(take(bytes)?),
            sources: {
                let family = byte(bytes)?;
                block(family, bytes)?
            },
        },
        _ => return None,
    };
    Some(claim)
}

fn block(family: u8, bytes: &mut &[u8]) -> Option<Block> {
    let prefix = byte(bytes)?;
    let (family, address, longest) = match family {
        IPV4 => {
            let address = u32::from_le_bytes(take(bytes)?);
            (Family::Ipv4, u128::from(address) << 96, 32)
        }
        IPV6 => (Family::Ipv6, u128::from_le_bytes(take(bytes)?), 128),
        _ => return None,
    };
    (prefix <= longest).then_some(Block {
        family,
        prefix,
        address,
    })
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    take::<1>(bytes).map(|[byte]| byte)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}
