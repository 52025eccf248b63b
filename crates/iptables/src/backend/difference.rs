//! From an area and what stands in one of its tables to the commands that make it as it shall be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use palisade_core::backend::Foreign;
use palisade_core::identity::Digest;

use super::area::{Area, digest_of};
use super::draft::Draft;
use super::observed::{Id, Observed, Standing};
use super::order::in_order;
use super::renamed::Renamed;
use crate::rule::{Placed, Table, digest, is_stray_chain};
use crate::text::{Counters, Input};

/// How many rules of others a note names.
const NAMED: usize = 3;

/// What to do in one table.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) table: Table,
    pub(super) input: Input,
    /// What takes it back.
    pub(super) undo: Input,
    /// Whether networks do without it where the kernel refuses it.
    pub(super) is_optional: bool,
    /// Networks of [`Area::restored`] of which something is restored here.
    pub(super) restored: BTreeSet<usize>,
    pub(super) notes: Vec<String>,
}

pub(super) fn between(area: &Area<'_>, table: Table, observed: Observed) -> Difference {
    let mut work = Work {
        area,
        table,
        draft: Draft::new(observed),
        counted: HashMap::new(),
        restored: BTreeSet::new(),
        unasked: HashSet::new(),
        notes: Vec::new(),
    };
    let takes_away = work.go();
    if area.networks.is_empty() {
        work.vanish();
    } else {
        work.stand();
        work.restore();
        if area.foreign == Foreign::Remove {
            work.clear();
        }
        work.add();
    }
    work.tell_renamed();
    let mut here = area.rules().filter(|p| p.table == table);
    let (input, undo) = work.draft.finish(table.name());
    Difference {
        table,
        input,
        undo,
        is_optional: !takes_away && here.all(|placed| placed.kind.is_optional()),
        restored: work.restored,
        notes: work.notes,
    }
}

struct Work<'a> {
    area: &'a Area<'a>,
    table: Table,
    draft: Draft,
    /// What rules that go had counted, by chain and digest.
    counted: HashMap<(String, Digest), Counters>,
    restored: BTreeSet<usize>,
    /// The comments of rules that are missing of networks that are not looked at.
    unasked: HashSet<String>,
    notes: Vec<String>,
}

impl Work<'_> {
    /// What is recorded goes, as far as it stands. Whether any of it did.
    fn go(&mut self) -> bool {
        let mut chains: BTreeMap<&str, HashSet<Id>> = BTreeMap::new();
        for (restored, installed) in self.area.all_gone() {
            if installed.table != self.table.name() {
                continue;
            }
            let chain = installed.place.as_str();
            let digest = digest_of(installed);
            if let Some(id) = digest.and_then(|digest| self.draft.observed.claim(chain, digest)) {
                chains.entry(chain).or_default().insert(id);
                self.restored.extend(restored);
            }
        }
        for (chain, going) in &chains {
            self.take_all(chain, going);
        }
        !chains.is_empty()
    }

    /// Deletes rules, and remembers what they counted.
    fn take_all(&mut self, chain: &str, ids: &HashSet<Id>) {
        for &id in ids {
            let standing = self.draft.observed.rule(id);
            let key = (chain.to_owned(), standing.digest());
            let counted = standing.counters.map(|counters| (key, counters));
            self.counted.extend(counted);
        }
        self.draft.delete_all(chain, ids);
    }

    fn counted(&mut self, chain: &str, placed: &Placed) -> Option<Counters> {
        if self.counted.is_empty() {
            return None; // Most rules that come were not there before.
        }
        let key = (chain.to_owned(), digest(&placed.words));
        self.counted.remove(&key)
    }

    /// Our chains and the jumps to them. With the first network of a family all of them come; for
    /// those that stay, only a table that they need is looked at.
    fn stand(&mut self) {
        let observed = &self.draft.observed;
        let is_needed = self.area.rules().any(|p| p.table == self.table)
            || self.table.chains().any(|chain| observed.has_chain(chain));
        let is_looked_at = !self.area.restored.is_empty() && is_needed;
        if self.area.added.is_empty() && !is_looked_at {
            return;
        }
        let commands = self.draft.len();
        self.draft.raise(self.table);
        if self.draft.len() > commands {
            // Whoever is looked at and has rules here was without it.
            let is_here = |placed: &Placed| placed.table == self.table;
            let restored = self.area.restored.iter();
            let here = restored.filter(|(_, wanted)| wanted.iter().any(is_here));
            self.restored.extend(here.map(|&(network, _)| network));
        }
    }

    /// What is missing of networks that stay is put back, each rule between the others where it
    /// was; and what stands in another order is moved.
    fn restore(&mut self) {
        let chains: Vec<&str> = self.table.chains().collect();
        for chain in chains
            .into_iter()
            .filter(|_| !self.area.restored.is_empty())
        {
            self.restore_chain(chain);
        }
    }

    fn restore_chain(&mut self, chain: &str) {
        let mut owners: HashMap<Digest, usize> = HashMap::new();
        for (network, wanted) in &self.area.restored {
            let here = wanted.iter().filter(|p| is_in(p, self.table, chain));
            owners.extend(here.map(|placed| (digest(&placed.words), *network)));
        }
        // From the top down: later networks stand above earlier ones, and of one network what is
        // issued later above what is issued before. Those that come are not there yet.
        let networks = self.area.networks.iter().rev();
        let wanted: Vec<&Placed> = networks
            .filter(|held| !held.comes)
            .flat_map(|held| held.rules.iter().rev())
            .filter(|placed| is_in(placed, self.table, chain))
            .collect();
        let mut standing: Vec<(usize, Id)> = Vec::new();
        for (rank, placed) in wanted.iter().enumerate() {
            let id = self.draft.observed.claim(chain, digest(&placed.words));
            standing.extend(id.map(|id| (rank, id)));
        }
        let place: HashMap<Id, usize> = self.draft.observed.rules_of(chain).zip(0..).collect();
        standing.sort_by_key(|(_, id)| place.get(id));
        let ranks: Vec<usize> = standing.iter().map(|&(rank, _)| rank).collect();
        let kept: HashSet<usize> = in_order(&ranks).into_iter().collect();
        let owner = |rank: usize| owners.get(&digest(&wanted[rank].words)).copied();
        let mut anchors: BTreeMap<usize, Id> = BTreeMap::new();
        let mut missing: BTreeSet<usize> = (0..wanted.len()).collect();
        let mut misplaced = HashSet::new();
        for (rank, id) in standing {
            missing.remove(&rank);
            if kept.contains(&rank) {
                anchors.insert(rank, id);
            } else if owner(rank).is_some() {
                misplaced.insert(id);
                missing.insert(rank);
            }
        }
        self.take_all(chain, &misplaced);
        for rank in missing {
            let Some(network) = owner(rank) else {
                // Of a network that is not looked at: what somebody made of it is not looked at
                // either.
                let comment = wanted[rank].words.behind("--comment");
                self.unasked.extend(comment.map(str::to_owned));
                continue;
            };
            let place = self.place_among(chain, &anchors, rank);
            let counters = self.counted(chain, wanted[rank]);
            let id = self
                .draft
                .insert(chain, place, &wanted[rank].words, counters);
            anchors.insert(rank, id);
            self.restored.insert(network);
        }
    }

    /// Above the first rule that stands and shall be below; else below the last that shall be
    /// above, so that what others put at the end stays there.
    fn place_among(&self, chain: &str, anchors: &BTreeMap<usize, Id>, rank: usize) -> usize {
        let place = |id: &Id| self.draft.observed.place_of(chain, *id);
        let below = anchors.range(rank..).next().and_then(|(_, id)| place(id));
        let above = || {
            anchors
                .range(..rank)
                .next_back()
                .and_then(|(_, id)| place(id))
        };
        below.or_else(|| Some(above()? + 1)).unwrap_or(0)
    }

    /// What others put into our chains goes.
    fn clear(&mut self) {
        for chain in self.table.chains() {
            let mut ids = self.draft.observed.foreign_ids(chain);
            ids.retain(|&id| !self.is_unasked(id));
            if ids.is_empty() {
                continue;
            }
            let observed = &self.draft.observed;
            let standing = observed.rules_of(chain).filter(|id| ids.contains(id));
            let table = self.table.name();
            self.notes.extend(standing.map(|id| {
                let words = &observed.rule(id).words;
                format!(
                    "removed what palisade did not put there: table `{table}`: -A {chain} {words}"
                )
            }));
            self.draft.clear(chain, &ids);
        }
        self.clear_stray();
    }

    /// Chains named like palisade's that palisade does not know are removed, unless something leads to them.
    fn clear_stray(&mut self) {
        let observed = &self.draft.observed;
        let stray: Vec<String> = observed
            .chains()
            .filter(|chain| is_stray_chain(chain))
            .map(str::to_owned)
            .collect();
        for chain in stray {
            let observed = &self.draft.observed;
            let leading = observed.asking(self.table, &chain).into_iter();
            let leading = leading.map(|(from, standing)| format!("-A {from} {}", standing.words));
            let leading: Vec<String> = leading.collect();
            if !leading.is_empty() {
                self.notes.push(self.stays(&chain, &leading));
                continue;
            }
            let table = self.table.name();
            self.notes.push(format!(
                "removed what palisade did not put there: table `{table}`: chain `{chain}`"
            ));
            let ids: HashSet<Id> = observed.rules_of(&chain).collect();
            if !ids.is_empty() {
                self.draft.clear(&chain, &ids);
            }
            self.draft.delete_chain(&chain);
        }
    }

    fn is_unasked(&self, id: Id) -> bool {
        let comment = self.draft.observed.rule(id).words.behind("--comment");
        comment.is_some_and(|comment| self.unasked.contains(comment))
    }

    /// Networks that come: each rule goes to the head, or below the nearest rule of a network that
    /// was started later and stays.
    fn add(&mut self) {
        let (area, table) = (self.area, self.table);
        let above = area.comes_between().then(|| self.above());
        for (_, wanted) in &area.added {
            for placed in wanted.iter().filter(|placed| placed.table == table) {
                let chain = placed.chain;
                let counters = self.counted(chain, placed);
                let key = || (chain, digest(&placed.words));
                let above = above.as_ref().and_then(|above| above.get(&key()));
                let place = above.and_then(|&id| self.draft.observed.place_of(chain, id));
                let place = place.map_or(0, |above| above + 1);
                self.draft.insert(chain, place, &placed.words, counters);
            }
        }
    }

    /// For rules that come, by chain and digest: the nearest rule that stands and shall be above.
    fn above(&self) -> HashMap<(&'static str, Digest), Id> {
        let mut above = HashMap::new();
        let mut nearest: HashMap<&str, Id> = HashMap::new();
        for held in self.area.networks.iter().rev() {
            let rules = held.rules.iter().rev();
            for placed in rules.filter(|placed| placed.table == self.table) {
                if held.comes {
                    let nearest = nearest.get(placed.chain);
                    let key = (placed.chain, digest(&placed.words));
                    above.extend(nearest.map(|&id| (key, id)));
                } else if let Some(id) = self
                    .draft
                    .observed
                    .find(placed.chain, digest(&placed.words))
                {
                    nearest.insert(placed.chain, id);
                }
            }
        }
        above
    }

    /// No network is left: our chains go, but for those that hold or serve what others put there.
    fn vanish(&mut self) {
        // Those that others lead to come last.
        for chain in self.table.chains().chain(self.table.admin_chains()) {
            if !self.draft.observed.has_chain(chain) {
                continue;
            }
            let foreign = self.foreign(chain);
            if foreign.is_empty() {
                let parents = self.table.parents().iter();
                for (parent, _) in parents.filter(|(_, ours)| ours.contains(&chain)) {
                    self.draft.delete_jumps(parent, chain);
                }
                self.draft.delete_chain(chain);
            } else {
                self.notes.push(self.stays(chain, &foreign));
            }
        }
    }

    /// Of rules that go, or are repaired, those that stand under another chain's name are told.
    fn tell_renamed(&mut self) {
        let Area {
            variant, family, ..
        } = *self.area;
        let gone = self.area.all_gone().map(|(_, installed)| installed);
        let gone = gone.filter(|installed| installed.table == self.table.name());
        let gone = gone.filter_map(digest_of);
        let repaired = self
            .area
            .rules()
            .filter(|placed| placed.table == self.table && self.area.foreign == Foreign::Remove);
        let repaired = repaired.map(|placed| digest(&placed.words));
        let mut digests = gone.chain(repaired).peekable();
        if digests.peek().is_none() {
            return; // Others' rules may be many.
        }
        let observed = &self.draft.observed;
        let renamed = Renamed::of(observed, self.table);
        let place = (variant, family, self.table);
        let notes = renamed.notes(digests, observed, place);
        self.notes.extend(notes);
    }

    /// What others put into a chain, or send to it.
    fn foreign(&self, chain: &str) -> Vec<String> {
        let observed = &self.draft.observed;
        let text = |chain: &str, standing: &Standing| format!("-A {chain} {}", standing.words);
        let held = observed
            .foreign(chain)
            .map(|standing| text(chain, standing));
        let asking = observed.asking(self.table, chain).into_iter();
        let asking = asking.map(|(from, standing)| text(from, standing));
        held.chain(asking).collect()
    }

    fn stays(&self, chain: &str, foreign: &[String]) -> String {
        let named = foreign.iter().take(NAMED).map(String::as_str);
        let named = named.collect::<Vec<_>>().join("; ");
        let more = match foreign.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let Area {
            variant, family, ..
        } = self.area;
        format!(
            "chain `{chain}` of {} table `{}` ({variant}) stays, since it holds or serves what \
             palisade did not put there: {named}{more}",
            crate::run::word(*family),
            self.table.name()
        )
    }
}

fn is_in(placed: &Placed, table: Table, chain: &str) -> bool {
    placed.table == table && placed.chain == chain
}
