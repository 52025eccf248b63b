//! What the evaluators say becomes of a question, from what stands in the kernel: of its first
//! packet, and of the answer.

use std::net::IpAddr;

use palisade_core::evaluate::{
    Difference, Fate as PacketFate, Flow, Meaning, Nat, Packet, Verdict,
};
use palisade_core::network::Family;
use palisade_iptables::backend::Iptables;
use palisade_iptables::run::{Processes, Variant};
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::host::Host;
use palisade_nft::object;
use palisade_nft::program::Program;
use palisade_nft::socket::Socket;

use crate::ground::{Ground, Rules, WORLDS};
use crate::questions::{Fate, Protocol, Question};

/// What stands, as its evaluator takes it.
pub(crate) enum Expected {
    /// With the numbers of the interfaces, which libvirt's rules ask for.
    Nft(Vec<Program>, Vec<(String, u32)>),
    Iptables([palisade_iptables::evaluate::Tables; 2]),
}

/// What the evaluator says.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) fate: Fate,
    first: (Packet, PacketFate),
    answer: (Packet, PacketFate),
}

impl Told {
    /// Whether the first packet or the answer is one of those for which `mapped` differs.
    pub(crate) fn differs_so_from(&self, flat: &Self, meaning: &Meaning) -> bool {
        let pairs = [(&self.first, &flat.first), (&self.answer, &flat.answer)];
        pairs.into_iter().any(|((packet, mapped), (_, flat))| {
            Difference::between(meaning, packet, flat, mapped).is_some()
        })
    }
}

impl Expected {
    pub(crate) fn read(ground: &Ground, rules: Rules) -> Self {
        let path = ground.host.path();
        let variant = match rules {
            Rules::Legacy => Variant::Legacy,
            Rules::Nft => Variant::Nft,
            Rules::Flat | Rules::Mapped | Rules::Libvirt => {
                let mut socket = Socket::open_in(path).expect("open a socket");
                let mut replies = Vec::new();
                let mut reader = Reader::new(&mut socket, &mut replies);
                let tables = reader
                    .tables(object::Family::Other(0))
                    .expect("read the tables");
                let programs = tables.iter().map(|table| {
                    let program = reader.program(table.family, &table.name, Depth::Elements);
                    program.expect("read a table").expect("it is still there")
                });
                let programs = programs.collect();
                let host = Host::read(Some(&ground.host.path())).expect("read the interfaces");
                let links = host.links.into_iter();
                return Self::Nft(
                    programs,
                    links.map(|link| (link.name, link.index)).collect(),
                );
            }
        };
        let mut programs = Iptables::new(Box::new(Processes::inside(path)));
        Self::Iptables(Family::BOTH.map(|family| {
            let saved = programs.saved(variant, family).expect("read the tables");
            palisade_iptables::evaluate::Tables::of(family, &saved.tables)
        }))
    }

    fn fate(&self, packet: &Packet) -> PacketFate {
        match self {
            Self::Nft(programs, interfaces) => {
                let tables = palisade_nft::evaluate::Tables::of(programs)
                    .with_interfaces(interfaces.iter().cloned());
                palisade_nft::evaluate::fate(&tables, packet)
            }
            Self::Iptables([v4, v6]) => match packet.family() {
                Family::Ipv4 => v4.fate(packet),
                Family::Ipv6 => v6.fate(packet),
            },
        }
    }

    pub(crate) fn of(&self, ground: &Ground, question: &Question) -> Told {
        let Question {
            source,
            destination,
            ..
        } = *question;
        let way_in = match question.from {
            crate::questions::Who::World(number) => Some(WORLDS[number].0.to_owned()),
            crate::questions::Who::Guest(network, _) => Some(format!("virbr{network}")),
            crate::questions::Who::Host => None,
        };
        let way_out = ground.way(destination);
        let packet = |(source, destination),
                      (way_in, way_out): (&Option<String>, &Option<String>)| {
            let protocol = question.protocol as u8;
            let mut packet = Packet::new(source, destination, protocol).expect("one family");
            let name =
                |way: &Option<String>| way.as_ref().map(|name| name.parse().expect("a name"));
            packet.in_interface = name(way_in);
            packet.out_interface = name(way_out);
            // Whichever port it is: no rule of these asks for these.
            packet.source_port = Some(50_000);
            packet.destination_port = Some(7000);
            packet
        };
        let first = packet((source, destination), (&way_in, &way_out));
        let mut answer = packet((destination, source), (&way_out, &way_in));
        answer.flow = Flow::Established;
        let (first_fate, answer_fate) = (self.fate(&first), self.fate(&answer));
        let seen_as = match first_fate.nat {
            Nat::None | Nat::Decided => source,
            Nat::Masquerade { .. } => {
                let here = WORLDS
                    .iter()
                    .find(|(device, ..)| Some(*device) == way_out.as_deref());
                let here = here.map(|(_, here, _)| here[usize::from(source.is_ipv6())].to_owned());
                let network = way_out.as_deref().and_then(|out| out.strip_prefix("virbr"));
                let gateway = || {
                    let number = 20 + network.and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
                    match source {
                        IpAddr::V4(_) => format!("192.168.{number}.1"),
                        IpAddr::V6(_) => format!("2001:db8:ca2:{number}::1"),
                    }
                };
                here.unwrap_or_else(gateway).parse().expect("an address")
            }
            Nat::Snat { addresses, .. } => addresses.start().into(),
        };
        let is_answered = answer_fate.verdict == Verdict::Accept && !question.is_made_up;
        let fate = match first_fate.verdict {
            Verdict::Accept if is_answered => Fate::Answered(seen_as),
            // A connection needs its answer before anybody hears of it.
            Verdict::Accept if question.protocol == Protocol::Tcp => Fate::Lost,
            Verdict::Accept => Fate::Arrived(seen_as),
            // The refusal goes to where nobody is.
            Verdict::Reject if !question.is_made_up => Fate::Refused,
            Verdict::Reject | Verdict::Drop => Fate::Lost,
        };
        Told {
            fate,
            first: (first, first_fate),
            answer: (answer, answer_fate),
        }
    }
}
