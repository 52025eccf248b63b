//! What became of packets, by their numbers: two tables of nf_tables around those of iptables note
//! each packet as it comes, with what conntrack says of it, and each that leaves or arrives.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use palisade_core::evaluate::Flow;
use palisade_core::network::Family;
use palisade_netlink::Socket;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::object;

use crate::packets::HOPS;
use crate::router::Router;

/// Two sets of nf_tables' tables that watch the packets of a family.
pub(crate) struct Observer {
    socket: Socket,
    replies: Vec<u8>,
}

/// What was noted of the packets of a family.
#[derive(Default)]
pub(crate) struct Noted {
    /// What conntrack said when it came.
    pub(crate) flows: HashMap<u16, Flow>,
    /// Of an earlier packet of its flow conntrack had settled everything.
    pub(crate) settled: HashSet<u16>,
    /// With which source and port it left.
    pub(crate) left: HashMap<u16, (IpAddr, u16)>,
    /// The host took it.
    pub(crate) arrived: HashSet<u16>,
}

/// Tables of one family, from how its headers are called.
fn table(family: &str, number: &str, hops: &str) -> String {
    let begin = format!("table {family} observer {{");
    let set = |name: &str, key: &str| {
        format!("set {name} {{ typeof {key}; flags dynamic; size 65535; }}\n")
    };
    let sets = [
        set("flows", &format!("{number} . ct state")),
        set("settled", number),
        set("left", &format!("{number} . {family} saddr . th sport")),
        set("arrived", number),
    ]
    .concat();
    format!(
        "{begin}\n{sets}\
         chain strangers {{ type filter hook prerouting priority -1000;\n{hops} != {HOPS} drop\n}}\n\
         chain own {{ type filter hook output priority -1000;\ndrop\n}}\n\
         chain known {{ type filter hook prerouting priority -199;\n\
         add @flows {{ {number} . ct state }}\nct status confirmed add @settled {{ {number} }}\n}}\n\
         chain leaving {{ type filter hook postrouting priority 300;\n\
         add @left {{ {number} . {family} saddr . th sport }}\n}}\n\
         chain arriving {{ type filter hook input priority 300;\nadd @arrived {{ {number} }}\n}}\n}}\n"
    )
}

impl Observer {
    /// It drops what others than our packets there are, so that no rule counts them.
    pub(crate) fn of(router: &Router) -> Self {
        let tables = [
            table("ip", "ip id", "ip ttl"),
            table("ip6", "ip6 flowlabel", "ip6 hoplimit"),
        ];
        router.host.nft(&tables.concat());
        Self {
            socket: Socket::open_in(Some(&router.host.path())).expect("open a socket"),
            replies: Vec::new(),
        }
    }

    /// What was noted since the last time.
    pub(crate) fn noted(&mut self, router: &Router, family: Family) -> Noted {
        let mut reader = Reader::new(&mut self.socket, &mut self.replies);
        let program = reader
            .program(object::Family::from(family), "observer", Depth::Elements)
            .expect("read a table")
            .expect("it is there");
        let mut noted = Noted::default();
        for set in &program.sets {
            for element in &set.elements {
                let key = Key::of(family, &element.key);
                match set.set.name.as_str() {
                    "flows" => {
                        let state = key.rest.first_chunk().map(|b| u32::from_ne_bytes(*b));
                        noted.flows.insert(key.number, flow(state));
                    }
                    "settled" => drop(noted.settled.insert(key.number)),
                    "left" => drop(noted.left.insert(key.number, key.source(family))),
                    _ => drop(noted.arrived.insert(key.number)),
                }
            }
        }
        let word = program.table.family;
        let sets = ["flows", "settled", "left", "arrived"];
        let flush = sets.map(|set| format!("flush set {word} observer {set}\n"));
        router.host.nft(&flush.concat());
        noted
    }
}

/// An element's key, each part of it in a register of its own.
struct Key<'a> {
    number: u16,
    rest: &'a [u8],
}

impl<'a> Key<'a> {
    fn of(family: Family, bytes: &'a [u8]) -> Self {
        // A flow label is loaded as three bytes, its upper bits zero here.
        let at = match family {
            Family::Ipv4 => 0,
            Family::Ipv6 => 1,
        };
        let number = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
        Self {
            number: number.map(u16::from_be_bytes).expect("a number"),
            rest: bytes.get(4..).unwrap_or_default(),
        }
    }

    fn source(&self, family: Family) -> (IpAddr, u16) {
        let (address, port) = match family {
            Family::Ipv4 => self.rest.split_at(4),
            Family::Ipv6 => self.rest.split_at(16),
        };
        let address = match <[u8; 4]>::try_from(address) {
            Ok(octets) => IpAddr::from(octets),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(address).expect("an address")),
        };
        let port = port.first_chunk().map(|two| u16::from_be_bytes(*two));
        (address, port.expect("a port"))
    }
}

fn flow(state: Option<u32>) -> Flow {
    match state {
        Some(2) => Flow::Established,
        Some(4) => Flow::Related,
        Some(8) => Flow::New,
        _ => Flow::Invalid,
    }
}
