//! Networks whose rules are installed and that no record names: the state directory was lost.

use std::collections::{BTreeMap, HashSet};

use crate::installed::{Installed, Placement};
use crate::network::Name;
use crate::rules::{Rule, RuleKind};

/// What is installed in the name of one network at one placement, as comments say it, and not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// The network.
    pub network: Name,
    /// Where it is.
    pub placement: Placement,
    /// The rules and elements.
    pub installed: Vec<Installed>,
    /// What they mean. Those of a chain are in the order in which they were issued.
    pub rules: Vec<Rule>,
    /// The recorded network whose rules stand right below, where rules of networks are in an order.
    pub above: Option<Name>,
}

/// What verifying says of so many rules of a network, where none of its rules is recorded.
#[must_use]
pub fn detail(count: usize, items: [&str; 2], is_recorded_elsewhere: bool) -> String {
    let [one, many] = items;
    let items = if count == 1 { one } else { many };
    let detail = if is_recorded_elsewhere {
        "of a network that is recorded at another place: `palisade doctor` says how to remove them"
    } else {
        "of a network that no record names: `palisade recover --adopt` records it, unless another state \
         directory does"
    };
    format!("{count} {items} {detail}")
}

/// Gathers what is installed and not recorded, rule by rule. Rules of a chain are added from the bottom
/// up, which is the order in which they were issued.
#[derive(Debug, Default)]
pub struct Gathered {
    found: BTreeMap<(Name, Placement), Unrecorded>,
    /// The networks that have rules in chains, in the order in which they were started.
    in_order: Vec<Name>,
}

impl Gathered {
    /// Notes that a rule stands in a chain, recorded or not. Each ruled network has one of the kind that
    /// says in which order networks were started.
    pub fn pass(&mut self, rule: &Rule) {
        if rule.kind == RuleKind::RefuseIn && !self.in_order.contains(&rule.owner) {
            self.in_order.push(rule.owner.clone());
        }
    }

    /// Adds a rule or an element of a network, and what it means.
    pub fn add(
        &mut self,
        network: &Name,
        placement: &Placement,
        installed: Installed,
        rules: impl IntoIterator<Item = Rule>,
    ) {
        let of = self
            .found
            .entry((network.clone(), placement.clone()))
            .or_insert_with(|| Unrecorded {
                network: network.clone(),
                placement: placement.clone(),
                installed: Vec::new(),
                rules: Vec::new(),
                above: None,
            });
        of.installed.push(installed);
        of.rules.extend(rules);
    }

    /// All networks, in the order in which they were started as far as that can be seen; then by name.
    #[must_use]
    pub fn networks(self, recorded: &HashSet<&Name>) -> Vec<Unrecorded> {
        let mut found: Vec<Unrecorded> = self.found.into_values().collect();
        let rank = |name: &Name| self.in_order.iter().position(|other| other == name);
        for unrecorded in &mut found {
            let rank = rank(&unrecorded.network).unwrap_or_default();
            let below = self.in_order.iter().take(rank);
            let above = below.rev().find(|name| recorded.contains(name));
            unrecorded.above = above.cloned();
        }
        found.sort_by_key(|unrecorded| rank(&unrecorded.network).unwrap_or(usize::MAX));
        found
    }
}
