//! All that packets go through, whoever it belongs to.

use std::rc::Rc;

use super::chains::{At, Base, Chains, Seen};
use super::place::Devices;
use super::walk::Walk;
use super::{Condition, Conditions, Fate, Outcome, Packet, UnknownCondition};
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
pub struct Ground<'a> {
    members: Vec<Member<'a>>,
    /// All base chains, in the order in which packets meet them, each with its member.
    bases: Vec<(usize, Base)>,
    devices: Devices,
    /// Whether the host drops what no rule accepts, of packets that it takes or sends itself.
    is_closed: bool,
}

/// Tables that belong together.
#[derive(Clone)]
pub struct Member<'a> {
    /// What they are called.
    pub label: String,
    /// Whose they are.
    pub owner: Owner,
    chains: Rc<dyn Chains + 'a>,
}

impl<'a> Member<'a> {
    /// Tables, and whose they are.
    pub fn new(label: impl Into<String>, owner: Owner, chains: impl Chains + 'a) -> Self {
        Self {
            label: label.into(),
            owner,
            chains: Rc::new(chains),
        }
    }
}

impl<'a> Ground<'a> {
    /// These tables, in the order in which they were made, on a host of which no devices are known.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = Member<'a>>) -> Self {
        let members: Vec<Member<'a>> = members.into_iter().collect();
        let mut bases: Vec<(usize, Base)> = Vec::new();
        for (member, its) in members.iter().enumerate() {
            bases.extend(its.chains.bases().into_iter().map(|base| (member, base)));
        }
        // Of two with one priority, the kernel calls the one that was registered last first.
        bases.reverse();
        bases.sort_by_key(|(member, base)| {
            let is_last = members[*member].chains.is_first_registered();
            (base.order(), is_last)
        });
        Self {
            members,
            bases,
            ..Self::default()
        }
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
        self.devices = devices;
        self
    }

    /// The same tables, on a host that drops what no rule accepts of packets that it takes or sends
    /// itself: there it shows which of its services rules open.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// What becomes of a packet, and which rules it meets.
    #[must_use]
    pub fn evaluate(&self, packet: &Packet) -> Outcome {
        Walk::new(self, packet).with_path().outcome()
    }

    /// What becomes of a packet; quicker than [`evaluate`](Self::evaluate), and silent about doubts.
    #[must_use]
    pub fn fate(&self, packet: &Packet) -> Fate {
        Walk::new(self, packet).fate()
    }

    /// What becomes of a packet in each of the tables alone that see packets of its family.
    pub fn alone<'s>(
        &'s self,
        packet: &'s Packet,
    ) -> impl Iterator<Item = (&'s Member<'a>, Outcome)> {
        let sees = |member: &usize| {
            let mut its = self.bases.iter().filter(|(of, _)| of == member);
            its.any(|(_, base)| base.families.has(packet.family()))
        };
        let members = (0..self.members.len()).filter(sees);
        members.map(|member| {
            let walk = Walk::new(self, packet).with_path().in_member(member);
            (&self.members[member], walk.outcome())
        })
    }

    /// What the rules tell apart of packets of a family, as far as that can be said, and the rules
    /// that match more.
    #[must_use]
    pub fn conditions(&self, family: Family) -> (Conditions, Vec<UnknownCondition>) {
        let mut conditions = Conditions::default();
        let mut unknown = Vec::new();
        for (member, base) in &self.bases {
            if !base.families.has(family) {
                continue;
            }
            let chains = &*self.members[*member].chains;
            let Seen::At(_, hook) = base.sees else {
                unknown.push(UnknownCondition {
                    chain: base.name.clone(),
                    rule: "all of its rules".to_owned(),
                });
                continue;
            };
            let mut left = vec![base.chain];
            let mut reached = left.clone();
            while let Some(chain) = left.pop() {
                for rule in 0..chains.rules(chain) {
                    let at = At { chain, rule };
                    let matched = chains.matches(at);
                    for mut condition in matched.conditions {
                        if base.is_nat {
                            condition.tests.push(Condition::first_packet().into());
                        }
                        conditions.add(hook, condition);
                    }
                    if matched.has_more {
                        let words = chains.words(at);
                        unknown.push(UnknownCondition {
                            chain: words.chain,
                            rule: words.rule,
                        });
                    }
                    for chain in matched.chains {
                        if !reached.contains(&chain) {
                            reached.push(chain);
                            left.push(chain);
                        }
                    }
                }
            }
        }
        (conditions, unknown)
    }

    /// The base chains of all tables, or of one, in the order in which packets meet them.
    pub(super) fn bases(&self, of: Option<usize>) -> impl Iterator<Item = (&dyn Chains, &Base)> {
        let bases = self.bases.iter();
        let its = bases.filter(move |(member, _)| of.is_none_or(|of| of == *member));
        its.map(|(member, base)| (&*self.members[*member].chains as &dyn Chains, base))
    }

    pub(super) fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Whether what comes to the end of a base chain is dropped.
    pub(super) fn drops(&self, base: &Base) -> bool {
        base.drops || self.is_closed && base.is_of_host
    }
}
