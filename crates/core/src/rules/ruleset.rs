//! The rules of a set of networks.

use super::derive::{Guard, rules};
use super::layer::Layer;
use super::role::Role;
use super::rule::Rule;
use crate::network::Network;

/// The rules of a set of networks, in the order in which packets meet them within each
/// [`Role`] and layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ruleset {
    rules: Vec<Rule>,
}

impl Ruleset {
    /// The rules of networks that were started in the order given: a later one's stand above.
    #[must_use]
    pub fn of<'a>(networks: impl IntoIterator<Item = &'a Network>, guard: Guard) -> Self {
        let mut issued: Vec<Rule> = networks
            .into_iter()
            .flat_map(|network| rules(network, guard))
            .collect();
        issued.reverse();
        Self::in_order(issued)
    }

    /// Rules that are already in the order in which packets meet them.
    #[must_use]
    pub fn in_order(mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(Rule::place);
        Self { rules }
    }

    /// All rules: by layer, then by role, then in the order in which packets meet them.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that a packet of `layer` meets at `role`, in that order.
    pub fn at(&self, layer: impl Into<Layer>, role: Role) -> impl Iterator<Item = &Rule> {
        let place = (layer.into(), role.place());
        let start = self.rules.partition_point(|rule| rule.place() < place);
        let rest = self.rules.get(start..).unwrap_or_default();
        rest.iter().take_while(move |rule| rule.place() == place)
    }
}
