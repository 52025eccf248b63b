//! The classes of packets that rules can tell apart, and one packet of each.
//!
//! A rule asks for values of single fields ([`Condition`]), and what rules make of a packet depends
//! on nothing but which of their conditions hold for it. Packets for which the same conditions hold
//! are one class. Where rulesets agree on a packet of each class, they agree on all packets.
//!
//! Taking every value of a field together with every value of all others would be complete and far
//! too many. Two things keep the classes few, and lose none:
//!
//! - **Fields are chosen one after the other.** A condition that fails on the fields chosen so far
//!   holds for no packet that is reached from there, so that it tells none of them apart any more:
//!   values that only such conditions name are not taken. Behind the pair of a guest's bridge and
//!   an outer device, the subnets of other bridges are all one "elsewhere".
//! - **Hooks are taken one after the other.** A packet's fate is the verdict of the chains that
//!   filter it (forward, input or output), and, where it passes and leaves, what postrouting does.
//!   Each of the two depends on the conditions of its own hook alone: if rulesets agree on both for
//!   the classes of each hook, they agree on all pairs of classes. Packets for postrouting come from
//!   the host itself, since nothing stops those.
//!
//! Of the values that a range parts a field into, the first and the last are taken, and so are the
//! neighbours outside: every stretch of values between ends of ranges has one of them as its end.
//! So a subnet that is too wide or too narrow by one bit or one address is seen, too.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::condition::{Asked, Condition, Conditions, Hook};
use super::{Flow, Packet};
use crate::network::{Family, InterfaceName};

/// Gives `visit` one packet of each class that these conditions tell apart.
pub fn each_class(conditions: &Conditions, family: Family, visit: &mut dyn FnMut(&Packet)) {
    let mut classes = Classes {
        family,
        hook: Hook::Forward,
        other: other_interface(conditions),
        visit,
    };
    for (hook, order) in HOOKS {
        classes.hook = hook;
        let asked: Vec<&Condition> = conditions.at(hook).collect();
        classes.choose(&classes.blank(), &asked, &order);
    }
}

/// How many classes these conditions tell apart.
#[must_use]
pub fn count(conditions: &Conditions, family: Family) -> usize {
    let mut count = 0;
    each_class(conditions, family, &mut |_| count += 1);
    count
}

/// A field of a packet.
#[derive(Debug, Clone, Copy)]
enum Field {
    In,
    Out,
    Source,
    Destination,
    Protocol,
    SourcePort,
    DestinationPort,
    Flow,
}

/// The hooks, each with the order in which fields are chosen there: first those that leave the
/// fewest conditions.
const HOOKS: [(Hook, [Field; 8]); 4] = {
    use Field::{Destination, DestinationPort, Flow, In, Out, Protocol, Source, SourcePort};
    let filtered = [
        In,
        Out,
        Source,
        Destination,
        Protocol,
        SourcePort,
        DestinationPort,
        Flow,
    ];
    let translated = [
        Flow,
        In,
        Out,
        Source,
        Destination,
        Protocol,
        SourcePort,
        DestinationPort,
    ];
    [
        (Hook::Forward, filtered),
        (Hook::Input, filtered),
        (Hook::Output, filtered),
        (Hook::Postrouting, translated),
    ]
};

/// Protocols that are taken although no rule names them: tcp, udp, and one without ports.
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

struct Classes<'a> {
    family: Family,
    hook: Hook,
    /// An interface that no condition names.
    other: InterfaceName,
    visit: &'a mut dyn FnMut(&Packet),
}

/// The packets that are the same in all fields chosen so far.
type Chosen = Packet;

impl Classes<'_> {
    fn blank(&self) -> Chosen {
        let (source, destination): (IpAddr, IpAddr) = match self.family {
            Family::Ipv4 => (
                Ipv4Addr::new(198, 51, 100, 9).into(),
                Ipv4Addr::new(203, 0, 113, 9).into(),
            ),
            Family::Ipv6 => (
                Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 9).into(),
                Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 9).into(),
            ),
        };
        Packet::between(source, destination)
    }

    /// Chooses the first of `fields` in every way that matters, and then the others.
    fn choose(&mut self, chosen: &Chosen, asked: &[&Condition], fields: &[Field]) {
        let Some((&field, rest)) = fields.split_first() else {
            (self.visit)(chosen);
            return;
        };
        for value in self.values(chosen, asked, field) {
            // What fails on this field holds for no packet from here on.
            let open: Vec<&Condition> = asked
                .iter()
                .copied()
                .filter(|condition| condition.is_open(&value, field))
                .collect();
            self.choose(&value, &open, rest);
        }
    }

    /// The packet so far, once with each value of a field that matters.
    fn values(&self, chosen: &Chosen, asked: &[&Condition], field: Field) -> Vec<Chosen> {
        let tests = || asked.iter().flat_map(|c| &c.tests).map(|test| &test.asked);
        let with = |set: &dyn Fn(&mut Chosen)| {
            let mut value = chosen.clone();
            set(&mut value);
            value
        };
        match field {
            Field::In => {
                let names = tests().filter_map(Asked::in_interface);
                let mut values = self.interfaces(names, matches!(self.hook, Hook::Forward | Hook::Input));
                if self.hook == Hook::Output {
                    values = vec![None];
                }
                let set = |name| with(&|value| value.in_interface = name.clone());
                values.into_iter().map(|name: Option<InterfaceName>| set(name)).collect()
            }
            Field::Out => {
                let names = tests().filter_map(Asked::out_interface);
                let mut values = self.interfaces(names, true);
                if self.hook == Hook::Input {
                    values = vec![None];
                }
                let set = |name: Option<InterfaceName>| with(&|value| value.out_interface = name.clone());
                values.into_iter().map(set).collect()
            }
            _ => todo!(),
        }
    }
}
