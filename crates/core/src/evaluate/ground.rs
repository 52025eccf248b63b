//! All that packets go through, whoever it belongs to.

use std::collections::BTreeMap;

use super::chains::{At, Chains};
use super::place::Devices;
use super::registry::{Member, Registry};
use super::walk::Walk;
use super::{
    Condition, Conditions, Fate, Obstacles, Outcome, Packet, Seen, Test, UnknownCondition,
};
use crate::network::Family;
use crate::owner::Owner;

/// What packets go through: tables of several owners and technologies, in the order in which the
/// kernel calls their base chains.
///
/// A drop or a reject in any base chain ends a packet; an accept ends only its base chain.
///
/// It knows nothing of routing, or of what a translation before routing does to the rest of the way: a
/// packet is taken as its interfaces and addresses say.
#[derive(Clone, Default)]
pub struct Ground<'a>(Registry<'a>);

impl<'a> Ground<'a> {
    /// These tables, in the order in which they were made, on a host of which no devices are known.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = Member<'a>>) -> Self {
        Self(Registry::of(members.into_iter().collect()))
    }

    /// Tables alone.
    #[must_use]
    pub fn of(chains: impl Chains + 'a) -> Self {
        Self::new([Member::new("", Owner::Unknown, chains)])
    }

    /// The same tables, on a host with these devices: rules that match the numbers of interfaces are
    /// known then, and packets pass bridges as frames, where the rules of these see them.
    #[must_use]
    pub fn on(mut self, devices: Devices) -> Self {
        self.0.devices = devices;
        self
    }

    /// The same tables, on a host that drops what no rule accepts of packets that it takes or sends
    /// itself: there it shows which of its services rules open.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.0.is_closed = true;
        self
    }

    /// What becomes of a packet, and which rules it meets.
    #[must_use]
    pub fn evaluate(&self, packet: &Packet) -> Outcome {
        Walk::new(&self.0, packet).with_path().outcome()
    }

    /// What becomes of a packet before the host looks for its route: all that one meets for which there
    /// is none.
    #[must_use]
    pub fn before_routing(&self, packet: &Packet) -> Outcome {
        let walk = Walk::new(&self.0, packet).with_path();
        walk.before_routing().outcome()
    }

    /// What becomes of a packet; quicker than [`evaluate`](Self::evaluate), and silent about doubts.
    #[must_use]
    pub fn fate(&self, packet: &Packet) -> Fate {
        Walk::new(&self.0, packet).fate()
    }

    /// All that stops a packet on its way, or may, and what becomes of its addresses. Behind what stops
    /// it, it goes on.
    #[must_use]
    pub fn obstacles(&self, packet: &Packet) -> Obstacles {
        Walk::new(&self.0, packet).obstacles()
    }

    /// The devices to which base chains are bound.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        let bases = self.0.bases(None);
        bases.flat_map(|(_, base)| base.devices.iter().map(String::as_str))
    }

    /// What becomes of a packet in each of the tables alone that see packets of its family.
    pub fn alone<'s>(
        &'s self,
        packet: &'s Packet,
    ) -> impl Iterator<Item = (&'s Member<'a>, Outcome)> {
        let sees = |member| {
            let mut its = self.0.bases(Some(member));
            its.any(|(_, base)| base.families.has(packet.family()))
        };
        let members = self.0.members.iter().enumerate();
        let asked = members.filter(move |(number, _)| sees(*number));
        asked.map(|(number, member)| {
            let walk = Walk::new(&self.0, packet).with_path().in_member(number);
            (member, walk.outcome())
        })
    }

    /// What the rules tell apart of packets of a family, as far as that can be said, and the rules
    /// that match more.
    #[must_use]
    pub fn conditions(&self, family: Family) -> (Conditions, Vec<UnknownCondition>) {
        let mut conditions = Conditions::default();
        let mut unknown = Vec::new();
        for (chains, base) in self.0.bases(None) {
            if !base.families.has(family) {
                continue;
            }
            let Seen::At(_, hook) = base.sees else {
                unknown.push(UnknownCondition {
                    chain: base.name.clone(),
                    rule: "all of its rules".to_owned(),
                });
                continue;
            };
            let first = base.is_nat.then(|| Test::from(Condition::first_packet()));
            for (chain, ways) in reached(chains, base.chain, first.into_iter().collect()) {
                for rule in 0..chains.rules(chain) {
                    let at = At { chain, rule };
                    let matched = chains.matches(at);
                    for condition in matched.conditions {
                        conditions.add(hook, condition.behind(&ways));
                    }
                    if matched.has_more {
                        let words = chains.words(at);
                        unknown.push(UnknownCondition {
                            chain: words.chain,
                            rule: words.rule,
                        });
                    }
                }
            }
        }
        (conditions, unknown)
    }
}

/// The chains that packets reach from this one, each with the tests that every way there has in common:
/// its rules are met by no packet that fails one of them.
fn reached(chains: &dyn Chains, from: usize, tests: Vec<Test>) -> BTreeMap<usize, Vec<Test>> {
    let mut reached = BTreeMap::from([(from, tests)]);
    let mut left = vec![from];
    while let Some(chain) = left.pop() {
        let behind = reached.get(&chain).cloned().unwrap_or_default();
        for rule in 0..chains.rules(chain) {
            let at = At { chain, rule };
            let led_to = chains.leads_to(at);
            if led_to.is_empty() {
                continue;
            }
            let matched = chains.matches(at);
            let mut ways = matched.conditions.iter();
            let mut common = ways.next().map_or_else(Vec::new, |way| way.tests.clone());
            common.retain(|test| ways.clone().all(|way| way.tests.contains(test)));
            common.extend(behind.iter().cloned());
            for to in led_to {
                let known = reached.get(&to);
                let shared = |test: &&Test| known.is_none_or(|known| known.contains(test));
                let shared: Vec<Test> = common.iter().filter(shared).cloned().collect();
                if known.is_none_or(|known| known.len() > shared.len()) {
                    reached.insert(to, shared);
                    left.push(to);
                }
            }
        }
    }
    reached
}
