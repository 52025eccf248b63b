//! The layouts, and what each makes of networks.

use std::fmt;
use std::str::FromStr;

use palisade_core::network::{Family, Network};
use palisade_core::rules::{self, Guard, Layer, Rule, RuleKind};
use thiserror::Error;

use super::flat::{self, Extras};
use super::mapped::{self, SetId};
use super::names::TableName;
use super::omission::omission;
use super::skeleton::{Item, Skeleton};
use super::table_ref::TableRef;

/// How rules are laid out in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Layout {
    /// A fixed handful of rules, and elements of sets for each network.
    #[default]
    Mapped,
    /// libvirt's chains and rules, one for one.
    Flat,
}

impl Layout {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mapped, Self::Flat];

    /// The layers that both have rules for, each in a table of its family.
    pub const LAYERS: [Layer; 2] = Layer::IP;

    /// The name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Flat => "flat",
        }
    }

    /// For which networks the layout rules IPv6.
    #[must_use]
    pub fn guard(self) -> Guard {
        match self {
            Self::Mapped => Guard::Strict,
            Self::Flat => Guard::Libvirt,
        }
    }

    /// What must be installed for these networks; none if they need nothing in this family.
    #[must_use]
    pub fn skeleton<'a>(
        self,
        table: &TableName,
        family: Family,
        networks: impl IntoIterator<Item = &'a Network>,
    ) -> Option<Skeleton> {
        let table = TableRef { table, family };
        let mut rules = networks
            .into_iter()
            .flat_map(|network| self.rules(family, network))
            .peekable();
        rules.peek()?;
        Some(match self {
            Self::Mapped => mapped::skeleton(table, rules),
            Self::Flat => flat::skeleton(table, Extras::of_rules(rules)),
        })
    }

    /// What must be installed for the sets that a table has.
    #[must_use]
    pub(crate) fn skeleton_for(
        self,
        table: &TableName,
        family: Family,
        sets: &[SetId],
        extras: Extras,
    ) -> Skeleton {
        let table = TableRef { table, family };
        match self {
            Self::Mapped => mapped::skeleton_of(table, sets),
            Self::Flat => flat::skeleton(table, extras),
        }
    }

    /// Whether a chain of this name belongs to this layout.
    #[must_use]
    pub fn has_chain(self, name: &str) -> bool {
        match self {
            Self::Mapped => mapped::has_chain(name),
            Self::Flat => flat::has_chain(name),
        }
    }

    /// Whether a set of this name belongs to this layout.
    #[must_use]
    pub fn has_set(self, name: &str) -> bool {
        self == Self::Mapped && SetId::from_name(name).is_some()
    }

    /// What this network adds, in the order in which it is added.
    #[must_use]
    pub fn items(self, table: &TableName, family: Family, network: &Network) -> Vec<Item> {
        self.items_of(table, family, &self.issued(network))
    }

    /// What a network adds whose rules these are, of both families ([`issued`](Self::issued)).
    #[must_use]
    pub(crate) fn items_of(self, table: &TableName, family: Family, rules: &[Rule]) -> Vec<Item> {
        let table = TableRef { table, family };
        let rules = rules.iter().filter(|rule| rule.layer == family.into());
        match self {
            Self::Mapped => rules.flat_map(mapped::items).collect(),
            Self::Flat => rules
                .filter_map(|rule| flat::rule(table, rule).map(Item::Rule))
                .collect(),
        }
    }

    /// The rules of a network that this layout has a place for, in the order of issue.
    #[must_use]
    pub fn issued(self, network: &Network) -> Vec<Rule> {
        let mut rules = rules::rules(network, self.guard());
        rules.retain(|rule| {
            omission(rule.kind).is_none() && !self.has_in_another(network, rule.kind)
        });
        rules
    }

    /// Whether what rules of a kind say is said by those of another one.
    fn has_in_another(self, network: &Network, kind: RuleKind) -> bool {
        // The sender's network decides before in `mapped`: who is let in from everywhere, is from guests.
        self == Self::Mapped
            && kind == RuleKind::ForwardFromGuest
            && network.forward().device().is_none()
    }

    fn rules(self, family: Family, network: &Network) -> impl Iterator<Item = Rule> + use<> {
        let issued = self.issued(network).into_iter();
        issued.filter(move |rule| rule.layer == family.into())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a layout.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no layout: there are `mapped` and `flat`")]
pub struct UnknownLayout(pub String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        match text {
            "mapped" => Ok(Self::Mapped),
            "flat" => Ok(Self::Flat),
            other => Err(UnknownLayout(other.to_owned())),
        }
    }
}
