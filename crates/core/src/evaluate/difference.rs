//! The two documented differences between the layout `mapped` and everything else: what `mapped`
//! refuses and libvirt's order of rules lets pass. `docs/layouts.md` has them for people.
//!
//! Each is a rule of its own, said of networks and packets and not of how either side evaluates
//! them: where two fates differ and neither holds, something is wrong.

use std::fmt;

use serde::Serialize;

use super::{Fate, Nat, Packet, Verdict};
use crate::network::{Family, Network};
use crate::rules::{Action, Guard, Role, Ruleset};

/// A difference between `mapped` and `flat` that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// What a network does not let out does not get into another network either.
    BothMustAgree,
    /// Nothing is forwarded over IPv6 past a network that has no IPv6.
    EveryBridgeGuarded,
}

/// What networks mean in either reading: all that the differences are said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The rules as libvirt has them.
    pub as_defined: Ruleset,
    /// Those with every bridge guarded.
    pub every_bridge: Ruleset,
}

impl Meaning {
    /// What these networks mean, started in this order.
    #[must_use]
    pub fn of<'a>(networks: impl IntoIterator<Item = &'a Network> + Clone) -> Self {
        Self {
            as_defined: Ruleset::of(networks.clone(), Guard::AsDefined),
            every_bridge: Ruleset::of(networks, Guard::EveryBridge),
        }
    }
}

impl Difference {
    /// Both.
    pub const ALL: [Self; 2] = [Self::BothMustAgree, Self::EveryBridgeGuarded];

    /// The one that makes `flat` and `mapped` treat this packet so differently; none if the fates
    /// are equal, or differ for another reason.
    #[must_use]
    pub fn between(meaning: &Meaning, packet: &Packet, flat: &Fate, mapped: &Fate) -> Option<Self> {
        let refused = Fate {
            verdict: Verdict::Reject,
            nat: Nat::None,
        };
        if flat.verdict != Verdict::Accept || *mapped != refused {
            return None;
        }
        Self::ALL
            .into_iter()
            .find(|difference| difference.concerns(meaning, packet))
    }

    /// Whether the packet is one that it is about; `flat` may refuse it all the same.
    fn concerns(self, meaning: &Meaning, packet: &Packet) -> bool {
        if !packet.is_forwarded() {
            return false;
        }
        let asked = |ruleset: &Ruleset, role: Role| {
            let mut rules = ruleset.at(packet.family(), role);
            rules
                .find(|rule| rule.matches.apply(packet).is_ok())
                .map(|rule| rule.action)
        };
        // What is accepted first of all is so in either reading.
        if asked(&meaning.every_bridge, Role::GuestCross).is_some() {
            return false;
        }
        match self {
            // The network it goes to would take it, the one it comes from does not let it out.
            Self::BothMustAgree => {
                asked(&meaning.as_defined, Role::GuestInput) == Some(Action::Accept)
                    && asked(&meaning.as_defined, Role::GuestOutput) == Some(Action::Reject)
            }
            // At one end is a bridge that has no rules in IPv6 unless each of them has.
            Self::EveryBridgeGuarded => {
                packet.family() == Family::Ipv6
                    && [Role::GuestInput, Role::GuestOutput]
                        .into_iter()
                        .any(|role| {
                            asked(&meaning.as_defined, role).is_none()
                                && asked(&meaning.every_bridge, role) == Some(Action::Reject)
                        })
            }
        }
    }

    /// Its name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BothMustAgree => "both-must-agree",
            Self::EveryBridgeGuarded => "every-bridge-guarded",
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
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
