//! The rules that a bridge has as such, whatever its network's mode and subnets.

use super::action::Action;
use super::admin_rules::admin_rules;
use super::kind::RuleKind;
use super::matches::Matches;
use crate::network::InterfaceName;

/// The rules of a bridge in a family: those that lead to the administrator's chains, and the one by which
/// networks that translate nothing between networks know it.
pub fn bridge_rules(bridge: &InterfaceName) -> impl Iterator<Item = (RuleKind, Matches, Action)> {
    let reached = Matches {
        out_interface: Some(bridge.clone()),
        ..Matches::default()
    };
    let reached = (RuleKind::BetweenNetworks, reached, Action::Accept);
    admin_rules(bridge).chain([reached])
}
