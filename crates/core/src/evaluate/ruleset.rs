//! The rules of networks as chains.

use std::net::SocketAddr;

use super::chains::{Action as Follows, At, Chains, End, Matched, RuleWords, Step, Unknown};
use super::hook::{DESTINATION_NAT, FILTER, MANGLE, SOURCE_NAT};
use super::{
    Answer, Base, Condition, DoubtKind, Flow, Hook, HookLayer, Nat, Packet, Seen, Subject, Visit,
};
use crate::Ruleset;
use crate::network::{Family, Name};
use crate::rules::{Action, Matches, Role, Rule};

/// How rules about forwarded packets are read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// One after another: guest to guest, then to guests, then from guests. The first that accepts
    /// or refuses ends it. So do libvirt, the layout `flat`, and iptables.
    InOrder,
    /// Guest to guest first. Then the network that the packet comes from, and the network that it
    /// goes to: both must agree. So does the layout `mapped`.
    BothAgree,
}

/// A ruleset in one of its readings.
struct Read<'a> {
    reading: Reading,
    /// The chains of IPv4, and then those of IPv6.
    chains: Vec<Vec<&'a Rule>>,
}

/// The chains of a family: their place, and the roles of the rules in them.
const CHAINS: [(Hook, i32, [&[Role]; 2]); 11] = {
    use Role::{
        ForwardAny, ForwardAt, FromBlocked, GuestBetween, GuestCross, GuestInput, GuestNat,
        GuestOutput, GuestSource, HostInput, HostOutput, Mangle, ToBlocked,
    };
    let one_after_another: &[Role] = &[GuestCross, GuestInput, GuestOutput];
    let redirecting: &[Role] = &[ForwardAt, ForwardAny];
    let both: &[Role] = &[GuestCross, GuestOutput, GuestInput];
    [
        (Hook::Prerouting, MANGLE, [&[FromBlocked, GuestSource]; 2]),
        (Hook::Prerouting, DESTINATION_NAT, [redirecting; 2]),
        (Hook::Input, FILTER, [&[HostInput]; 2]),
        (Hook::Forward, FILTER, [one_after_another, both]),
        (Hook::Output, DESTINATION_NAT, [redirecting; 2]),
        (Hook::Output, FILTER, [&[HostOutput]; 2]),
        (Hook::Postrouting, MANGLE, [&[ToBlocked, Mangle]; 2]),
        (Hook::Postrouting, SOURCE_NAT, [&[GuestNat]; 2]),
        // Where the network that a packet comes from lets it go on.
        (Hook::Forward, FILTER, [&[], &[GuestInput]]),
        // Where a network that translates nothing between networks looks for the others.
        (Hook::Postrouting, SOURCE_NAT, [&[GuestBetween]; 2]),
        // Where a guest's own network lets it reach a forward.
        (Hook::Forward, FILTER, [&[GuestOutput]; 2]),
    ]
};
/// The first chains are base chains.
const BASES: usize = 8;
const TO_GUESTS: usize = BASES;
const BETWEEN: usize = BASES + 1;
const FROM_GUESTS: usize = BASES + 2;

impl Reading {
    /// The rules of a ruleset, read so.
    #[must_use]
    pub fn of(self, ruleset: &Ruleset) -> impl Chains + '_ {
        let mut chains = Vec::new();
        for family in Family::BOTH {
            for (.., roles) in CHAINS {
                let roles = roles[self as usize].iter();
                chains.push(roles.flat_map(|&role| ruleset.at(family, role)).collect());
            }
        }
        Read {
            reading: self,
            chains,
        }
    }
}

impl Read<'_> {
    /// A chain of the same family as a rule's.
    fn inner(at: At, chain: usize) -> usize {
        at.chain - at.chain % CHAINS.len() + chain
    }

    /// Whether a rule is met where the sender's network has let the packet go on.
    fn is_behind_sender(at: At) -> bool {
        at.chain % CHAINS.len() == TO_GUESTS
    }

    fn rule(&self, at: At) -> &Rule {
        self.chains[at.chain][at.rule]
    }

    fn action(&self, at: At) -> Follows {
        let rule = self.rule(at);
        match rule.action {
            Action::Accept if self.leads_on(rule) => Follows::Goto(Self::inner(at, TO_GUESTS)),
            Action::Accept => Follows::End(End::Accept),
            Action::Reject => Follows::End(End::Reject),
            Action::Drop => Follows::End(End::Drop),
            Action::Return => Follows::Return,
            Action::Masquerade { ports } => Follows::End(End::Translate(Nat::Masquerade { ports })),
            Action::Snat { addresses, ports } => {
                Follows::End(End::Translate(Nat::Snat { addresses, ports }))
            }
            Action::BetweenNetworks => Follows::Jump(Self::inner(at, BETWEEN)),
            // The sender's network has decided before in the other reading.
            Action::SenderDecides => match self.reading {
                Reading::InOrder => Follows::Jump(Self::inner(at, FROM_GUESTS)),
                Reading::BothAgree if Self::is_behind_sender(at) => Follows::End(End::Accept),
                Reading::BothAgree => Follows::Continue,
            },
            Action::Dnat { address, port } => {
                Follows::End(End::Dnat(SocketAddr::new(address, port).into()))
            }
            Action::FillChecksum
            | Action::ClampMss(_)
            | Action::Administrator(_)
            | Action::Log(_) => Follows::Continue,
        }
    }

    /// Whether an accept is no more than the word of the network that a packet comes from.
    fn leads_on(&self, rule: &Rule) -> bool {
        self.reading == Reading::BothAgree && rule.role() == Role::GuestOutput
    }
}

impl Chains for Read<'_> {
    fn bases(&self) -> Vec<Base> {
        let mut bases = Vec::new();
        for (number, family) in Family::BOTH.into_iter().enumerate() {
            for (place, (hook, priority, _)) in CHAINS.into_iter().enumerate().take(BASES) {
                bases.push(Base {
                    chain: number * CHAINS.len() + place,
                    table: String::new(),
                    name: String::new(),
                    sees: Seen::At(HookLayer::Ip, hook),
                    families: family.into(),
                    priority,
                    is_nat: matches!(priority, DESTINATION_NAT | SOURCE_NAT),
                    drops: false,
                    is_of_host: priority == FILTER && matches!(hook, Hook::Input | Hook::Output),
                    devices: Vec::new(),
                });
            }
        }
        bases
    }

    fn rules(&self, chain: usize) -> usize {
        self.chains[chain].len()
    }

    fn next(&self, from: At, subject: &Subject<'_>) -> usize {
        let mut rules = self.chains[from.chain][from.rule..].iter();
        let past = rules.position(|rule| rule.matches.applies(subject.packet()) != Answer::No);
        past.map_or(usize::MAX, |past| from.rule + past)
    }

    fn step(&self, at: At, subject: &Subject<'_>) -> Step {
        let applies = self.rule(at).matches.applies(subject.packet());
        Step::new(applies, self.action(at))
    }

    fn matches(&self, at: At) -> Matched {
        let rule = self.rule(at);
        let decides = !matches!(rule.action, Action::FillChecksum | Action::Log(_));
        let condition = decides.then(|| Condition::of(rule));
        let family = rule.layer.family();
        let excepted = condition.clone().filter(|_| rule.matches.forged);
        let excepted = excepted.map(|condition| condition.unaddressed(family));
        Matched {
            conditions: condition.into_iter().chain(excepted).collect(),
            has_more: false,
        }
    }

    fn leads_to(&self, at: At) -> Vec<usize> {
        match self.action(at) {
            Follows::Goto(chain) | Follows::Jump(chain) => vec![chain],
            _ => Vec::new(),
        }
    }

    fn words(&self, at: At) -> RuleWords {
        let rule = self.rule(at);
        RuleWords {
            table: String::new(),
            chain: rule.role().to_string(),
            rule: rule.to_string(),
        }
    }

    fn visit(&self, at: At, _: &Step, subject: &Subject<'_>, _: &mut Option<Name>) -> Visit {
        let rule = self.rule(at);
        let applies = rule.matches.apply(subject.packet());
        let matched = rule.matches.applies(subject.packet());
        Visit {
            table: None,
            chain: rule.role().to_string(),
            handle: None,
            rule: rule.to_string(),
            network: Some(rule.owner.clone()),
            purpose: Some(rule.kind),
            matched: matched.into(),
            why: match applies {
                Ok(()) => rule.action.to_string(),
                Err(why) => why.to_owned(),
            },
            counter: None,
        }
    }

    fn policy(&self, _: &Base, _: bool) -> Option<Visit> {
        None
    }

    fn nat_because(&self, at: At, _: &Visit, _: &Subject<'_>) -> String {
        let rule = self.rule(at);
        format!("{}: {}", rule.owner, rule.kind.explanation())
    }

    fn unknown(&self, _: At, _: Option<usize>) -> Unknown {
        Unknown {
            kind: DoubtKind::Route,
            why: UNKNOWN_PATH.to_owned(),
            reads: Vec::new(),
        }
    }
}

/// All that may not be known of a packet, and that these rules match.
const UNKNOWN_PATH: &str = "whether the host reaches its source there is not known";

impl Matches {
    /// Whether all of this holds for a packet of the rule's family, as far as that is known.
    fn applies(&self, packet: &Packet) -> Answer {
        match self.apply(packet) {
            Err(UNKNOWN_PATH) => Answer::Unknown,
            applies => applies.is_ok().into(),
        }
    }

    /// Whether all of this holds for a packet of the rule's family.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn apply(&self, packet: &Packet) -> Result<(), &'static str> {
        let is = |holds: bool, otherwise| if holds { Ok(()) } else { Err(otherwise) };
        let of = |wanted: &Option<_>, found: &Option<_>| wanted.is_none() || wanted == found;
        is(
            of(&self.in_interface, &packet.in_interface),
            "it comes in through another interface",
        )?;
        is(
            of(&self.out_interface, &packet.out_interface),
            "it leaves through another interface",
        )?;
        let source = packet.source();
        is(
            self.source
                .is_none_or(|subnet| subnet.net().contains(&source)),
            "its source is another",
        )?;
        let goes =
            |to: super::super::rules::Destination| to.holds(packet.family(), packet.destination());
        is(
            self.destination.is_none_or(goes),
            "its destination is another",
        )?;
        let protocol = self.protocol;
        is(
            protocol.is_none_or(|protocol| protocol.number() == packet.protocol),
            "its protocol is another",
        )?;
        is(
            self.source_port.is_none() || self.source_port == packet.source_port,
            "it comes from another port",
        )?;
        is(
            self.destination_port.is_none() || self.destination_port == packet.destination_port,
            "its port is another",
        )?;
        is(
            !self.to_host || packet.goes_to_host() == Some(true),
            "it does not go to the host",
        )?;
        is(
            !self.redirected || packet.redirected,
            "no forward gave it its destination",
        )?;
        is(
            !self.known_flow || packet.flow.is_known(),
            match packet.flow {
                Flow::New => "its flow is new",
                _ => "its flow is not known",
            },
        )?;
        is(
            !self.no_flow || packet.flow.has_no_connection(),
            "it belongs to a connection",
        )?;
        // What is not known comes last, so that nothing else decides.
        match packet.is_forged().filter(|_| self.forged) {
            Some(false) => Err("its source is behind the interface"),
            None if self.forged => Err(UNKNOWN_PATH),
            _ => Ok(()),
        }
    }
}
