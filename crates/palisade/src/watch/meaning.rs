//! What a commit means to the networks that run.

use std::collections::BTreeSet;

use palisade_core::backend::{Installed, Line, Sign};
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::{Family, Name};
use palisade_core::owner::Owner;
use palisade_core::state::Record;
use palisade_nft::events::{self, Commit, Object, Way};
use palisade_nft::layout::{self, Layout};
use palisade_nft::object::{self, Element};
use palisade_nft::owner;

use crate::backends;
use crate::firewall::Firewall;

use super::notice::{Change, Process};

/// The tables in which `iptables-nft` puts rules.
const OF_IPTABLES: [&str; 3] = ["filter", "nat", "mangle"];

/// What is known of networks: as they were recorded before a change and after it.
pub(super) struct Meaning<'a> {
    records: Vec<&'a Record>,
    tables: BTreeSet<String>,
    /// Whether a network is in the tables of `iptables-nft`.
    in_iptables: bool,
}

impl<'a> Meaning<'a> {
    pub(super) fn new(firewall: &Firewall, before: &'a [Record], now: &'a [Record]) -> Self {
        let mut meaning = Self {
            records: now.iter().chain(before).collect(),
            tables: BTreeSet::new(),
            in_iptables: false,
        };
        for record in before.iter().chain(now) {
            match firewall.location(&record.placement) {
                Some(Location::OwnTable(table)) => drop(meaning.tables.insert(table)),
                Some(Location::SharedTables(Subsystem::NfTables)) => meaning.in_iptables = true,
                _ => {}
            }
        }
        meaning
    }

    /// What a commit changed of ours; none if nothing.
    pub(super) fn of(&self, commit: &Commit) -> Option<Change> {
        self.in_words(commit, |change| self.is_ours(change))
    }

    /// What a commit changed in the chains of the kernel from which packets come to ours; none if
    /// nothing.
    pub(super) fn before_ours(&self, commit: &Commit) -> Option<Change> {
        let told = self.in_words(commit, leads_to_ours);
        told.filter(|_| self.in_iptables)
    }

    fn in_words(&self, commit: &Commit, is_it: impl Fn(&events::Change) -> bool) -> Option<Change> {
        let ours = || commit.changes.iter().filter(|change| is_it(change));
        ours().next()?;
        let transaction = ours().find_map(marker);
        let mut lines: Vec<Line> = Vec::new();
        for change in ours() {
            // With its table, all goes; with a new one, all comes.
            let with_table = |other: &events::Change| {
                other.object == Object::Table
                    && other.way == Way::Gone
                    && (other.family, &other.table) == (change.family, &change.table)
            };
            let is_table = change.object == Object::Table;
            if !is_table && change.way == Way::Gone && commit.changes.iter().any(with_table) {
                continue;
            }
            self.tell(change, &mut lines);
        }
        let mut networks: Vec<Name> = Vec::new();
        for name in lines.iter().filter_map(|line| line.network.as_ref()) {
            if !networks.contains(name) {
                networks.push(name.clone());
            }
        }
        for change in ours().filter(|change| change.object == Object::Table) {
            for record in &self.records {
                let name = record.network.name();
                if !networks.contains(name) && is_in(record, change) {
                    networks.push(name.clone());
                }
            }
        }
        let process = commit.process.map(|id| Process {
            id,
            name: commit.name.clone().unwrap_or_default(),
        });
        Some(Change {
            generation: commit.generation,
            process,
            own: transaction.is_some(),
            transaction,
            networks,
            lines,
        })
    }

    /// Whether a commit may be told: it is about what is known, or may be a first transaction of ours.
    pub(super) fn may_tell(&self, commit: &Commit) -> bool {
        let may_be_first = |change: &events::Change| match &change.object {
            Object::Elements { set, .. } => set == layout::TRANSACTION,
            Object::Chain(chain) => is_of_iptables(change) && Owner::of_chain(chain).is_palisade(),
            _ => false,
        };
        let mut changes = commit.changes.iter();
        changes.any(|change| self.is_ours(change) || may_be_first(change))
    }

    /// Whether a commit of others may have moved what is ours: a jump among theirs.
    pub(super) fn may_concern(&self, commit: &Commit) -> bool {
        let mut changes = commit.changes.iter();
        self.in_iptables && changes.any(is_of_iptables)
    }

    fn is_ours(&self, change: &events::Change) -> bool {
        let of_chain = |chain: &str| Owner::of_chain(chain).is_palisade();
        if is_laid_out(change.family) && self.tables.contains(&change.table) {
            return true;
        }
        self.in_iptables
            && is_of_iptables(change)
            && match &change.object {
                Object::Table => change.way == Way::Gone,
                Object::Chain(chain) => of_chain(chain),
                Object::Rule(rule) => of_chain(&rule.chain),
                Object::Set(_) | Object::Elements { .. } | Object::Other => false,
            }
    }

    fn tell(&self, change: &events::Change, lines: &mut Vec<Line>) {
        let sign = match change.way {
            Way::New => Sign::Comes,
            Way::Gone => Sign::Goes,
        };
        let events::Change { family, table, .. } = change;
        let mut tell = |network: Option<Name>, object: &str, text: &str| {
            let space = if text.is_empty() { "" } else { " " };
            let text = format!("{object} {family} {table}{space}{text}");
            lines.push(Line {
                network,
                sign,
                text,
            });
        };
        match &change.object {
            Object::Table => tell(None, "table", ""),
            Object::Chain(chain) => tell(None, "chain", chain),
            Object::Set(set) => tell(None, "set", set),
            Object::Rule(rule) => {
                // The kernel reports a deleted rule as completely as a new one.
                let owner = if self.tables.contains(&rule.table) {
                    owner::in_own_table(rule)
                } else {
                    Owner::in_chain(&rule.chain, rule.comment())
                };
                let network = owner.serves().map(|(network, _)| network);
                tell(network, "rule", &format!("{} {rule:#}", rule.chain));
            }
            Object::Elements { set, elements } if set == layout::TRANSACTION => {
                log::debug!("{} marks of transactions", elements.len());
            }
            Object::Elements { set, elements } => {
                for element in elements {
                    let (network, key) = self.element(change, set, element);
                    tell(network, "element", &format!("{set} {{ {key} }}"));
                }
            }
            Object::Other => tell(None, "something in", ""),
        }
    }

    fn element(
        &self,
        change: &events::Change,
        set: &str,
        element: &Element,
    ) -> (Option<Name>, String) {
        let family = match change.family {
            object::Family::Ip6 => Family::Ipv6,
            _ => Family::Ipv4,
        };
        let key = layout::key_text(family, set, &element.key).to_string();
        let is_it = |installed: &Installed| {
            installed.place == set && installed.item.key() == Some(element.key.as_slice())
        };
        let commented = element.userdata.text().and_then(Name::from_comment);
        let owner = commented.or_else(|| self.recorded(change, is_it));
        (owner, key)
    }

    fn recorded(
        &self,
        change: &events::Change,
        is_it: impl Fn(&Installed) -> bool,
    ) -> Option<Name> {
        let has = |record: &&&Record| {
            let mut installed = record.installed.iter();
            installed.any(|i| is_there(i, change) && is_it(i))
        };
        let record = self.records.iter().find(has)?;
        Some(record.network.name().clone())
    }
}

/// Whether the backends have tables of a family.
fn is_laid_out(family: object::Family) -> bool {
    let mut layers = Layout::LAYERS.into_iter();
    layers.any(|layer| object::Family::from(layer.family()) == family)
}

fn is_of_iptables(change: &events::Change) -> bool {
    is_laid_out(change.family) && OF_IPTABLES.contains(&change.table.as_str())
}

/// Whether a rule changed in a chain that has palisade's jumps.
fn leads_to_ours(change: &events::Change) -> bool {
    match &change.object {
        Object::Rule(rule) => {
            is_of_iptables(change) && backends::is_parent_chain(&change.table, &rule.chain)
        }
        _ => false,
    }
}

fn is_in(record: &Record, change: &events::Change) -> bool {
    record.installed.iter().any(|i| is_there(i, change))
}

fn is_there(installed: &Installed, change: &events::Change) -> bool {
    object::Family::from(installed.family) == change.family && installed.table == change.table
}

/// The name of the transaction whose marker came.
fn marker(change: &events::Change) -> Option<String> {
    match &change.object {
        Object::Elements { set, elements } if set == layout::TRANSACTION => {
            let key = &elements.first().filter(|_| change.way == Way::New)?.key;
            let end = key.iter().position(|&byte| byte == 0).unwrap_or(key.len());
            Some(String::from_utf8_lossy(&key[..end]).into_owned())
        }
        _ => None,
    }
}
