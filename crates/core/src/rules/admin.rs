//! The administrator's place among palisade's rules.

use super::action::Action;
use super::kind::RuleKind;
use super::matches::Matches;
use crate::network::InterfaceName;

/// A chain for the administrator's own rules. Palisade creates it empty, sends the packets of guests
/// there before it decides on them, and never touches what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdminChain {
    /// Forwarded packets that guests send.
    FromGuest,
    /// Forwarded packets that guests receive.
    ToGuest,
    /// Packets that guests send to the host itself.
    Input,
}

impl AdminChain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FromGuest, Self::ToGuest, Self::Input];

    /// The rules of a bridge that lead to the chains.
    pub(super) fn rules(
        bridge: &InterfaceName,
    ) -> impl Iterator<Item = (RuleKind, Matches, Action)> {
        Self::ALL.into_iter().map(|chain| {
            let (kind, enters) = match chain {
                Self::FromGuest => (RuleKind::AdminFromGuest, true),
                Self::ToGuest => (RuleKind::AdminToGuest, false),
                Self::Input => (RuleKind::AdminInput, true),
            };
            let matches = Matches {
                in_interface: enters.then(|| bridge.clone()),
                out_interface: (!enters).then(|| bridge.clone()),
                ..Matches::default()
            };
            (kind, matches, Action::Administrator(chain))
        })
    }
}
