//! The rules that lead to the administrator's chains.

use super::action::Action;
use super::admin::AdminChain;
use super::kind::RuleKind;
use super::matches::Matches;
use crate::network::InterfaceName;

/// The rules of a bridge that lead to the chains.
pub(super) fn admin_rules(
    bridge: &InterfaceName,
) -> impl Iterator<Item = (RuleKind, Matches, Action)> {
    AdminChain::ALL.into_iter().map(|chain| {
        let (kind, enters) = match chain {
            AdminChain::FromGuest => (RuleKind::AdminFromGuest, true),
            AdminChain::ToGuest => (RuleKind::AdminToGuest, false),
            AdminChain::Input => (RuleKind::AdminInput, true),
        };
        let matches = Matches {
            in_interface: enters.then(|| bridge.clone()),
            out_interface: (!enters).then(|| bridge.clone()),
            ..Matches::default()
        };
        (kind, matches, Action::Administrator(chain))
    })
}
