//! The classes of packets that rules can tell apart, and one packet of each.
//!
//! A rule asks for values of single fields ([`Condition`]), and what rules make of a packet depends
//! on nothing but which of their conditions hold for it. Packets for which the same conditions hold
//! are one class. Where rulesets agree on a packet of each class, they agree on all packets.
//!
//! Taking every value of a field together with every value of all others would be complete and far
//! too many. Three things keep the classes few, and lose none:
//!
//! - **Fields are chosen one after the other.** A condition that fails on the fields chosen so far
//!   holds for no packet that is reached from there, so that it tells none of them apart any more:
//!   values that only such conditions name are not taken. Behind the pair of a guest's bridge and
//!   an outer device, the subnets of other bridges are all one "elsewhere".
//! - **The way back is taken for itself.** Rules that match whether the host reaches the source where
//!   the packet comes from are met before it is known where the packet goes. What passes them meets the
//!   rules behind them like any other packet, unless these match the same. Packets for them go to the
//!   host itself, where fewest rules behind them can stop a packet that these should have stopped.
//! - **The way out is taken for itself.** A packet's fate is the verdict of the chains that filter it
//!   (forward, input or output, and what comes before), and, where it passes and leaves, what
//!   postrouting does. Each of the two depends on the conditions of its own hooks alone: if rulesets
//!   agree on both for the classes of each, they agree on all pairs of classes. Packets for
//!   postrouting come from the host itself, since nothing stops those.
//!
//! Of the values that a range parts a field into, the first and the last are taken, and so are the
//! neighbours outside: every stretch of values between ends of ranges has one of them as its end.
//! So a subnet that is too wide or too narrow by one bit or one address is seen, too.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{ControlFlow, RangeInclusive};

use super::condition::{Asked, Condition, Conditions, Field};
use super::packet::LOOPBACK;
use super::{Flow, Hook, PROTOCOLS_WITH_PORTS, Packet};
use crate::network::{Family, InterfaceName};

/// Gives `visit` one packet of each class that these conditions tell apart, until it breaks off.
pub fn each_class(
    conditions: &Conditions,
    family: Family,
    visit: &mut dyn FnMut(&Packet) -> ControlFlow<()>,
) {
    let (source, destination) = elsewhere(family);
    let (Ok(mut blank), Some(other)) = (
        Packet::new(source, destination, TCP),
        other_interface(conditions),
    ) else {
        return;
    };
    set_protocol(&mut blank, TCP);
    for (hooks, order) in PASSED {
        let asked: Vec<&Condition> = hooks.iter().flat_map(|&hook| conditions.at(hook)).collect();
        let mut own = conditions
            .at(hooks[0])
            .flat_map(|condition| &condition.tests);
        let mut classes = Classes {
            hook: hooks[0],
            asks_way_back: own.any(|test| test.asked == Asked::ReversePath),
            other: &other,
            visit,
        };
        if classes.choose(&blank, &asked, &order).is_break() {
            return;
        }
    }
}

/// Hooks that are taken together, each group with the order in which fields are chosen there: first
/// those that leave the fewest conditions.
const PASSED: [(&[Hook], [Field; 10]); 5] = {
    use Field::{
        Destination, DestinationPort, Flow, In, Out, Protocol, Redirected, ReversePath, Source,
        SourcePort,
    };
    let filtered = [
        In,
        ReversePath,
        Out,
        Source,
        Destination,
        Protocol,
        SourcePort,
        DestinationPort,
        Flow,
        Redirected,
    ];
    let translated = [
        Flow,
        In,
        ReversePath,
        Out,
        Source,
        Destination,
        Protocol,
        SourcePort,
        DestinationPort,
        Redirected,
    ];
    [
        (&[Hook::Prerouting, Hook::Ingress], filtered),
        (&[Hook::Forward, Hook::Prerouting, Hook::Ingress], filtered),
        (&[Hook::Input, Hook::Prerouting, Hook::Ingress], filtered),
        (&[Hook::Output], filtered),
        (&[Hook::Postrouting, Hook::Egress], translated),
    ]
};

const TCP: u8 = 6;
const UDP: u8 = 17;
/// A protocol without ports that no rule of ours names.
const GRE: u8 = 47;

/// Ports of a packet where no rule names any.
const SOME_PORTS: (u16, u16) = (50_000, 443);

/// Choosing the fields of packets, one after the other.
struct Classes<'a> {
    /// The hook that says which way the packets take.
    hook: Hook,
    /// Whether rules at this hook match the way back to the source.
    asks_way_back: bool,
    /// An interface that no condition names.
    other: &'a InterfaceName,
    visit: &'a mut dyn FnMut(&Packet) -> ControlFlow<()>,
}

impl Classes<'_> {
    /// Chooses the first of `fields` in every way that matters, and then the others.
    fn choose(
        &mut self,
        chosen: &Packet,
        asked: &[&Condition],
        fields: &[Field],
    ) -> ControlFlow<()> {
        let Some((&field, rest)) = fields.split_first() else {
            return (self.visit)(chosen);
        };
        for value in self.values(chosen, asked, field) {
            // What fails on this field holds for no packet from here on.
            let is_open = |condition: &&&Condition| condition.is_open(field, &value);
            let open: Vec<&Condition> = asked.iter().filter(is_open).copied().collect();
            self.choose(&value, &open, rest)?;
        }
        ControlFlow::Continue(())
    }

    /// The packet so far, once with each value of a field that matters.
    fn values(&self, chosen: &Packet, asked: &[&Condition], field: Field) -> Vec<Packet> {
        let tests = || asked.iter().flat_map(|condition| &condition.tests);
        let asked = || tests().map(|test| &test.asked);
        let named: Vec<&Asked> = asked().filter(|asked| asked.field() == field).collect();
        match field {
            Field::In => {
                let names = self.interfaces(&named, self.comes_in());
                vary(chosen, names, |packet, name| packet.in_interface = name)
            }
            Field::Out => {
                let mut names = self.interfaces(&named, self.goes_out());
                // What the host sends to an address of its own leaves so.
                if self.hook == Hook::Output && asked().any(|asked| *asked == Asked::ToHost) {
                    names.push(LOOPBACK.parse().ok());
                }
                vary(chosen, names, |packet, name| packet.out_interface = name)
            }
            Field::Source => {
                let all = addresses(&named, chosen.source());
                vary(chosen, all, Packet::set_source)
            }
            Field::Destination => {
                let all = addresses(&named, chosen.destination());
                vary(chosen, all, Packet::set_destination)
            }
            Field::Protocol => {
                // Whether there are ports at all depends on it.
                let is_asked = !named.is_empty() || asked().any(|asked| asked.ports().is_some());
                let all = protocols(&named)
                    .into_iter()
                    .filter(|&p| is_asked || p == TCP);
                vary(chosen, all, set_protocol)
            }
            Field::SourcePort => {
                let all = ports(&named, chosen.source_port);
                vary(chosen, all, |packet, port| packet.source_port = port)
            }
            Field::DestinationPort => {
                let all = ports(&named, chosen.destination_port);
                vary(chosen, all, |packet, port| packet.destination_port = port)
            }
            Field::ReversePath => {
                let all: &[Option<bool>] = match chosen.in_interface {
                    None => &[None],
                    Some(_) if self.asks_way_back => &[Some(true), Some(false)],
                    Some(_) => &[Some(true)],
                };
                let all = all.iter().copied();
                vary(chosen, all, |packet, path| packet.reverse_path = path)
            }
            Field::Redirected => {
                // Only what goes through a flow of conntrack's, and through the host or out of it, can be.
                let can_be = !matches!(chosen.flow, Flow::Invalid | Flow::Untracked)
                    && chosen.out_interface.is_some();
                let all = [false, true].into_iter().filter(|&is| !is || can_be);
                let all = all.filter(|&is| !is || !named.is_empty());
                vary(chosen, all, |packet, is| packet.redirected = is)
            }
            Field::Flow => vary(chosen, flows(&named), |packet, flow| packet.flow = flow),
        }
    }

    fn comes_in(&self) -> Passes {
        match self.hook {
            Hook::Output => Passes::None,
            Hook::Postrouting => Passes::OneIfAsked,
            _ => Passes::One,
        }
    }

    fn goes_out(&self) -> Passes {
        match self.hook {
            Hook::Input | Hook::Prerouting => Passes::None,
            _ => Passes::One,
        }
    }

    /// Each interface that is named, and another one.
    fn interfaces(&self, named: &[&Asked], passes: Passes) -> Vec<Option<InterfaceName>> {
        let names: BTreeSet<&InterfaceName> = named.iter().filter_map(|a| a.interface()).collect();
        let none = (passes != Passes::One).then_some(None);
        let is_one = match passes {
            Passes::One => true,
            Passes::None => false,
            Passes::OneIfAsked => !names.is_empty(),
        };
        let some = names.into_iter().chain([self.other]).filter(|_| is_one);
        none.into_iter().chain(some.cloned().map(Some)).collect()
    }
}

/// Whether packets at a hook pass an interface in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passes {
    One,
    None,
    /// Some do, some do not, and if no rule asks that is all the same.
    OneIfAsked,
}

/// A packet, once with each of these values.
fn vary<T>(
    chosen: &Packet,
    values: impl IntoIterator<Item = T>,
    set: impl Fn(&mut Packet, T),
) -> Vec<Packet> {
    let with = |value| {
        let mut packet = chosen.clone();
        set(&mut packet, value);
        packet
    };
    values.into_iter().map(with).collect()
}

/// The ends of ranges and their neighbours outside, or the usual address where there are none.
fn addresses(named: &[&Asked], usual: IpAddr) -> Vec<IpAddr> {
    let ranges = named.iter().filter_map(|asked| asked.addresses());
    let mut ends = BTreeSet::new();
    for range in ranges {
        let (start, end) = (*range.start(), *range.end());
        ends.extend([Some(start), Some(end), before(start), after(end)]);
    }
    if ends.is_empty() {
        return vec![usual];
    }
    ends.into_iter().flatten().collect()
}

fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => Some(Ipv4Addr::from(u32::from(v4).checked_sub(1)?).into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from(u128::from(v6).checked_sub(1)?).into()),
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => Some(Ipv4Addr::from(u32::from(v4).checked_add(1)?).into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from(u128::from(v6).checked_add(1)?).into()),
    }
}

/// The protocols that are named, and tcp, udp and one without ports.
fn protocols(named: &[&Asked]) -> BTreeSet<u8> {
    let numbers = named.iter().filter_map(|asked| asked.protocol());
    numbers.chain([TCP, UDP, GRE]).collect()
}

fn set_protocol(packet: &mut Packet, protocol: u8) {
    let has_ports = PROTOCOLS_WITH_PORTS.contains(&protocol);
    packet.protocol = protocol;
    packet.source_port = has_ports.then_some(SOME_PORTS.0);
    packet.destination_port = has_ports.then_some(SOME_PORTS.1);
}

/// The ends of ranges and their neighbours outside; `usual` where there are none, or no ports.
fn ports(named: &[&Asked], usual: Option<u16>) -> Vec<Option<u16>> {
    let ranges: Vec<&RangeInclusive<u16>> = named.iter().filter_map(|a| a.ports()).collect();
    if usual.is_none() || ranges.is_empty() {
        return vec![usual];
    }
    let mut ends = BTreeSet::from([usual]);
    for range in ranges {
        let (start, end) = (*range.start(), *range.end());
        ends.extend([Some(start), Some(end)]);
        ends.extend([start.checked_sub(1), end.checked_add(1)]);
    }
    ends.into_iter().filter(Option::is_some).collect()
}

/// Those that conntrack gives, and the one without it if a rule names that.
fn flows(named: &[&Asked]) -> Vec<Flow> {
    if named.is_empty() {
        return vec![Flow::New];
    }
    let is_untracked =
        |asked: &&Asked| matches!(asked, Asked::Flow(f) if f.contains(&Flow::Untracked));
    let untracked = named.iter().any(is_untracked).then_some(Flow::Untracked);
    Flow::ALL.into_iter().chain(untracked).collect()
}

/// Addresses of documentation, which lie in no network that is run.
fn elsewhere(family: Family) -> (IpAddr, IpAddr) {
    match family {
        Family::Ipv4 => ([198, 51, 100, 9].into(), [203, 0, 113, 9].into()),
        Family::Ipv6 => (
            [0x2001, 0xdb8, 1, 0, 0, 0, 0, 9].into(),
            [0x2001, 0xdb8, 2, 0, 0, 0, 0, 9].into(),
        ),
    }
}

/// A name that no condition names.
fn other_interface(conditions: &Conditions) -> Option<InterfaceName> {
    let names: BTreeSet<&InterfaceName> = conditions.interfaces().collect();
    // More numbers than names: one of them is free.
    let mut numbered = (0..=names.len()).filter_map(|n| format!("other{n}").parse().ok());
    numbered.find(|name| !names.contains(name))
}
