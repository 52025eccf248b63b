//! What the kernel has in tables of the `nft` programs and these do not print: they leave out what
//! they have no words for, and print the rest as if that were the rule.

use std::error::Error;

use palisade_core::network::Family;

use crate::run::{RestoreError, Unprinted};
use crate::text::{Counters, Table, Words};

/// A chain, as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeChain {
    /// Its name.
    pub name: String,
    /// What becomes of packets at its end, in the words of the programs; only chains of the kernel
    /// have one.
    pub policy: Option<String>,
    /// Its rules, in the order in which packets meet them.
    pub rules: Vec<NativeRule>,
}

/// A rule, as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeRule {
    /// The kernel's number for it.
    pub handle: u64,
    /// What it says, in nft's words.
    pub text: String,
    /// Whether the programs print it as it is.
    pub is_printed: bool,
    /// The chain to which it sends every packet, if that is all that it does.
    pub jump: Option<String>,
    /// What it counted.
    pub counters: Option<Counters>,
}

/// Whoever reads tables of nf_tables as they are.
pub trait Native: Send {
    /// The chains of a table, each with its rules; none of a table that is not there.
    ///
    /// # Errors
    /// If the kernel does not tell.
    fn chains(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<NativeChain>, Box<dyn Error + Send + Sync>>;

    /// The names of the chains of a table.
    ///
    /// # Errors
    /// If the kernel does not tell.
    fn chain_names(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
        let chains = self.chains(family, table)?;
        Ok(chains.into_iter().map(|chain| chain.name).collect())
    }

    /// Whether the old `ip_tables` has tables for a family.
    fn uses_legacy(&mut self, family: Family) -> bool;
}

impl NativeRule {
    /// What the programs print of a jump of all packets; of all else, nft's words.
    pub(super) fn words(&self) -> Words {
        match &self.jump {
            Some(chain) => crate::rule::jump(chain),
            None => native_words(&self.text),
        }
    }
}

/// The same, with the error in this backend's words.
pub(super) fn chains(
    native: &mut dyn Native,
    family: Family,
    table: &str,
) -> Result<Vec<NativeChain>, RestoreError> {
    let found = native.chains(family, table);
    found.map_err(|source| RestoreError::Unseen {
        table: table.to_owned(),
        source,
    })
}

/// Whether one of our chains is in a table.
pub(super) fn has_own_chain(
    native: &mut dyn Native,
    family: Family,
    table: &str,
) -> Result<bool, RestoreError> {
    let found = native.chain_names(family, table);
    let names = found.map_err(|source| RestoreError::Unseen {
        table: table.to_owned(),
        source,
    })?;
    Ok(names.iter().any(|name| crate::rule::is_chain(name)))
}

/// The rules that the programs do not print as they are.
pub(super) fn unprinted(chains: Vec<NativeChain>) -> impl Iterator<Item = Unprinted> {
    let of_chain = |NativeChain { name, rules, .. }| {
        let unprinted = rules.into_iter().filter(|rule| !rule.is_printed);
        unprinted.map(move |rule| Unprinted {
            chain: String::clone(&name),
            handle: rule.handle,
            text: rule.text,
        })
    };
    chains.into_iter().flat_map(of_chain)
}

/// Puts nft's words for rules where the programs printed something else.
pub(super) fn correct(saved: &mut Table, chains: &[NativeChain]) {
    for chain in chains {
        let printed = saved.rules.iter_mut().filter(|r| r.chain == chain.name);
        for (rule, native) in printed.zip(&chain.rules) {
            if !native.is_printed {
                rule.words = native_words(&native.text);
            }
        }
    }
}

fn native_words(text: &str) -> Words {
    let Ok(words) = text.parse();
    words
}
