//! Flows of connection tracking, in bytes: `linux/netfilter/nfnetlink_conntrack.h`.

use super::flow::{Addresses, Flow, ProtocolKey, Tuple};
use crate::attribute::{self, Attributes, Raw};
use crate::nfnetlink::{self, CONNTRACK};
use crate::{Family, Header, Malformed};

/// `IPCTNL_MSG_CT_NEW`: a flow.
pub(super) const FLOW: u16 = nfnetlink::kind(CONNTRACK, 0);
/// `IPCTNL_MSG_CT_GET`.
pub(super) const GET: u16 = nfnetlink::kind(CONNTRACK, 1);
/// `IPCTNL_MSG_CT_DELETE`.
pub(super) const DELETE: u16 = nfnetlink::kind(CONNTRACK, 2);
/// `IPCTNL_MSG_CT_GET_STATS`: the request for the number of flows, and its reply.
pub(super) const STATISTICS: u16 = nfnetlink::kind(CONNTRACK, 5);

/// `CTA_TUPLE_ORIG`.
const ORIGINAL: u16 = 1;
/// `CTA_TUPLE_REPLY`.
const REPLY: u16 = 2;
/// `CTA_STATUS`.
const STATUS: u16 = 3;
/// `CTA_MARK`.
const MARK: u16 = 8;
/// `CTA_ID`.
const ID: u16 = 12;
/// `CTA_ZONE`.
const ZONE: u16 = 18;
/// `CTA_STATUS_MASK`.
const STATUS_MASK: u16 = 26;

/// `CTA_TUPLE_IP`.
const TUPLE_ADDRESSES: u16 = 1;
/// `CTA_TUPLE_PROTO`.
const TUPLE_PROTOCOL: u16 = 2;
/// `CTA_TUPLE_ZONE`.
const TUPLE_ZONE: u16 = 3;

/// `CTA_IP_V4_SRC`.
const V4_SOURCE: u16 = 1;
/// `CTA_IP_V4_DST`.
const V4_DESTINATION: u16 = 2;
/// `CTA_IP_V6_SRC`.
const V6_SOURCE: u16 = 3;
/// `CTA_IP_V6_DST`.
const V6_DESTINATION: u16 = 4;

/// `CTA_PROTO_NUM`.
const NUMBER: u16 = 1;
/// `CTA_PROTO_SRC_PORT`.
const SOURCE_PORT: u16 = 2;
/// `CTA_PROTO_DST_PORT`.
const DESTINATION_PORT: u16 = 3;
/// `CTA_PROTO_ICMP_ID`, `_TYPE` and `_CODE`.
const ICMP: [u16; 3] = [4, 5, 6];
/// `CTA_PROTO_ICMPV6_ID`, `_TYPE` and `_CODE`.
const ICMPV6: [u16; 3] = [7, 8, 9];

/// `CTA_STATS_GLOBAL_ENTRIES`.
const ENTRIES: u16 = 1;

/// Appends a message of ctnetlink: header, family, and what `body` writes.
pub(super) fn message(
    buffer: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    family: Family,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = Header::request(kind, flags, sequence);
    nfnetlink::put(buffer, header, (family, 0), body);
}

/// Writes the body of a [`GET`] for flows that have none of these bits in their status. Kernels
/// before 5.18 list all flows.
pub(super) fn encode_without(status: u32, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, STATUS, 0);
    attribute::u32(buffer, STATUS_MASK, status);
}

/// Writes the body of a [`DELETE`]: a flow by its tuple and its number.
pub(super) fn encode_key(flow: &Flow, buffer: &mut Vec<u8>) {
    // Without a tuple, the kernel would delete all flows there are.
    attribute::nest(buffer, ORIGINAL, |buffer| {
        encode_tuple(&flow.original, buffer);
    });
    if let Some(zone) = flow.zone {
        attribute::u16(buffer, ZONE, zone);
    }
    attribute::u32(buffer, ID, flow.id);
}

fn encode_tuple(tuple: &Tuple, buffer: &mut Vec<u8>) {
    attribute::nest(buffer, TUPLE_ADDRESSES, |buffer| match tuple.addresses {
        Addresses::V4 {
            source,
            destination,
        } => {
            attribute::bytes(buffer, V4_SOURCE, &source.octets());
            attribute::bytes(buffer, V4_DESTINATION, &destination.octets());
        }
        Addresses::V6 {
            source,
            destination,
        } => {
            attribute::bytes(buffer, V6_SOURCE, &source.octets());
            attribute::bytes(buffer, V6_DESTINATION, &destination.octets());
        }
    });
    attribute::nest(buffer, TUPLE_PROTOCOL, |buffer| {
        attribute::u8(buffer, NUMBER, tuple.protocol);
        match tuple.key {
            ProtocolKey::Ports {
                source,
                destination,
            } => {
                attribute::u16(buffer, SOURCE_PORT, source);
                attribute::u16(buffer, DESTINATION_PORT, destination);
            }
            ProtocolKey::Request { id, kind, code } => {
                let [id_at, kind_at, code_at] = match tuple.addresses {
                    Addresses::V4 { .. } => ICMP,
                    Addresses::V6 { .. } => ICMPV6,
                };
                attribute::u16(buffer, id_at, id);
                attribute::u8(buffer, kind_at, kind);
                attribute::u8(buffer, code_at, code);
            }
            ProtocolKey::Nothing => {}
        }
    });
    if let Some(zone) = tuple.zone {
        attribute::u16(buffer, TUPLE_ZONE, zone);
    }
}

/// Reads the body of a [`FLOW`]. Unknown attributes are skipped.
///
/// # Errors
///
/// If its bytes are malformed, or it has no tuples or no number.
pub(super) fn decode(body: &[u8]) -> Result<Flow, Malformed> {
    const OBJECT: &str = "flow";
    let (mut original, mut reply, mut id) = (None, None, None);
    let (mut status, mut mark, mut zone) = (0, 0, None);
    for attribute in Attributes::of(OBJECT, body) {
        let attribute = attribute?;
        match attribute.number() {
            ORIGINAL => original = Some(decode_tuple(attribute)?),
            REPLY => reply = Some(decode_tuple(attribute)?),
            STATUS => status = attribute.u32()?,
            MARK => mark = attribute.u32()?,
            ID => id = Some(attribute.u32()?),
            ZONE => zone = Some(attribute.u16()?),
            _ => {}
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: OBJECT,
        attribute,
    };
    Ok(Flow {
        original: original.ok_or(missing(ORIGINAL))?,
        reply: reply.ok_or(missing(REPLY))?,
        status,
        id: id.ok_or(missing(ID))?,
        mark,
        zone,
    })
}

fn decode_tuple(tuple: Raw<'_>) -> Result<Tuple, Malformed> {
    const OBJECT: &str = "direction of a flow";
    let (mut addresses, mut protocol, mut zone) = (None, None, None);
    for attribute in tuple.nested(OBJECT) {
        let attribute = attribute?;
        match attribute.number() {
            TUPLE_ADDRESSES => addresses = Some(decode_addresses(attribute)?),
            TUPLE_PROTOCOL => protocol = Some(decode_protocol(attribute)?),
            TUPLE_ZONE => zone = Some(attribute.u16()?),
            _ => {}
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: OBJECT,
        attribute,
    };
    let (protocol, key) = protocol.ok_or(missing(TUPLE_PROTOCOL))?;
    Ok(Tuple {
        addresses: addresses.ok_or(missing(TUPLE_ADDRESSES))?,
        protocol,
        key,
        zone,
    })
}

fn decode_addresses(addresses: Raw<'_>) -> Result<Addresses, Malformed> {
    const OBJECT: &str = "flow's addresses";
    let (mut source4, mut destination4) = (None, None);
    let (mut source6, mut destination6) = (None, None);
    for attribute in addresses.nested(OBJECT) {
        let attribute = attribute?;
        match attribute.number() {
            V4_SOURCE => source4 = Some(attribute.sized::<4>()?.into()),
            V4_DESTINATION => destination4 = Some(attribute.sized::<4>()?.into()),
            V6_SOURCE => source6 = Some(attribute.sized::<16>()?.into()),
            V6_DESTINATION => destination6 = Some(attribute.sized::<16>()?.into()),
            _ => {}
        }
    }
    match (source4, destination4, source6, destination6) {
        (Some(source), Some(destination), ..) => Ok(Addresses::V4 {
            source,
            destination,
        }),
        (.., Some(source), Some(destination)) => Ok(Addresses::V6 {
            source,
            destination,
        }),
        _ => Err(Malformed::Missing {
            object: OBJECT,
            attribute: V4_SOURCE,
        }),
    }
}

fn decode_protocol(protocol: Raw<'_>) -> Result<(u8, ProtocolKey), Malformed> {
    const OBJECT: &str = "flow's protocol";
    let mut number = None;
    let (mut source, mut destination) = (None, None);
    let (mut id, mut kind, mut code) = (None, None, None);
    for attribute in protocol.nested(OBJECT) {
        let attribute = attribute?;
        match attribute.number() {
            NUMBER => number = Some(attribute.u8()?),
            SOURCE_PORT => source = Some(attribute.u16()?),
            DESTINATION_PORT => destination = Some(attribute.u16()?),
            at if at == ICMP[0] || at == ICMPV6[0] => id = Some(attribute.u16()?),
            at if at == ICMP[1] || at == ICMPV6[1] => kind = Some(attribute.u8()?),
            at if at == ICMP[2] || at == ICMPV6[2] => code = Some(attribute.u8()?),
            _ => {}
        }
    }
    let key = match (source, destination, id, kind, code) {
        (Some(source), Some(destination), ..) => ProtocolKey::Ports {
            source,
            destination,
        },
        (_, _, Some(id), Some(kind), Some(code)) => ProtocolKey::Request { id, kind, code },
        _ => ProtocolKey::Nothing,
    };
    let number = number.ok_or(Malformed::Missing {
        object: OBJECT,
        attribute: NUMBER,
    })?;
    Ok((number, key))
}

/// Reads the number of flows in the network namespace from the body of a [`STATISTICS`].
///
/// # Errors
///
/// If its bytes are malformed, or the number is missing.
pub(super) fn decode_count(body: &[u8]) -> Result<u32, Malformed> {
    const OBJECT: &str = "count of flows";
    for attribute in Attributes::of(OBJECT, body) {
        let attribute = attribute?;
        if attribute.number() == ENTRIES {
            return attribute.u32();
        }
    }
    Err(Malformed::Missing {
        object: OBJECT,
        attribute: ENTRIES,
    })
}

/// Writes a flow as the kernel does, with unknown attributes in between.
#[cfg(test)]
pub(super) fn encode(flow: &Flow, buffer: &mut Vec<u8>) {
    const TIMEOUT: u16 = 7;
    const PROTOCOL_STATE: u16 = 4;
    attribute::u32(buffer, STATUS, flow.status);
    attribute::u32(buffer, TIMEOUT, 29);
    attribute::nest(buffer, REPLY, |buffer| encode_tuple(&flow.reply, buffer));
    attribute::u32(buffer, MARK, flow.mark);
    attribute::nest(buffer, PROTOCOL_STATE, |buffer| {
        attribute::u32(buffer, 1, 3);
    });
    encode_key(flow, buffer);
}

#[cfg(test)]
mod tests;
