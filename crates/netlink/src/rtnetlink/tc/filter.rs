//! Filters of what an interface sends: `linux/pkt_cls.h`.

use super::action;
use super::head::{Head, KIND, OPTIONS};
use crate::attribute::{self, Attributes};
use crate::{Header, Malformed, Message, flags, message};

/// `RTM_NEWTFILTER`, `RTM_DELTFILTER` and `RTM_GETTFILTER`.
const NEW: u16 = 44;
const DELETE: u16 = 45;
const GET: u16 = 46;
/// `ETH_P_IP`.
const IPV4: u16 = 0x0800;
/// `IPPROTO_UDP`.
const UDP: u8 = 17;
/// The classifier that looks at fields of headers.
const FLOWER: &str = "flower";

/// Attributes of `flower` (`TCA_FLOWER_*`): actions, and what packets must be.
const ACTIONS: u16 = 3;
const ETHER_TYPE: u16 = 8;
const PROTOCOL: u16 = 9;
const PORT: u16 = 21;
const FLAGS: u16 = 22;
/// `TCA_FLOWER_KEY_UDP_DST_MASK`, which the kernel adds.
const PORT_MASK: u16 = 38;

/// Where on an interface a filter sees packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// What it receives.
    Ingress,
    /// What it sends.
    Egress,
}

impl Point {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ingress, Self::Egress];

    /// `TC_H_MIN_INGRESS` or `TC_H_MIN_EGRESS` of `clsact`.
    fn parent(self) -> u32 {
        match self {
            Self::Ingress => 0xffff_fff2,
            Self::Egress => 0xffff_fff3,
        }
    }
}

/// The filter that recomputes the checksums of IPv4 packets to a UDP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChecksumFilter {
    /// The port.
    pub port: u16,
}

/// A filter as it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The classifier.
    kind: String,
    handle: u32,
    /// Preference and protocol.
    info: u32,
    /// Whether palisade added it.
    pub is_marked: bool,
    /// What it does, if it is such a filter.
    pub checksum: Option<ChecksumFilter>,
}

impl ChecksumFilter {
    /// Appends the request to add it to what an interface sends, at the preference that the kernel
    /// chooses: then it is in nobody's way.
    pub(super) fn add(self, buffer: &mut Vec<u8>, link: u32) {
        let how = flags::REQUEST | flags::ACK | flags::EXCLUSIVE | flags::CREATE;
        let head = Head {
            link,
            handle: 0,
            parent: Point::Egress.parent(),
            info: u32::from(IPV4.to_be()),
        };
        message::put(
            buffer,
            Header::request(NEW, how, 0),
            &head.bytes(),
            |body| {
                attribute::text(body, KIND, FLOWER);
                attribute::nest(body, OPTIONS, |options| {
                    attribute::u8(options, PROTOCOL, UDP);
                    attribute::u16(options, PORT, self.port);
                    attribute::nest(options, ACTIONS, action::put);
                    attribute::u32(options, FLAGS, 0);
                    attribute::u16(options, ETHER_TYPE, IPV4);
                });
            },
        );
    }
}

impl Filter {
    /// Appends the request to delete it.
    pub(super) fn delete(&self, buffer: &mut Vec<u8>, link: u32, point: Point) {
        let header = Header::request(DELETE, flags::REQUEST | flags::ACK, 0);
        let head = Head {
            link,
            handle: self.handle,
            parent: point.parent(),
            info: self.info,
        };
        message::put(buffer, header, &head.bytes(), |body| {
            attribute::text(body, KIND, &self.kind);
        });
    }
}

/// Appends the request for all filters of an interface at a point.
pub(super) fn dump(buffer: &mut Vec<u8>, link: u32, point: Point) {
    let header = Header::request(GET, flags::REQUEST | flags::DUMP, 0);
    let head = Head {
        link,
        handle: 0,
        parent: point.parent(),
        info: 0,
    };
    message::put(buffer, header, &head.bytes(), |_| {});
}

/// Reads a filter; none if the message is about none.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(message: &Message<'_>) -> Result<Option<Filter>, Malformed> {
    let (NEW, Some((head, rest))) = (message.header.kind, Head::split(message.payload)) else {
        return Ok(None);
    };
    let mut filter = Filter {
        kind: String::new(),
        handle: head.handle,
        info: head.info,
        is_marked: false,
        checksum: None,
    };
    let mut options = None;
    for attribute in Attributes::of("filter", rest) {
        let attribute = attribute?;
        match attribute.number() {
            KIND => filter.kind = attribute.text(),
            OPTIONS => options = Some(attribute.bytes),
            _ => {}
        }
    }
    if filter.kind == FLOWER {
        read_flower(&mut filter, options.unwrap_or_default())?;
    }
    Ok(Some(filter))
}

fn read_flower(filter: &mut Filter, options: &[u8]) -> Result<(), Malformed> {
    let is_ipv4 = filter.info & 0xffff == u32::from(IPV4.to_be());
    let (mut is_udp, mut port, mut is_whole_port, mut recomputes) = (false, None, true, false);
    for option in Attributes::of("filter", options) {
        let option = option?;
        match option.number() {
            PROTOCOL => is_udp = option.bytes == [UDP],
            PORT => port = option.bytes.try_into().ok().map(u16::from_be_bytes),
            PORT_MASK => is_whole_port = option.bytes == [0xff; 2],
            ACTIONS => {
                for action in Attributes::of("filter", option.bytes) {
                    let action = action::decode(action?.bytes)?;
                    filter.is_marked |= action.is_marked;
                    recomputes |= action.recomputes;
                }
            }
            _ => {}
        }
    }
    if is_ipv4 && is_udp && is_whole_port && recomputes {
        filter.checksum = port.map(|port| ChecksumFilter { port });
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::messages;

    /// A message: its head, and its attributes by the numbers that lead to them.
    #[derive(Debug, PartialEq)]
    pub(in super::super) struct Golden {
        pub(in super::super) kind: u16,
        pub(in super::super) flags: u16,
        pub(in super::super) head: [u32; 5],
        pub(in super::super) attributes: Vec<(Vec<u16>, Vec<u8>)>,
    }

    /// What a message says; attributes in `nests` hold others.
    pub(in super::super) fn attributes(message: &Message<'_>, nests: &[&[u16]]) -> Golden {
        let (head, rest) = message.payload.split_at(Head::LEN);
        let words = head.as_chunks::<4>().0.iter();
        let words: Vec<u32> = words.map(|word| u32::from_ne_bytes(*word)).collect();
        let mut found = Vec::new();
        flatten(rest, &[], nests, &mut found);
        Golden {
            kind: message.header.kind,
            flags: message.header.flags,
            head: words.try_into().unwrap(),
            attributes: found,
        }
    }

    fn flatten(bytes: &[u8], way: &[u16], nests: &[&[u16]], found: &mut Vec<(Vec<u16>, Vec<u8>)>) {
        for attribute in Attributes::of("golden", bytes) {
            let attribute = attribute.unwrap();
            let way = [way, &[attribute.number()]].concat();
            if nests.contains(&way.as_slice()) {
                flatten(attribute.bytes, &way, nests, found);
            } else {
                found.push((way, attribute.bytes.to_vec()));
            }
        }
    }

    const NESTS: [&[u16]; 4] = [&[2], &[2, 3], &[2, 3, 1], &[2, 3, 1, 2]];

    /// The attributes that tc of iproute2 6.1 sends, in its order, without header and head:
    ///
    /// ```text
    /// strace -xx -s 4096 -e trace=sendmsg tc filter add dev br0 egress protocol ip flower \
    ///     ip_proto udp dst_port 68 action csum ip4h and udp continue cookie 70616c6973616465
    /// ```
    const OF_TC: &[u8] = b"\x0b\x00\x01\x00\x66\x6c\x6f\x77\x65\x72\x00\x00\x64\x00\x02\x00\
        \x05\x00\x09\x00\x11\x00\x00\x00\x06\x00\x15\x00\x00\x44\x00\x00\x40\x00\x03\x00\x3c\x00\
        \x01\x00\x09\x00\x01\x00\x63\x73\x75\x6d\x00\x00\x00\x00\x20\x00\x02\x80\x1c\x00\x01\x00\
        \x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x11\x00\
        \x00\x00\x0c\x00\x06\x00\x70\x61\x6c\x69\x73\x61\x64\x65\x08\x00\x16\x00\x00\x00\x00\x00\
        \x06\x00\x08\x00\x08\x00\x00\x00";
    /// Type, flags and head of the same message: `nlmsg_type=RTM_NEWTFILTER,
    /// nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK|NLM_F_EXCL|NLM_F_CREATE, tcm_handle=0,
    /// tcm_parent=4294967283, tcm_info=8`.
    const HEAD_OF_TC: (u16, u16, [u32; 5]) = (44, 0x605, [0, 2, 0, 4_294_967_283, 8]);

    #[test]
    #[cfg(target_endian = "little")] // As the golden bytes are.
    fn it_is_added_as_tc_does() {
        let mut bytes = Vec::new();
        ChecksumFilter { port: 68 }.add(&mut bytes, 2);
        let message = messages(&bytes).next().unwrap().unwrap();
        let mut of_tc = Vec::new();
        flatten(OF_TC, &[], &NESTS, &mut of_tc);
        let (kind, flags, head) = HEAD_OF_TC;
        let expected = Golden {
            kind,
            flags,
            head,
            attributes: of_tc,
        };
        assert_eq!(attributes(&message, &NESTS), expected);
    }

    #[test]
    fn it_is_read_back_as_it_was_added() {
        let mut bytes = Vec::new();
        ChecksumFilter { port: 68 }.add(&mut bytes, 2);
        let message = messages(&bytes).next().unwrap().unwrap();
        let filter = decode(&message).unwrap().unwrap();
        assert!(filter.is_marked);
        assert_eq!(filter.checksum, Some(ChecksumFilter { port: 68 }));
        let mut deletion = Vec::new();
        filter.delete(&mut deletion, 2, Point::Egress);
        let deletion = messages(&deletion).next().unwrap().unwrap();
        assert_eq!(attributes(&deletion, &[]).head, HEAD_OF_TC.2);
        for end in 0..message.payload.len() {
            let payload = &message.payload[..end];
            let _ = decode(&Message { payload, ..message }); // Nothing panics.
        }
    }

    /// Each byte that matters changed: it is no such filter any more, or one of another port.
    #[test]
    fn another_filter_is_not_taken_for_it() {
        let mut bytes = Vec::new();
        ChecksumFilter { port: 68 }.add(&mut bytes, 2);
        let message = messages(&bytes).next().unwrap().unwrap();
        let find = |part: &[u8]| {
            let at = message.payload.windows(part.len());
            at.clone().position(|window| window == part).unwrap()
        };
        let ours = decode(&message).unwrap().unwrap();
        for (part, at) in [
            (&b"flower"[..], 0),
            (b"csum", 0),
            (b"\x09\x00\x11", 2),         // The protocol.
            (b"\x44\x00\x00", 0),         // The port.
            (b"\xff\xff\xff\xff", 0),     // How packets go on.
            (b"\x11\x00\x00\x00\x0c", 0), // Which checksums.
            (b"palisade", 0),
        ] {
            let mut payload = message.payload.to_vec();
            payload[find(part) + at] ^= 1;
            let changed = Message {
                payload: &payload,
                ..message
            };
            let changed = decode(&changed).unwrap().unwrap();
            let is_ours = changed.is_marked && changed.checksum == ours.checksum;
            assert!(!is_ours, "{part:?}");
        }
    }
}
