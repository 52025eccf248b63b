//! What the kernel tells of traced packets (`enum nft_trace_attributes`), and the expression that
//! has a packet traced.

use palisade_netlink::{FiveTuple, Malformed};

use super::attribute::{self, Attributes, Raw};
use super::data;
use crate::object::{Expression, Family, Policy, Register, Verdict};

/// `NFNLGRP_NFTRACE`: the group that hears of traced packets.
pub(crate) const GROUP: u32 = 9;

/// `NFTA_TRACE_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_TRACE_CHAIN`.
const CHAIN: u16 = 2;
/// `NFTA_TRACE_RULE_HANDLE`.
const RULE_HANDLE: u16 = 3;
/// `NFTA_TRACE_TYPE`.
const TYPE: u16 = 4;
/// `NFTA_TRACE_VERDICT`.
const VERDICT: u16 = 5;
/// `NFTA_TRACE_ID`.
const ID: u16 = 6;
/// `NFTA_TRACE_LL_HEADER`.
const LINK_HEADER: u16 = 7;
/// `NFTA_TRACE_NETWORK_HEADER`.
const NETWORK_HEADER: u16 = 8;
/// `NFTA_TRACE_TRANSPORT_HEADER`.
const TRANSPORT_HEADER: u16 = 9;
/// `NFTA_TRACE_IIF`.
const IN_INTERFACE: u16 = 10;
/// `NFTA_TRACE_OIF`.
const OUT_INTERFACE: u16 = 12;
/// `NFTA_TRACE_MARK`.
const MARK: u16 = 14;
/// `NFTA_TRACE_POLICY`.
const POLICY: u16 = 16;
/// `NFTA_TRACE_CT_STATUS`, since Linux 6.16.
const FLOW_STATUS: u16 = 20;
/// `NFTA_TRACE_CT_STATE`, since Linux 6.16.
const FLOW_STATE: u16 = 21;

/// `NFT_TRACETYPE_POLICY`.
const OF_POLICY: u32 = 1;
/// `NFT_TRACETYPE_RETURN`.
const OF_RETURN: u32 = 2;
/// `NFT_TRACETYPE_RULE`.
const OF_RULE: u32 = 3;

/// `NFTA_META_KEY` and `NFTA_META_SREG` of an expression that sets something.
const META: [u16; 2] = [2, 3];
/// `NFT_META_NFTRACE`.
const META_TRACE: u32 = 12;

/// One thing that a traced packet met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The family of the table.
    pub family: Family,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// The packet's number: two that are on their way at one time have two.
    pub id: u32,
    /// What it met there.
    pub met: Met,
    /// What followed from it; none if the chain just ended.
    pub verdict: Option<Verdict>,
    /// The packet, as the first event of each base chain shows it.
    pub headers: Option<Headers>,
    /// The number of the interface that it came in through, shown with the packet.
    pub in_interface: Option<u32>,
    /// The number of the interface that it leaves through, shown with the packet.
    pub out_interface: Option<u32>,
    /// Its mark, if it has one.
    pub mark: Option<u32>,
    /// What conntrack knows of its flow, as bits of `ct state`, where the kernel says it.
    pub flow: Option<u32>,
    /// What conntrack has done with the flow so far (`IPS_*`), where the kernel says it.
    pub flow_status: Option<u32>,
}

/// What a packet met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// A rule that applied to it, by its handle.
    Rule(u64),
    /// The end of a base chain, and its policy.
    Policy(Policy),
    /// The end of a chain: on to its policy, or back to the chain that jumped there.
    End,
    /// Something that this build does not know.
    Other(u32),
}

/// The beginnings of a packet's headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    /// That of the link, such as ethernet; empty for packets of the host itself.
    pub link: Vec<u8>,
    /// That of IPv4 or IPv6.
    pub network: Vec<u8>,
    /// That of TCP, UDP, ICMP and the like.
    pub transport: Vec<u8>,
}

impl Headers {
    /// Whose packet it is, if it is one of IPv4 or IPv6.
    #[must_use]
    pub fn ends(&self) -> Option<FiveTuple> {
        FiveTuple::decode(&self.network, &self.transport)
    }
}

/// `meta nftrace set 1`.
#[must_use]
pub(crate) fn traced() -> [Expression; 2] {
    let mut data = Vec::new();
    attribute::u32(&mut data, META[0], META_TRACE);
    attribute::register(&mut data, META[1], Register::FIRST);
    [
        Expression::Load(crate::object::Load {
            destination: Register::FIRST,
            value: vec![1],
        }),
        Expression::Unknown {
            name: "meta".to_owned(),
            data,
        },
    ]
}

/// Reads the body of a [`Kind::TRACE`](super::Kind::TRACE).
///
/// # Errors
///
/// If its bytes are broken, or it does not say which packet met what and where.
pub(crate) fn decode(family: Family, body: &[u8]) -> Result<Event, Malformed> {
    const OBJECT: &str = "trace";
    let missing = |attribute| Malformed::Missing {
        object: OBJECT,
        attribute,
    };
    let (mut table, mut chain, mut id) = (None, None, None);
    let (mut kind, mut handle, mut policy, mut verdict) = (None, None, None, None);
    let mut headers = Headers::default();
    let (mut in_interface, mut out_interface) = (None, None);
    let (mut mark, mut flow, mut flow_status) = (None, None, None);
    for attribute in Attributes::of(OBJECT, body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            CHAIN => chain = Some(attribute.text()),
            ID => id = Some(attribute.u32()?),
            TYPE => kind = Some(attribute.u32()?),
            RULE_HANDLE => handle = Some(attribute.u64()?),
            POLICY => policy = Some(attribute.u32()?),
            VERDICT => verdict = data::decode_verdict(attribute.bytes),
            LINK_HEADER => headers.link = bytes(attribute),
            NETWORK_HEADER => headers.network = bytes(attribute),
            TRANSPORT_HEADER => headers.transport = bytes(attribute),
            IN_INTERFACE => in_interface = Some(attribute.u32()?),
            OUT_INTERFACE => out_interface = Some(attribute.u32()?),
            MARK => mark = Some(attribute.u32()?),
            FLOW_STATUS => flow_status = Some(attribute.u32()?),
            FLOW_STATE => flow = Some(attribute.u32()?),
            _ => {}
        }
    }
    let met = match kind.ok_or(missing(TYPE))? {
        // Where a chain ends there is no rule, and the kernel says so by leaving its handle out.
        OF_RULE => handle.map_or(Met::End, Met::Rule),
        OF_POLICY => Met::Policy(Policy(policy.ok_or(missing(POLICY))?)),
        OF_RETURN => Met::End,
        other => Met::Other(other),
    };
    Ok(Event {
        family,
        table: table.ok_or(missing(TABLE))?,
        chain: chain.ok_or(missing(CHAIN))?,
        id: id.ok_or(missing(ID))?,
        met,
        verdict,
        headers: (headers != Headers::default()).then_some(headers),
        in_interface,
        out_interface,
        mark,
        flow,
        flow_status,
    })
}

fn bytes(attribute: Raw<'_>) -> Vec<u8> {
    attribute.bytes.to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::attribute;
    use super::*;

    /// As Linux 6.18 told of an ICMPv6 packet of a bridge's neighbour, in `from_outside`.
    fn rule() -> Vec<u8> {
        let mut body = Vec::new();
        attribute::u32(&mut body, 15, 10);
        attribute::u32(&mut body, TYPE, 3);
        attribute::u32(&mut body, ID, 0xaf4b_9d53);
        attribute::text(&mut body, CHAIN, "from_outside");
        attribute::text(&mut body, TABLE, "palisade_trace_9742");
        attribute::u64(&mut body, RULE_HANDLE, 5);
        attribute::nest(&mut body, VERDICT, |body| {
            attribute::u32(body, 1, u32::MAX);
        });
        attribute::u32(&mut body, IN_INTERFACE, 2);
        palisade_netlink::attribute::u16(&mut body, 11, 1);
        let mut network = vec![0x60, 0, 0, 0, 0, 0x24, 0, 1];
        network.extend([0; 16]);
        network.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16]);
        attribute::bytes(&mut body, NETWORK_HEADER, &network);
        attribute::bytes(&mut body, TRANSPORT_HEADER, &[0x8f, 0, 0xcd, 0xff]);
        attribute::bytes(&mut body, LINK_HEADER, &[0x33; 14]);
        body
    }

    #[test]
    fn a_rule_and_the_packet() {
        let event = decode(Family::Inet, &rule()).unwrap();
        assert_eq!(event.met, Met::Rule(5));
        assert_eq!(event.verdict, Some(Verdict::Continue));
        assert_eq!((event.id, event.in_interface), (0xaf4b_9d53, Some(2)));
        assert_eq!((event.out_interface, event.flow), (None, None));
        let place = (event.table.as_str(), event.chain.as_str());
        assert_eq!(place, ("palisade_trace_9742", "from_outside"));
        let ends = event.headers.unwrap().ends().unwrap();
        assert_eq!(ends.destination.to_string(), "ff02::16");
        assert_eq!((ends.protocol, ends.ports), (0, None));
    }

    /// The kernel leaves the handle out where a chain ends.
    #[test]
    fn ends_and_policies() {
        let body = |kind, policy: Option<u32>| {
            let mut body = Vec::new();
            attribute::u32(&mut body, TYPE, kind);
            attribute::u32(&mut body, ID, 1);
            attribute::text(&mut body, CHAIN, "c");
            attribute::text(&mut body, TABLE, "t");
            if let Some(policy) = policy {
                attribute::u32(&mut body, POLICY, policy);
            }
            decode(Family::Ip, &body).map(|event| event.met)
        };
        assert_eq!(body(3, None), Ok(Met::End));
        assert_eq!(body(2, None), Ok(Met::End));
        assert_eq!(body(1, Some(0)), Ok(Met::Policy(Policy::DROP)));
        assert_eq!(body(9, None), Ok(Met::Other(9)));
        assert!(body(1, None).is_err());
    }

    #[test]
    fn broken_bytes_are_an_error() {
        let whole = rule();
        for end in 0..whole.len() {
            // A cut between two attributes lacks some; one in the middle is broken.
            let _ = decode(Family::Ip, &whole[..end]);
        }
        assert!(decode(Family::Ip, &whole[..10]).is_err());
    }
}
