//! Tables of nf_tables.

mod passage;
mod removal;

use std::borrow::Cow;

use palisade_core::evaluate::{Ground, Member};
use palisade_core::location::Location;
use palisade_core::network;
use palisade_core::owner::Owner;
use palisade_netlink::rtnetlink::Link;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::evaluate::member;
use palisade_nft::layout::{self, OF_IPTABLES};
use palisade_nft::object::{Family, Rule, Table};
use palisade_nft::owner;
use palisade_nft::program::Program;

use super::group::{Change, Passage, Place, Removal, StopPlace, TableGroup};
use crate::libvirt::{Matched, is_its_chain};
use removal::nft;

/// A table of nf_tables with what is in it.
#[derive(Debug)]
pub(crate) struct NftTable(Program);

/// Reads those tables that packets of IP pass, also as frames, and that are `wanted`; all as they
/// were at one moment.
pub(super) fn read(
    reader: &mut Reader<'_>,
    depth: Depth,
    is_wanted: impl Fn(&Table) -> bool,
) -> Result<Vec<NftTable>, DumpError> {
    use Family::{Bridge, Inet, Ip, Ip6, Netdev};
    let (tables, _) = reader.at_one_moment(|reader| {
        let mut tables = Vec::new();
        for table in reader.tables(Family::Other(0))? {
            if matches!(table.family, Inet | Ip | Ip6 | Bridge | Netdev) && is_wanted(&table) {
                tables.extend(reader.program(table.family, &table.name, depth)?);
            }
        }
        Ok(tables)
    })?;
    Ok(tables.into_iter().map(NftTable).collect())
}

/// Whether libvirt may have rules in a table: it has a table of its own, or chains in one that
/// programs of iptables made.
pub(super) fn may_have_libvirts(table: &Table) -> bool {
    match owner::of_table(table) {
        Owner::Libvirt => true,
        Owner::Unknown => {
            table.name == "filter" && matches!(table.family, Family::Ip | Family::Ip6)
        }
        _ => false,
    }
}

impl NftTable {
    /// As a part of all that packets of a host pass; `None` if it is switched off.
    pub(super) fn into_member(self) -> Option<Member<'static>> {
        (!self.is_dormant()).then(|| member(Cow::Owned(self.0)))
    }

    /// Whether programs of iptables made the table, for packets of a family.
    pub(super) fn is_of_iptables(&self, family: network::Family) -> bool {
        OF_IPTABLES
            .iter()
            .any(|name| self.is_table_of_iptables(family, name))
    }

    /// Whether it is the table that programs of iptables call `name`.
    pub(super) fn is_table_of_iptables(&self, family: network::Family, name: &str) -> bool {
        let table = &self.0.table;
        table.family == Family::from(family)
            && table.name == name
            && layout::version(table).is_none()
    }

    /// Whether the kernel runs none of its rules.
    fn is_dormant(&self) -> bool {
        /// `NFT_TABLE_F_DORMANT`.
        const DORMANT: u32 = 1;
        self.0.table.flags & DORMANT != 0
    }

    /// Its family and name.
    fn name(&self) -> String {
        format!("{} {}", self.0.table.family, self.0.table.name)
    }

    fn rules_of_libvirt(&self) -> impl Iterator<Item = &Rule> {
        let is_own = self.owner() == Owner::Libvirt;
        let chains = self.0.chains.iter();
        let its = chains.filter(move |chain| is_own || is_its_chain(&chain.chain.name));
        its.flat_map(|chain| &chain.rules)
    }
}

impl TableGroup for NftTable {
    fn owner(&self) -> Owner {
        owner::of_table(&self.0.table)
    }

    fn location(&self) -> Location {
        Location::OwnTable(self.0.table.name.clone())
    }

    fn program(&self) -> String {
        match self.owner() {
            Owner::Firewalld => "firewalld".to_owned(),
            _ => "nftables".to_owned(),
        }
    }

    fn sees_frames(&self) -> bool {
        matches!(self.0.table.family, Family::Bridge | Family::Netdev)
    }

    fn member(&self) -> Member<'_> {
        member(Cow::Borrowed(&self.0))
    }

    fn drop_policy(&self) -> &'static str {
        "drop"
    }

    fn allow(&self, stop: StopPlace<'_>, passage: &Passage<'_>) -> Option<Change> {
        passage::allow(&self.owner(), &self.0.table, stop, passage)
    }

    fn with(&self, changes: &[Change]) -> Ground<'static> {
        let mut changed = self.0.clone();
        for chain in &mut changed.chains {
            let its = changes.iter().filter(|it| it.chain == chain.chain.name);
            let rules = its.map(|change| passage::rule(&self.0.table, change));
            let rules: Vec<Rule> = rules.collect();
            chain.rules.splice(0..0, rules);
        }
        Ground::new([member(Cow::Owned(changed))])
    }

    fn advice(&self) -> &'static str {
        passage::advice(&self.owner(), self.0.table.family)
    }

    fn palisades(&self) -> Vec<Removal> {
        let is_own = self.owner().is_palisade();
        let command = is_own.then(|| removal::palisades(&self.0)).flatten();
        let place = Place {
            table: self.name(),
            chain: None,
        };
        let removal = command.map(|command| Removal { place, command });
        removal.into_iter().collect()
    }

    fn libvirts(&self) -> Vec<Place> {
        let place = || Place {
            table: self.name(),
            chain: None,
        };
        (self.owner() == Owner::Libvirt)
            .then(place)
            .into_iter()
            .collect()
    }

    fn libvirt_rules(&self, links: &[Link]) -> Vec<Matched> {
        let rules = self.rules_of_libvirt();
        rules
            .map(|rule| Matched::of_nftables(rule, links))
            .collect()
    }

    fn remove_libvirt_rules(
        &self,
        links: &[Link],
        is_meant: &dyn Fn(&Matched) -> bool,
    ) -> Vec<String> {
        let is_meant = |rule: &&Rule| is_meant(&Matched::of_nftables(rule, links));
        let rules = self.rules_of_libvirt().filter(is_meant);
        let delete = |rule: &Rule| {
            let (chain, handle) = (&rule.chain, rule.handle?);
            Some(format!(
                "delete rule {} {chain} handle {handle}",
                self.name()
            ))
        };
        let commands: Vec<String> = rules.filter_map(delete).collect();
        nft(&commands).into_iter().collect()
    }

    fn remove_libvirt(&self) -> Vec<String> {
        let delete = |place: Place| format!("nft delete table {}", place.table);
        self.libvirts().into_iter().map(delete).collect()
    }
}
