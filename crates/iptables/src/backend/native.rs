//! What the kernel has in tables of the `nft` programs and these do not print: they leave out what
//! they have no words for, and print the rest as if that were the rule.

use std::error::Error;

use palisade_core::network::Family;

use crate::run::RestoreError;
use crate::text::{Table, Words};

/// A rule of which `iptables-nft-save` prints something else, or which keeps it from printing its
/// table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprinted {
    /// The chain.
    pub chain: String,
    /// Its place among the chain's rules, from 0.
    pub position: usize,
    /// The kernel's number for it.
    pub handle: u64,
    /// What it says, in nft's words.
    pub text: String,
}

/// Whoever reads tables of nf_tables as they are.
pub trait Native: Send {
    /// The rules of a table that the programs do not print as they are; none of a table that is not
    /// there.
    ///
    /// # Errors
    /// If the kernel does not tell.
    fn unprinted(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<Unprinted>, Box<dyn Error + Send + Sync>>;
}

/// The same, with the error in this backend's words.
pub(super) fn unprinted(
    native: &mut dyn Native,
    family: Family,
    table: &str,
) -> Result<Vec<Unprinted>, RestoreError> {
    let found = native.unprinted(family, table);
    found.map_err(|source| RestoreError::Unseen {
        table: table.to_owned(),
        source,
    })
}

/// Puts nft's words for rules where the programs printed something else.
pub(super) fn correct(saved: &mut Table, unprinted: Vec<Unprinted>) {
    for found in unprinted {
        let mut of_chain = saved.rules.iter_mut().filter(|r| r.chain == found.chain);
        if let Some(rule) = of_chain.nth(found.position) {
            let Ok(words) = found.text.parse::<Words>();
            rule.words = words;
        }
    }
}
