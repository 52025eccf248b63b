//! What becomes of a packet, and why.

use palisade_core::backend::Discrepancy;
use palisade_core::engine::EngineError;
use palisade_core::evaluate::{Doubt, Member, Nat, Outcome, Packet, Verdict, Visit};
use palisade_core::network::{InterfaceName, Name, Network};
use palisade_core::owner::Owner;
use palisade_core::rules::RuleKind;
use palisade_netlink::rtnetlink::{Address, Host, HostError};
use serde::Serialize;

use super::conclusion::Conclusion;
use super::dnat::{Dnat, Scenery};
use super::reasons;
use super::reply::Reply;
use super::resolve::Resolved;
use super::surroundings;
use crate::host_rules::is_shared;
use crate::routing::{NoWay, Onward};

/// What becomes of a packet, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What becomes of it on this host: by all tables, and by the host's routes. That it arrives is not
    /// said: there are guests and other hosts too.
    pub verdict: Conclusion,
    /// Why the host sends it nowhere; none where it is sent on, or no host is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_way: Option<NoWay>,
    /// The route by which it leaves, as the kernel answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Onward>,
    /// The way back; none where the packet does not pass, nothing answers it, or no host is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What keeps the verdict from being the whole truth: a part of the question that the host's routes
    /// contradict, rules of the networks that are missing, an answer that does not come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// What happens to its source address, or else to its destination; none if nothing does.
    #[serde(serialize_with = "some_nat")]
    pub nat: Nat,
    /// Why, in words.
    pub nat_because: String,
    /// What gives it another destination, if anything does: a forward, or a rule of another program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnat: Option<Dnat>,
    /// The packet, as it comes.
    pub packet: Packet,
    /// What of it was not said, and is assumed.
    pub assumptions: Vec<String>,
    /// What it met, in that order.
    pub path: Vec<Visit>,
    /// Rules that may still change the verdict, since what they ask is not known here.
    pub undecided: Vec<Doubt>,
    /// What each table says by itself.
    pub tables: Vec<TableVerdict>,
    /// What else people should know.
    pub notes: Vec<String>,
    /// The interface through which it leaves.
    #[serde(skip)]
    leaves: Option<InterfaceName>,
    /// The networks on whose bridges it is.
    #[serde(skip)]
    met: Vec<Name>,
}

/// What one table says of a packet by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableVerdict {
    /// The table, or the family of programs that printed several.
    pub table: String,
    /// Whether palisade made it, or has chains in it.
    pub ours: bool,
    /// Its verdict.
    pub verdict: Verdict,
    /// The other verdicts that may come of it: it asks for what is not known here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may: Vec<Verdict>,
}

/// Who refuses a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// A rule of a network.
    Network {
        /// The network.
        network: &'a Name,
        /// What its rule is for.
        purpose: RuleKind,
    },
    /// A rule that somebody put into a chain of ours.
    Intruder(&'a Visit),
    /// A rule or a policy of others.
    Others {
        /// That rule.
        visit: &'a Visit,
        /// What our tables say.
        ours: Ours,
    },
}

/// What our tables say of a packet that others refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// They let it pass.
    Passed,
    /// They were not asked any more, and would let it pass.
    WouldPass,
    /// They would refuse it too.
    WouldRefuse,
    /// There are none beside the one in which others refuse it, or none at all.
    Silent,
}

/// Whether a rule is in a chain of palisade's.
fn is_own_chain(visit: &Visit) -> bool {
    let table = visit.table.as_deref().unwrap_or_default();
    !is_shared(table) || Owner::of_chain(&visit.chain).is_palisade()
}

/// `null` where there is none.
fn some_nat<S: serde::Serializer>(nat: &Nat, serializer: S) -> Result<S::Ok, S::Error> {
    let nat = (*nat != Nat::None).then_some(nat);
    nat.serialize(serializer)
}

impl TableVerdict {
    fn of((member, outcome): (&Member<'_>, Outcome)) -> Self {
        let mut may: Vec<Verdict> = outcome
            .doubts
            .iter()
            .flat_map(|doubt| doubt.may.clone())
            .collect();
        may.sort();
        may.dedup();
        Self {
            table: member.label.clone(),
            ours: member.owner.is_palisade(),
            verdict: outcome.fate.verdict,
            may,
        }
    }
}

impl Explanation {
    /// What becomes of a packet in a scenery.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(super) fn of(scenery: Scenery<'_>, resolved: Resolved) -> Result<Self, HostError> {
        let followed = scenery.follow(&resolved)?;
        let verdict = match &followed.no_way {
            Some(_) if followed.outcome.fate.verdict.passes() => Conclusion::Unroutable,
            _ => Conclusion::of(&followed.outcome),
        };
        let reply = match verdict {
            Conclusion::Accept => scenery.reply(&resolved.packet, &followed.packet)?,
            _ => None,
        };
        let tables = match &followed.no_way {
            Some(_) => Vec::new(),
            None => {
                let tables = scenery.ground.alone(&followed.packet);
                tables.map(TableVerdict::of).collect()
            }
        };
        let its = [
            &resolved.packet.in_interface,
            &followed.packet.out_interface,
        ];
        let is_met = |network: &&Network| {
            let bridge = network.ruled_bridge();
            bridge.is_some() && its.iter().any(|interface| interface.as_ref() == bridge)
        };
        let met: Vec<&Network> = scenery.networks.iter().filter(is_met).collect();
        let mut notes = notes(&resolved, scenery.routing.is_some());
        let mut reasons = Vec::new();
        let host = scenery.routing.map(|routing| &routing.host);
        if matches!(verdict, Conclusion::Reject | Conclusion::Drop) {
            reasons.extend(reasons::of(&met, &resolved.packet, &followed.packet, host));
        }
        if let (Some(routing), true) = (scenery.routing, verdict.passes()) {
            reasons.extend(surroundings::caveats(
                routing,
                &resolved.packet,
                &followed.packet,
            )?);
            let route = followed.route.as_ref();
            notes.extend(surroundings::notes(routing, &followed.packet, route)?);
        }
        let met = met.into_iter().map(|network| network.name().clone());
        let met = met.collect();
        let Resolved {
            mut packet,
            mut assumptions,
            mut caveats,
            ..
        } = resolved;
        if followed.dnat.is_some() {
            packet
                .out_interface
                .clone_from(&followed.packet.out_interface);
        }
        caveats.extend(reasons);
        caveats.extend(reply.iter().filter_map(Reply::caveat));
        let Outcome {
            fate,
            path,
            mut nat_because,
            doubts,
            stop: _,
            is_marked: _,
        } = followed.outcome;
        let mut nat = fate.nat;
        if let Some(dnat) = &followed.dnat
            && !nat.translates()
        {
            nat = Nat::Dnat { to: dnat.to };
            nat_because.clone_from(&dnat.because);
        }
        assumptions.extend(followed.assumptions);
        Ok(Self {
            verdict,
            no_way: followed.no_way,
            route: followed.route,
            reply,
            caveats,
            nat,
            nat_because,
            dnat: followed.dnat,
            leaves: followed.packet.out_interface,
            assumptions,
            path,
            undecided: doubts,
            tables,
            notes,
            packet,
            met,
        })
    }

    /// The interface through which the packet leaves, behind all translation; none if it does not.
    #[must_use]
    pub fn leaves(&self) -> Option<&InterfaceName> {
        self.leaves.as_ref()
    }

    /// The networks on whose bridges the packet is.
    pub(crate) fn met(&self) -> impl Iterator<Item = &Name> {
        self.met.iter()
    }

    /// Says of which of its networks the rules are not as recorded.
    pub(crate) fn compare_with_records(
        &mut self,
        differences: Result<&[Discrepancy], &EngineError>,
    ) {
        if self.met.is_empty() {
            return;
        }
        let differences = match differences {
            Ok(differences) => differences,
            Err(error) => {
                self.notes.push(format!(
                    "whether the networks' rules are as recorded could not be looked at: {error}"
                ));
                return;
            }
        };
        for name in &self.met {
            let is_its = |difference: &&Discrepancy| difference.network.as_ref() == Some(name);
            let its = differences.iter().filter(is_its).count();
            if its > 0 {
                self.caveats.push(format!(
                    "rules of network `{name}` are missing or changed ({its}): `palisade verify` lists \
                     them, `palisade repair` restores them"
                ));
            }
        }
    }

    /// The last rule that the packet met: the one that decided, where it is refused.
    fn decided_by(&self) -> Option<&Visit> {
        self.path.iter().rfind(|visit| visit.matched == Some(true))
    }

    /// Whether a rule of a network applies to the packet.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let is_ours = |visit: &Visit| visit.matched == Some(true) && visit.network.is_some();
        self.path.iter().any(is_ours)
    }

    /// Which rule refuses the packet; none if none does for sure.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal<'_>> {
        if !matches!(self.verdict, Conclusion::Reject | Conclusion::Drop) {
            return None;
        }
        let visit = self.decided_by()?;
        if let (Some(network), Some(purpose)) = (&visit.network, visit.purpose) {
            return Some(Refusal::Network { network, purpose });
        }
        let place = visit.table.as_deref().unwrap_or_default();
        // Programs of iptables print several tables, each behind their name.
        let is_here = |table: &&TableVerdict| {
            place == table.table || place.starts_with(&format!("{} ", table.table))
        };
        let here = self.tables.iter().find(is_here);
        let is_among_ours = here.is_some_and(|table| table.ours);
        let elsewhere = || {
            let tables = self.tables.iter();
            tables.filter(|table| table.ours && !is_here(table))
        };
        // The strictest.
        let ours = elsewhere().map(|table| table.verdict).max();
        let was_there = |visit: &Visit| {
            elsewhere().any(|table| visit.table.as_deref() == Some(table.table.as_str()))
        };
        Some(match ours {
            _ if is_among_ours && is_own_chain(visit) => Refusal::Intruder(visit),
            Some(ours) if ours.passes() => Refusal::Others {
                visit,
                ours: if self.path.iter().any(was_there) {
                    Ours::Passed
                } else {
                    Ours::WouldPass
                },
            },
            Some(_) => Refusal::Others {
                visit,
                ours: Ours::WouldRefuse,
            },
            None => Refusal::Others {
                visit,
                ours: Ours::Silent,
            },
        })
    }

    /// Says what the outgoing interface's addresses are, where the packet gets one of them.
    pub(super) fn name_addresses(&mut self, host: &Host) {
        let out = self.leaves.as_ref();
        let Some(link) = out.and_then(|name| host.link(name.as_str())) else {
            return;
        };
        if !matches!(self.nat, Nat::Masquerade { .. }) {
            return;
        }
        let is_its = |address: &&Address| {
            address.device == link.index
                && address.address.is_ipv4() == self.packet.source().is_ipv4()
        };
        let its: Vec<String> = host
            .addresses
            .iter()
            .filter(is_its)
            .map(|address| address.address.to_string())
            .collect();
        self.notes.push(match its.as_slice() {
            [] => format!(
                "`{}` has no address: masquerading uses one of another interface, if there is any",
                link.name
            ),
            its => format!(
                "masquerading uses an address of `{}`: {}",
                link.name,
                its.join(", ")
            ),
        });
    }
}

fn notes(resolved: &Resolved, has_host: bool) -> Vec<String> {
    let packet = &resolved.packet;
    let is_on_bridge = packet.is_forwarded() && packet.in_interface == packet.out_interface;
    let note = match (has_host, resolved.is_switched, packet.is_frame) {
        (true, true, true) => "it stays on the bridge, where rules of IP do not see it",
        (true, true, false) => "it stays on the bridge, where br_netfilter shows it to rules of IP",
        (false, ..) if is_on_bridge => {
            "in and out by one interface: between guests of one subnet, these rules see it only with \
             br_netfilter"
        }
        _ => return Vec::new(),
    };
    vec![note.to_owned()]
}
