//! Tables as the programs of iptables list them.

pub(super) mod in_use;
mod passage;
mod removal;

use palisade_core::evaluate::{Ground, Member};
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::Family;
use palisade_core::owner::Owner;
use palisade_iptables::backend::Saved;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::run::Variant;
use palisade_iptables::text::{self, Chain, Table};
use palisade_netlink::rtnetlink::Link;

use super::group::{Change, Passage, Place, Removal, StopPlace, TableGroup};
use crate::libvirt::{Matched, is_its_chain};
use passage::DOCKER_USER;

/// The tables of a family of packets that one variant of the programs lists.
#[derive(Debug)]
pub(crate) struct SavedTables(pub(crate) Saved);

impl SavedTables {
    /// As a part of all that packets of a host pass; `None` if there are no rules.
    pub(super) fn into_member(self) -> Option<Member<'static>> {
        let Saved {
            family, variant, ..
        } = self.0;
        let label = format!("{}-{variant}", command(family));
        (!self.is_empty()).then(|| Tables::member(&label, family, &self.0.tables))
    }

    /// Whether the tables let everything pass.
    pub(super) fn is_empty(&self) -> bool {
        let drops = |chain: &Chain| chain.policy.as_deref() == Some("DROP");
        let mut tables = self.0.tables.iter();
        tables.all(|table| table.rules.is_empty() && !table.chains.iter().any(drops))
    }

    /// Whether a chain of the table `filter` is such.
    fn has_chain(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let filters = self.0.tables.iter().filter(|table| table.name == "filter");
        let mut chains = filters.flat_map(|table| &table.chains);
        chains.any(|chain| is_it(&chain.name))
    }

    /// What a function makes of each table, with its name and its first chain that `is_it`.
    fn removals(
        &self,
        is_it: fn(&str) -> bool,
        of: impl Fn(&Table) -> Option<String>,
    ) -> Vec<Removal> {
        let removal = |table: &Table| {
            let command = of(table)?;
            let mut chains = table.chains.iter().map(|chain| &chain.name);
            let place = Place {
                table: table.name.clone(),
                chain: chains.find(|name| is_it(name)).cloned(),
            };
            Some(Removal { place, command })
        };
        self.0.tables.iter().filter_map(removal).collect()
    }
}

impl TableGroup for SavedTables {
    fn owner(&self) -> Owner {
        if self.has_chain(|name| Owner::of_chain(name) == Owner::Ufw) {
            Owner::Ufw
        } else if self.has_chain(|name| name == DOCKER_USER) {
            Owner::Docker
        } else {
            Owner::Unknown
        }
    }

    fn location(&self) -> Location {
        Location::SharedTables(match self.0.variant {
            Variant::Nft => Subsystem::NfTables,
            Variant::Legacy => Subsystem::IpTables,
        })
    }

    fn program(&self) -> String {
        self.0.program.clone()
    }

    fn sees_frames(&self) -> bool {
        false
    }

    fn member(&self) -> Member<'_> {
        let tables = Tables::of(self.0.family, &self.0.tables);
        Member::new("", self.owner(), tables)
    }

    fn drop_policy(&self) -> &'static str {
        "DROP"
    }

    fn allow(&self, stop: StopPlace<'_>, passage: &Passage<'_>) -> Option<Change> {
        passage::allow(&self.owner(), &self.0.program, stop, passage)
    }

    fn with(&self, changes: &[Change]) -> Ground<'static> {
        let mut tables = self.0.tables.clone();
        for table in &mut tables {
            let its = changes.iter().filter(|change| change.table == table.name);
            let rules = its.map(|change| text::Rule {
                chain: change.chain.clone(),
                words: passage::words(&change.opening).into_iter().collect(),
                counters: None,
            });
            let rules: Vec<text::Rule> = rules.collect();
            table.rules.splice(0..0, rules);
        }
        Ground::of(Tables::of(self.0.family, &tables))
    }

    fn advice(&self) -> &'static str {
        passage::advice(&self.owner())
    }

    fn palisades(&self) -> Vec<Removal> {
        let is_palisades = |name: &str| Owner::of_chain(name).is_palisade();
        let program = &self.0.program;
        self.removals(is_palisades, |table| removal::palisades(program, table))
    }

    fn libvirts(&self) -> Vec<Place> {
        let removals = self.removals(is_its_chain, |_| Some(String::new()));
        let places = removals.into_iter().map(|removal| removal.place);
        places.filter(|place| place.chain.is_some()).collect()
    }

    fn libvirt_rules(&self, _links: &[Link]) -> Vec<Matched> {
        let rules = self.0.tables.iter().flat_map(|table| &table.rules);
        let its = rules.filter(|rule| is_its_chain(&rule.chain));
        its.map(|rule| Matched::of_iptables(&rule.words)).collect()
    }

    fn remove_libvirt_rules(
        &self,
        _links: &[Link],
        is_meant: &dyn Fn(&Matched) -> bool,
    ) -> Vec<String> {
        let (program, tables) = (&self.0.program, self.0.tables.iter());
        let remove = |table| removal::libvirt_rules(program, table, is_meant);
        tables.filter_map(remove).collect()
    }

    fn remove_libvirt(&self) -> Vec<String> {
        let (program, tables) = (&self.0.program, self.0.tables.iter());
        let remove = |table| removal::libvirt_chains(program, table);
        tables.filter_map(remove).collect()
    }
}

/// The name of the programs of a family.
fn command(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}
