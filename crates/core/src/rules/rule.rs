//! One rule.

use super::action::Action;
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::Matches;
use super::role::Role;
use crate::network::Name;

/// One rule of one network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The network that the rule serves.
    pub owner: Name,
    /// What it is for, which says where it is evaluated.
    pub kind: RuleKind,
    /// The layer whose packets it sees.
    pub layer: Layer,
    /// The packets it applies to: those for which all of this holds.
    pub matches: Matches,
    /// What happens to them.
    pub action: Action,
}

impl Rule {
    /// Where the rule is evaluated.
    #[must_use]
    pub fn role(&self) -> Role {
        self.kind.role()
    }

    /// Where packets meet it: rulesets are sorted by that.
    pub(super) fn place(&self) -> (Layer, Option<usize>) {
        (self.layer, self.role().place())
    }

    /// Whether the action translates the source address.
    #[must_use]
    pub fn translates(&self) -> bool {
        matches!(self.action, Action::Masquerade { .. } | Action::Snat { .. })
    }
}
