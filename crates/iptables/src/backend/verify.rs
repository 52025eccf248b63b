//! What is recorded against what stands, each difference told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use palisade_core::Hint;
use palisade_core::backend::{Discrepancy, DiscrepancyKind, Installed};
use palisade_core::network::{Family, Name};
use palisade_core::state::Record;

use super::area::{digest_of, text_of};
use super::draft::{Jumps, jumps};
use super::error::IptablesError;
use super::observed::{Id, Observed};
use super::order::in_order;
use super::renamed::Renamed;
use super::tables::Tables;
use super::unrecorded::NOT_NEEDED;
use crate::rule::{Table, is_stray_chain, untag};
use crate::run::{RestoreError, Variant, word};
use crate::text::Words;

/// What is recorded of networks in one family of one variant: later networks, and what is issued
/// later of each, first, as it stands from the top down.
type Recorded<'a> = Vec<(&'a Record, &'a Installed)>;

pub(super) fn verify(
    tables: &mut Tables,
    records: &[&Record],
    asked: &[&Record],
) -> Result<Vec<Discrepancy>, IptablesError> {
    let mut looked_at = BTreeSet::new();
    for record in asked {
        let variant = tables.variant_of(&record.placement)?;
        let families = record.installed.iter().map(|installed| installed.family);
        looked_at.extend(families.map(|family| (variant, family)));
    }
    let mut in_order: Vec<&Record> = records.to_vec();
    in_order.sort_by_key(|record| record.order);
    let mut areas: BTreeMap<(Variant, Family), Recorded<'_>> = BTreeMap::new();
    for record in in_order.into_iter().rev() {
        let variant = tables.variant_of(&record.placement)?;
        for installed in record.installed.iter().rev() {
            let area = areas.entry((variant, installed.family)).or_default();
            area.push((record, installed));
        }
    }
    areas.retain(|area, _| looked_at.contains(area));
    let mut found = Vec::new();
    for ((variant, family), recorded) in areas {
        let saved = match tables.read(variant, family, &Table::ALL) {
            Ok(saved) => saved,
            Err(
                error @ (RestoreError::Incompatible { .. }
                | RestoreError::Unreadable { .. }
                | RestoreError::Silent { .. }),
            ) => {
                found.push(Discrepancy {
                    network: None,
                    object: format!("tables of {} ({variant})", word(family)),
                    kind: DiscrepancyKind::Unreadable,
                    detail: format!("{error}; {}", error.hint()),
                });
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for table in Table::ALL {
            let observed = saved.iter().find(|saved| saved.name == table.name());
            let here = recorded.iter().filter(|(_, i)| i.table == table.name());
            let mut look = Look {
                place: format!("{} table `{}` ({variant})", word(family), table.name()),
                table,
                observed: Observed::new(observed),
                found: &mut found,
            };
            look.at(&here.copied().collect());
        }
    }
    Ok(found)
}

/// A look at one table.
struct Look<'f> {
    /// The table, for people.
    place: String,
    table: Table,
    observed: Observed,
    found: &'f mut Vec<Discrepancy>,
}

impl Look<'_> {
    fn tell(
        &mut self,
        network: Option<&Name>,
        chain: &str,
        kind: DiscrepancyKind,
        detail: impl Into<String>,
    ) {
        self.found.push(Discrepancy {
            network: network.cloned(),
            object: format!("chain `{chain}` of {}", self.place),
            kind,
            detail: detail.into(),
        });
    }

    fn at(&mut self, recorded: &Recorded<'_>) {
        let is_there = |chain| self.observed.has_chain(chain);
        // A table that nobody needs may lack our chains: the kernel may not have it at all.
        if !recorded.is_empty() || self.table.chains().any(is_there) {
            self.skeleton(recorded);
        }
        let mut chains: BTreeMap<&str, Recorded<'_>> = BTreeMap::new();
        for chain in self.table.chains() {
            chains.insert(chain, Vec::new());
        }
        for &(record, installed) in recorded {
            let of_chain = chains.entry(&installed.place).or_default();
            of_chain.push((record, installed));
        }
        for (chain, recorded) in chains {
            self.rules(chain, &recorded);
        }
        let chains = self.observed.chains().filter(|chain| is_stray_chain(chain));
        let stray: Vec<String> = chains.map(str::to_owned).collect();
        for chain in stray {
            self.tell(None, &chain, DiscrepancyKind::Foreign, NOT_NEEDED);
        }
    }

    fn skeleton(&mut self, recorded: &Recorded<'_>) {
        for chain in self.table.chains().chain(self.table.admin_chains()) {
            if !self.observed.has_chain(chain) {
                let detail = self.lost(chain, recorded);
                self.tell(None, chain, DiscrepancyKind::Missing, detail);
            }
        }
        for (parent, ours) in self.table.parents() {
            match jumps(&self.observed, parent, ours) {
                Jumps::InPlace => {}
                Jumps::Missing(missing) => {
                    for chain in missing {
                        let detail = format!("the jump `-j {chain}`");
                        self.tell(None, parent, DiscrepancyKind::Missing, detail);
                    }
                }
                Jumps::Moved => {
                    let detail = format!("the jumps to {} are not at the head", ours.join(", "));
                    self.tell(None, parent, DiscrepancyKind::Order, detail);
                }
            }
        }
    }

    /// A chain that is missing, and where its rules are if somebody renamed it.
    fn lost(&self, chain: &str, recorded: &Recorded<'_>) -> String {
        let its = recorded.iter().filter(|(_, i)| i.place == chain);
        let its = its.filter_map(|(_, installed)| digest_of(installed));
        match Renamed::of(&self.observed, self.table).chain_of(its) {
            Some(renamed) => {
                format!("the chain; its rules are in `{renamed}`: somebody renamed or copied it")
            }
            None => "the chain".to_owned(),
        }
    }

    fn rules(&mut self, chain: &str, all: &Recorded<'_>) {
        let mut standing: Vec<(usize, Id)> = Vec::new();
        let mut missing: Vec<(&Record, &Installed)> = Vec::new();
        let mut seen = HashSet::new();
        for (rank, (record, installed)) in all.iter().enumerate() {
            // While a change is recorded, an item may be named twice.
            if !seen.insert((&installed.place, &installed.item)) {
                continue;
            }
            let digest = digest_of(installed);
            match digest.and_then(|digest| self.observed.claim(chain, digest)) {
                Some(id) => standing.push((rank, id)),
                None => missing.push((record, installed)),
            }
        }
        let foreign = self.observed.foreign(chain);
        let mut foreign: Vec<Words> = foreign.map(|standing| standing.words.clone()).collect();
        for (record, installed) in missing {
            let (network, text) = (record.network.name(), text_of(record, installed));
            // Another program changed a rule if one with its comment is there instead.
            let comment = installed.item.rule().map(|rule| rule.comment.as_str());
            let comment = comment.filter(|comment| untag(comment).is_some());
            let is_instead =
                |other: &Words| comment.is_some() && other.behind("--comment") == comment;
            match foreign.iter().position(is_instead) {
                Some(at) => {
                    let instead = foreign.remove(at);
                    let detail = format!("`{instead}` instead of `{text}`");
                    self.tell(Some(network), chain, DiscrepancyKind::Changed, detail);
                }
                None => {
                    self.tell(Some(network), chain, DiscrepancyKind::Missing, text);
                }
            }
        }
        for words in foreign {
            self.tell(None, chain, DiscrepancyKind::Foreign, words.to_string());
        }
        self.order(chain, all, standing);
    }

    fn order(&mut self, chain: &str, all: &Recorded<'_>, mut standing: Vec<(usize, Id)>) {
        let place: HashMap<Id, usize> = self.observed.rules_of(chain).zip(0..).collect();
        standing.sort_by_key(|(_, id)| place.get(id));
        let ranks: Vec<usize> = standing.iter().map(|&(rank, _)| rank).collect();
        let kept: HashSet<usize> = in_order(&ranks).into_iter().collect();
        for rank in ranks {
            if !kept.contains(&rank) {
                let (record, installed) = all[rank];
                let (network, text) = (record.network.name(), text_of(record, installed));
                self.tell(Some(network), chain, DiscrepancyKind::Order, text);
            }
        }
    }
}
