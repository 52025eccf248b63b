//! The documented differences between the layout `mapped` and everything else: what libvirt's rules let
//! pass, answer or translate, and `mapped` does not. `docs/layouts.md` has them for people.
//!
//! Each is a rule of its own, said of networks and packets and not of how either side evaluates
//! them: where two fates differ and none holds, something is wrong.

use std::fmt;

use serde::Serialize;

use super::{Fate, Nat, Packet, Verdict};
use crate::network::{Family, Network};
use crate::rules::{Action, Guard, Role, Rule, RuleKind, Ruleset};

/// A difference between `mapped` and `flat` that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// What a network does not let out does not get into another network either.
    BothMustAgree,
    /// Nothing is forwarded over IPv6 past a network that has no IPv6.
    EveryBridgeGuarded,
    /// Nothing leaves a NAT network untranslated.
    NothingUntranslated,
    /// A forged source gets no answer and no way.
    NoForgedSource,
    /// Packets that stay on their bridge are never translated.
    BridgeUntranslated,
}

/// What networks mean in either reading: all that the differences are said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The rules as libvirt has them.
    pub as_defined: Ruleset,
    /// The stricter ones of `mapped`.
    pub strict: Ruleset,
}

impl Meaning {
    /// What these networks mean, started in this order.
    #[must_use]
    pub fn of<'a>(networks: impl IntoIterator<Item = &'a Network> + Clone) -> Self {
        Self {
            as_defined: Ruleset::of(networks.clone(), Guard::Libvirt),
            strict: Ruleset::of(networks, Guard::Strict),
        }
    }
}

impl Difference {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::BothMustAgree,
        Self::EveryBridgeGuarded,
        Self::NothingUntranslated,
        Self::NoForgedSource,
        Self::BridgeUntranslated,
    ];

    /// The one that makes `flat` and `mapped` treat this packet so differently; none if the fates
    /// are equal, or differ for another reason.
    #[must_use]
    pub fn between(meaning: &Meaning, packet: &Packet, flat: &Fate, mapped: &Fate) -> Option<Self> {
        let strict = |role, kind| {
            let rule = first(&meaning.strict, packet, role);
            rule.is_some_and(|rule| rule.kind == kind)
        };
        if mapped.verdict.passes() {
            let loses_nat = flat.verdict.passes() && flat.nat.translates();
            let is_kept = strict(Role::GuestNat, RuleKind::KeepOnBridge);
            let is_it = loses_nat && mapped.nat == Nat::None && is_kept;
            return is_it.then_some(Self::BridgeUntranslated);
        }
        let is_silent = mapped.verdict == Verdict::Drop;
        if is_silent && strict(Role::GuestSource, RuleKind::Spoofed) {
            return Some(Self::NoForgedSource);
        }
        // What is accepted first of all is so in either reading.
        let crosses = action(&meaning.strict, packet, Role::GuestCross) == Some(Action::Accept);
        if !packet.is_forwarded() || crosses {
            return None;
        }
        if is_silent && strict(Role::GuestOutput, RuleKind::Invalid) {
            return Some(Self::NothingUntranslated);
        }
        match flat.verdict {
            Verdict::Accept if is_let_in_from_elsewhere(meaning, packet) => {
                Some(Self::BothMustAgree)
            }
            Verdict::Accept if is_past_guard(meaning, packet) => Some(Self::EveryBridgeGuarded),
            // It is refused by both, and only one of them answers.
            Verdict::Reject if is_silent && strict(Role::GuestOutput, RuleKind::RefuseOut) => {
                Some(Self::NoForgedSource)
            }
            _ => None,
        }
    }

    /// Its name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BothMustAgree => "both-must-agree",
            Self::EveryBridgeGuarded => "every-bridge-guarded",
            Self::NothingUntranslated => "nothing-untranslated",
            Self::NoForgedSource => "no-forged-source",
            Self::BridgeUntranslated => "bridge-untranslated",
        }
    }

    /// What it means, in a sentence for people.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::BothMustAgree => {
                "mapped asks the source's network first: what it does not let out does not get \
                 into another network either"
            }
            Self::EveryBridgeGuarded => {
                "mapped guards every bridge in IPv6: nothing is forwarded past a network without \
                 an IPv6 subnet"
            }
            Self::NothingUntranslated => {
                "mapped drops what conntrack calls invalid or untracked from guests of NAT networks: \
                 it would leave with its private source"
            }
            Self::NoForgedSource => {
                "mapped drops packets with a source that is not behind the bridge they come from: \
                 neither they nor an answer to them get anywhere"
            }
            Self::BridgeUntranslated => {
                "mapped never translates what stays on its bridge, also where bridged frames meet \
                 the rules of IP"
            }
        }
    }
}

/// The first rule for a role that applies to a packet and does more than log it.
fn first<'r>(ruleset: &'r Ruleset, packet: &Packet, role: Role) -> Option<&'r Rule> {
    let mut rules = ruleset
        .at(packet.family(), role)
        .filter(|rule| rule.kind.logs().is_none());
    rules.find(|rule| rule.matches.apply(packet).is_ok())
}

fn action(ruleset: &Ruleset, packet: &Packet, role: Role) -> Option<Action> {
    first(ruleset, packet, role).map(|rule| rule.action)
}

/// Whether the network that it goes to would take it, and the one that it comes from does not let it
/// out.
fn is_let_in_from_elsewhere(meaning: &Meaning, packet: &Packet) -> bool {
    let defined = |role| action(&meaning.as_defined, packet, role);
    defined(Role::GuestInput) == Some(Action::Accept)
        && defined(Role::GuestOutput) == Some(Action::Reject)
}

/// Whether at one end is a bridge that has no rules in IPv6 unless each of them has.
fn is_past_guard(meaning: &Meaning, packet: &Packet) -> bool {
    let is_guarded = |role| {
        let strict = action(&meaning.strict, packet, role);
        let is_refused = matches!(strict, Some(Action::Reject | Action::Drop));
        is_refused && action(&meaning.as_defined, packet, role).is_none()
    };
    packet.family() == Family::Ipv6
        && [Role::GuestInput, Role::GuestOutput]
            .into_iter()
            .any(is_guarded)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
