//! A packet through a ruleset.

use super::{Fate, Flow, Nat, Outcome, Packet, Verdict, Visit, Way};
use crate::Ruleset;
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

/// What becomes of a packet by these rules.
#[must_use]
pub fn fate(ruleset: &Ruleset, packet: &Packet, reading: Reading) -> Fate {
    let mut walk = Walk {
        ruleset,
        packet,
        visit: |_: &Rule, _: Result<(), &'static str>| {},
    };
    walk.fate(reading).0
}

/// What becomes of a packet by these rules, and which of them it meets.
#[must_use]
pub fn evaluate(ruleset: &Ruleset, packet: &Packet, reading: Reading) -> Outcome {
    let mut path = Vec::new();
    let mut walk = Walk {
        ruleset,
        packet,
        visit: |rule: &Rule, applies: Result<(), &'static str>| path.push(visited(rule, applies)),
    };
    let (fate, nat_because) = walk.fate(reading);
    Outcome {
        fate,
        path,
        nat_because,
        doubts: Vec::new(),
        is_untracked: packet.flow == Flow::Untracked,
    }
}

fn visited(rule: &Rule, applies: Result<(), &'static str>) -> Visit {
    Visit {
        table: None,
        chain: rule.role().to_string(),
        handle: None,
        rule: rule.to_string(),
        network: Some(rule.owner.clone()),
        purpose: Some(rule.kind),
        matched: Some(applies.is_ok()),
        why: match applies {
            Ok(()) => rule.action.to_string(),
            Err(why) => why.to_owned(),
        },
        counter: None,
    }
}

/// A packet on its way through rules. `visit` is told of each that it meets: whether it applies,
/// or why not.
struct Walk<'a, V> {
    ruleset: &'a Ruleset,
    packet: &'a Packet,
    visit: V,
}

impl<V: FnMut(&Rule, Result<(), &'static str>)> Walk<'_, V> {
    fn fate(&mut self, reading: Reading) -> (Fate, String) {
        let verdict = match (self.packet.way(), reading) {
            (Way::Through, Reading::InOrder) => self.in_order(),
            (Way::Through, Reading::BothAgree) => self.both_agree(),
            (Way::In, _) => self.verdict(Role::HostInput),
            (Way::Out, _) => self.verdict(Role::HostOutput),
        };
        let verdict = verdict.unwrap_or(Verdict::Accept);
        let (nat, because) = match (verdict, self.packet.way()) {
            (Verdict::Accept, Way::Through | Way::Out) => {
                self.first(Role::Mangle);
                self.nat()
            }
            (Verdict::Accept, Way::In) => (Nat::None, "the host takes it itself".to_owned()),
            (Verdict::Reject | Verdict::Drop, _) => {
                (Nat::None, "it does not get that far".to_owned())
            }
        };
        (Fate { verdict, nat }, because)
    }

    fn in_order(&mut self) -> Option<Verdict> {
        [Role::GuestCross, Role::GuestInput, Role::GuestOutput]
            .into_iter()
            .find_map(|role| self.verdict(role))
    }

    fn both_agree(&mut self) -> Option<Verdict> {
        if let Some(verdict) = self.verdict(Role::GuestCross) {
            return Some(verdict);
        }
        match self.verdict(Role::GuestOutput) {
            Some(refused @ (Verdict::Reject | Verdict::Drop)) => Some(refused),
            Some(Verdict::Accept) | None => self.verdict(Role::GuestInput),
        }
    }

    fn nat(&mut self) -> (Nat, String) {
        if let Some((nat, because)) = self.packet.flow.nat() {
            return (nat, because.to_owned());
        }
        match self.first(Role::GuestNat) {
            None => (Nat::None, "no rule translates it".to_owned()),
            Some(rule) => {
                let because = format!("{}: {}", rule.owner, rule.kind.explanation());
                (rule.action.nat(), because)
            }
        }
    }

    /// What the first rule at this place that applies makes of the packet.
    fn verdict(&mut self, role: Role) -> Option<Verdict> {
        self.first(role)?.action.verdict()
    }

    /// The first rule at this place that applies.
    fn first(&mut self, role: Role) -> Option<&Rule> {
        for rule in self.ruleset.at(self.packet.family(), role) {
            let applies = rule.matches.apply(self.packet);
            (self.visit)(rule, applies);
            if applies.is_ok() {
                return Some(rule);
            }
        }
        None
    }
}

impl Action {
    /// Whether a forwarded packet passes; none if that is not what the action is about.
    fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Accept => Some(Verdict::Accept),
            Self::Reject => Some(Verdict::Reject),
            Self::Return | Self::Masquerade { .. } | Self::Snat { .. } | Self::FillChecksum => None,
        }
    }

    fn nat(self) -> Nat {
        match self {
            Self::Masquerade { ports } => Nat::Masquerade { ports },
            Self::Snat { addresses, ports } => Nat::Snat { addresses, ports },
            Self::Accept | Self::Reject | Self::Return | Self::FillChecksum => Nat::None,
        }
    }
}

impl Matches {
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
            self.destination_port.is_none() || self.destination_port == packet.destination_port,
            "its port is another",
        )?;
        is(
            !self.known_flow || packet.flow.is_known(),
            match packet.flow {
                Flow::New => "its flow is new",
                _ => "its flow is not known",
            },
        )
    }
}
