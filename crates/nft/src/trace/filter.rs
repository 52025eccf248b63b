//! Which packets to trace, and the table that has them traced.

use ipnet::IpNet;
use palisade_core::network::InterfaceName;

use super::Event;
use crate::object::{
    BaseChain, Chain, Comparison, Expression, Family, Hook, MetaKey, PayloadBase, Policy, Rule,
    Table, Userdata,
};
use crate::program::{FilledChain, Program};
use crate::statement::{
    Direction, End, Field, Match, Origin, Statement, Test, address, expressions, interface,
};
use crate::wire;

/// How the names of such tables begin; the number of the process follows.
pub(super) const PREFIX: &str = "palisade_trace_";
/// `NFT_TABLE_F_OWNER`: it belongs to a socket, and goes with it.
pub(super) const OWNED: u32 = 2;

/// Where packets of others begin to be traced, before conntrack and everything else.
const FROM_OUTSIDE: &str = "from_outside";
/// Where packets of the host itself begin to be traced.
const FROM_HOST: &str = "from_host";
/// What packets to the host itself meet last.
const TO_HOST: &str = "to_host";
/// What packets that leave meet last.
const TO_OUTSIDE: &str = "to_outside";

/// Which packets to trace: those for which all of this holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// They came in through this interface. None: or from the host itself.
    pub in_interface: Option<InterfaceName>,
    /// They leave through this interface. Of those that come from outside it is known only once
    /// they are routed: they are traced all the same, and passed over if they leave elsewhere or
    /// never do.
    pub out_interface: Option<InterfaceName>,
    /// They come from here.
    pub source: Option<IpNet>,
    /// They go here.
    pub destination: Option<IpNet>,
    /// The protocol's number.
    pub protocol: Option<u8>,
    /// The port that they come from.
    pub source_port: Option<u16>,
    /// The port that they go to.
    pub destination_port: Option<u16>,
}

impl Filter {
    /// The protocol, where it asks for ports that this has not: no packet is so.
    #[must_use]
    pub fn without_ports(&self) -> Option<u8> {
        let asks = self.source_port.is_some() || self.destination_port.is_some();
        let has_ports =
            |protocol: &u8| palisade_core::evaluate::PROTOCOLS_WITH_PORTS.contains(protocol);
        self.protocol
            .filter(|protocol| asks && !has_ports(protocol))
    }
}

/// Before everything, even before the hook by which the kernel keeps packets that a bridge has sent
/// through already (`br_netfilter`) from being sent through again: they get another number then, which
/// would not be known.
const FIRST: i32 = i32::MIN;
/// Behind everything.
const LAST: i32 = i32::MAX;

/// What an event of our own table says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// It begins here.
    Begins,
    /// It ends here: the host itself takes it.
    Arrives,
    /// It ends here: it leaves the host.
    Leaves,
}

impl Bound {
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event.chain.as_str() {
            FROM_OUTSIDE | FROM_HOST => {
                matches!(event.met, wire::trace::Met::Rule(_)).then_some(Self::Begins)
            }
            TO_HOST => Some(Self::Arrives),
            TO_OUTSIDE => Some(Self::Leaves),
            _ => None,
        }
    }
}

impl Filter {
    /// The table that has these packets traced.
    pub(super) fn program(&self, table: &str, flags: u32) -> Program {
        let chain = |name: &str, hook, priority, rules| FilledChain {
            chain: Chain {
                family: Family::Inet,
                table: table.to_owned(),
                name: name.to_owned(),
                base: Some(BaseChain {
                    kind: "filter".to_owned(),
                    hook,
                    priority,
                    policy: Policy::ACCEPT,
                    hook_extra: Vec::new(),
                }),
                flags: 0,
                userdata: Userdata::default(),
                handle: None,
                extra: Vec::new(),
            },
            rules,
        };
        let rule = |chain: &str, mut matches: Vec<Statement>| {
            matches.extend(self.of_packet());
            let mut expressions = expressions(&matches);
            expressions.extend(wire::trace::traced());
            vec![marking(table, chain, expressions)]
        };
        let of_device = |direction, name: &Option<InterfaceName>| {
            name.iter()
                .map(|name| interface(direction, name))
                .collect::<Vec<_>>()
        };
        let incoming = of_device(Direction::In, &self.in_interface);
        let outgoing = of_device(Direction::Out, &self.out_interface);
        let mut chains = vec![
            chain(
                FROM_OUTSIDE,
                Hook::PREROUTING,
                FIRST,
                rule(FROM_OUTSIDE, incoming),
            ),
            chain(TO_HOST, Hook::INPUT, LAST, Vec::new()),
            chain(TO_OUTSIDE, Hook::POSTROUTING, LAST, Vec::new()),
        ];
        if self.in_interface.is_none() {
            let rules = rule(FROM_HOST, outgoing);
            chains.push(chain(FROM_HOST, Hook::OUTPUT, FIRST, rules));
        }
        Program {
            table: Table {
                family: Family::Inet,
                name: table.to_owned(),
                flags,
                userdata: Userdata::comment("made by palisade trace, which takes it away"),
                handle: None,
                extra: Vec::new(),
            },
            sets: Vec::new(),
            chains,
        }
    }

    /// What the packet itself must say.
    fn of_packet(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let nets = [
            (End::Source, self.source),
            (End::Destination, self.destination),
        ];
        let known = nets.into_iter().filter_map(|(end, net)| Some((end, net?)));
        for (end, net) in known {
            // The bytes are addresses of that family only in its packets.
            let family = match net {
                IpNet::V4(_) => Family::Ip,
                IpNet::V6(_) => Family::Ip6,
            };
            statements.push(equal(Origin::Meta(MetaKey::NFPROTO), &[family.number()]));
            if net.prefix_len() > 0 {
                statements.push(address(end, Comparison::Equal, net));
            }
        }
        if let Some(protocol) = self.protocol {
            statements.push(equal(Origin::Meta(MetaKey::L4PROTO), &[protocol]));
        }
        for (offset, port) in [(0, self.source_port), (2, self.destination_port)] {
            let base = PayloadBase::TRANSPORT;
            let origin = Origin::Payload {
                base,
                offset,
                len: 2,
            };
            statements.extend(port.map(|port| equal(origin, &port.to_be_bytes())));
        }
        statements
    }
}

fn equal(origin: Origin, value: &[u8]) -> Statement {
    Statement::Match(Match {
        fields: vec![Field { origin, mask: None }],
        test: Test::Compare(Comparison::Equal, value.to_vec()),
    })
}

fn marking(table: &str, chain: &str, expressions: Vec<Expression>) -> Rule {
    Rule {
        family: Family::Inet,
        table: table.to_owned(),
        chain: chain.to_owned(),
        expressions,
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    }
}
