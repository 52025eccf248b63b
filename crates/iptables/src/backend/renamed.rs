//! Rules of ours in chains of other names: somebody renamed a chain of ours, or copied it. By its name
//! such a chain is not ours, so it is told and left alone.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::identity::Digest;
use palisade_core::network::{Family, Name};

use super::observed::Observed;
use crate::rule::{Table, is_chain, tag};
use crate::run::{Variant, word};

/// Whose rules are in chains of other names, and what each of these rules says.
#[derive(Debug, Default)]
pub(super) struct Renamed {
    /// By what a rule says, its comment with it: the chain, and the network.
    rules: BTreeMap<Digest, (String, Name)>,
}

impl Renamed {
    /// The chains in which rules have a comment of ours.
    pub(super) fn of(observed: &Observed, table: Table) -> Self {
        let is_of_kernel = |chain: &str| table.parents().iter().any(|(name, _)| *name == chain);
        let others = observed
            .chains()
            .filter(|c| !is_chain(c) && !is_of_kernel(c));
        let mut rules = BTreeMap::new();
        for chain in others {
            for id in observed.rules_of(chain) {
                let standing = observed.rule(id);
                if let Some((network, _)) = tag(&standing.words) {
                    rules.insert(standing.digest(), (chain.to_owned(), network));
                }
            }
        }
        Self { rules }
    }

    /// The chain in which a rule stands that says one of these.
    pub(super) fn chain_of(&self, mut digests: impl Iterator<Item = Digest>) -> Option<&str> {
        let (chain, _) = digests.find_map(|digest| self.rules.get(&digest))?;
        Some(chain)
    }

    /// What people are told of chains in which rules stand that say one of these, and how to take them
    /// away.
    pub(super) fn notes(
        &self,
        digests: impl Iterator<Item = Digest>,
        observed: &Observed,
        (variant, family, table): (Variant, Family, Table),
    ) -> Vec<String> {
        let mut chains: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (chain, network) in digests.filter_map(|digest| self.rules.get(&digest)) {
            chains.entry(chain).or_default().insert(network.as_str());
        }
        let program = format!("{}-{variant} -t {}", word(family), table.name());
        let told = chains.into_iter().map(|(chain, networks)| {
            let asking = observed.asking(table, chain).into_iter();
            let asking = asking.map(|(from, standing)| format!("-D {from} {}", standing.words));
            let gone = asking.chain([format!("-F {chain}"), format!("-X {chain}")]);
            let away: Vec<String> = gone.map(|command| format!("`{program} {command}`")).collect();
            let networks: Vec<String> = networks.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "chain `{chain}` of {} table `{}` ({variant}) has rules of {} word for word: somebody \
                 renamed or copied a chain of palisade's; by its name it is not ours, and stays. {} \
                 take it away",
                word(family),
                table.name(),
                networks.join(", "),
                away.join(", ")
            )
        });
        told.collect()
    }
}
