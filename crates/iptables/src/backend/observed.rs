//! A table as it stands, and which of its rules are whose.

use std::collections::{BTreeMap, HashMap, HashSet};

use palisade_core::identity::Digest;

use crate::rule::{Table, digest, jump};
use crate::text::{self, Counters, Words};

/// A table as it stands. Rules are claimed one by one for what is recorded or wanted; what nobody
/// claims is somebody else's. A [`Draft`](super::draft::Draft) changes it as the kernel will be.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// The rules of each chain in order, by their places in `rules`.
    chains: BTreeMap<String, Vec<usize>>,
    rules: Vec<Standing>,
    by_digest: HashMap<String, HashMap<Digest, Vec<usize>>>,
}

/// A rule as it stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) words: Words,
    pub(super) counters: Option<Counters>,
    digest: Digest,
    claimed: bool,
    gone: bool,
}

/// A rule that stands, by its place in [`Observed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(usize);

impl Observed {
    /// A table that was read; one that was not there has nothing in it.
    pub(super) fn new(table: Option<&text::Table>) -> Self {
        let mut observed = Self::default();
        let Some(table) = table else {
            return observed;
        };
        for chain in &table.chains {
            observed.chains.insert(chain.name.clone(), Vec::new());
        }
        for rule in &table.rules {
            let end = observed.rules_of(&rule.chain).len();
            observed.put(&rule.chain, end, rule.words.clone(), rule.counters);
        }
        observed
    }

    pub(super) fn has_chain(&self, chain: &str) -> bool {
        self.chains.contains_key(chain)
    }

    /// The names of all chains.
    pub(super) fn chains(&self) -> impl Iterator<Item = &str> {
        self.chains.keys().map(String::as_str)
    }

    /// The rules of a chain, in the order in which packets meet them.
    pub(super) fn rules_of(
        &self,
        chain: &str,
    ) -> impl DoubleEndedIterator<Item = Id> + ExactSizeIterator {
        let rules = self.chains.get(chain).map_or(&[][..], Vec::as_slice);
        rules.iter().copied().map(Id)
    }

    pub(super) fn rule(&self, id: Id) -> &Standing {
        &self.rules[id.0]
    }

    /// Where a rule stands in its chain, from 0.
    pub(super) fn place_of(&self, chain: &str, id: Id) -> Option<usize> {
        self.rules_of(chain).position(|other| other == id)
    }

    /// The first rule of a chain that does this, claimed or not.
    pub(super) fn find(&self, chain: &str, digest: Digest) -> Option<Id> {
        self.search(chain, digest, |_| true)
    }

    /// The first rule of a chain that does this and belongs to nobody yet. Each is found once.
    pub(super) fn claim(&mut self, chain: &str, digest: Digest) -> Option<Id> {
        let id = self.search(chain, digest, |standing| !standing.claimed)?;
        self.rules[id.0].claimed = true;
        Some(id)
    }

    fn search(&self, chain: &str, digest: Digest, is_it: impl Fn(&Standing) -> bool) -> Option<Id> {
        let mut found = self.by_digest.get(chain)?.get(&digest)?.iter();
        let stands = |id: &&usize| !self.rules[**id].gone && is_it(&self.rules[**id]);
        found.find(stands).copied().map(Id)
    }

    /// The rules of a chain that nobody claimed.
    pub(super) fn foreign(&self, chain: &str) -> impl Iterator<Item = &Standing> {
        let rules = self.rules_of(chain).map(|id| self.rule(id));
        rules.filter(|standing| !standing.claimed)
    }

    /// The same, by their numbers.
    pub(super) fn foreign_ids(&self, chain: &str) -> HashSet<Id> {
        let rules = self.rules_of(chain);
        rules.filter(|&id| !self.rule(id).claimed).collect()
    }

    /// Rules that send packets to a chain of ours and are not the jump that we put there.
    pub(super) fn asking<'o>(&'o self, table: Table, chain: &str) -> Vec<(&'o str, &'o Standing)> {
        let own = jump(chain);
        let mut asking = Vec::new();
        for from in self.chains() {
            let is_parent = table
                .parents()
                .iter()
                .any(|(parent, ours)| *parent == from && ours.contains(&chain));
            for id in self.rules_of(from) {
                let standing = self.rule(id);
                let words = &standing.words;
                if leads_to(words, chain) && !(is_parent && *words == own) {
                    asking.push((from, standing));
                }
            }
        }
        asking
    }

    pub(super) fn make_chain(&mut self, chain: &str) {
        self.chains.entry(chain.to_owned()).or_default();
    }

    pub(super) fn drop_chain(&mut self, chain: &str) {
        self.chains.remove(chain);
    }

    /// Puts a rule before the one that stands at this place, from 0.
    pub(super) fn put(
        &mut self,
        chain: &str,
        place: usize,
        words: Words,
        counters: Option<Counters>,
    ) -> Id {
        let id = self.rules.len();
        let rules = self.chains.entry(chain.to_owned()).or_default();
        rules.insert(place.min(rules.len()), id);
        let digest = digest(&words);
        let of_chain = self.by_digest.entry(chain.to_owned()).or_default();
        of_chain.entry(digest).or_default().push(id);
        self.rules.push(Standing {
            words,
            counters,
            digest,
            claimed: false,
            gone: false,
        });
        Id(id)
    }

    pub(super) fn mark_as_ours(&mut self, id: Id) {
        self.rules[id.0].claimed = true;
    }

    /// Takes rules away.
    pub(super) fn take_all(&mut self, chain: &str, ids: &HashSet<Id>) {
        if let Some(standing) = self.chains.get_mut(chain) {
            standing.retain(|&id| !ids.contains(&Id(id)));
        }
        for id in ids {
            self.rules[id.0].gone = true;
        }
    }
}

impl Standing {
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }
}

/// Whether a rule sends packets to a chain, in its own words or in those of the map that it asks, where
/// a comma may follow.
fn leads_to(words: &Words, chain: &str) -> bool {
    const OPTIONS: [&str; 4] = ["-j", "-g", "jump", "goto"];
    let mut pairs = words.as_slice().windows(2);
    pairs.any(|pair| OPTIONS.contains(&pair[0].as_str()) && pair[1].trim_end_matches(',') == chain)
}
