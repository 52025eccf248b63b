//! What stands in iptables tables, whoever put it there.

use palisade_core::backend::BackendError;
use palisade_core::network::Family;

use super::{Iptables, IptablesError};
use crate::rule::Table;
use crate::run::{RestoreError, Variant};
use crate::text;

/// What stands for a family of packets in the tables of a family of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Which programs.
    pub variant: Variant,
    /// Which packets.
    pub family: Family,
    /// The program that changes it: `iptables-legacy`, or `iptables` where that is the same.
    pub program: String,
    /// The tables.
    pub tables: Vec<text::Table>,
    /// A table that has rules and that the programs cannot print, so that it is none of these.
    pub left_out: Option<Table>,
}

impl Iptables {
    /// All that stands for a family of packets in the tables of a family of programs, whoever put it
    /// there. Nothing is made.
    ///
    /// # Errors
    /// If there are no such programs, or they do not print it.
    pub fn saved(&mut self, variant: Variant, family: Family) -> Result<Saved, BackendError> {
        let stem = self.tables.stem(variant, family);
        let program = stem.map_err(IptablesError::from)?.to_string();
        let tables = self.tables.read(variant, family, &[]);
        let tables = tables.map_err(IptablesError::from)?;
        let left_out = match variant {
            Variant::Nft => self.tables.left_out(family, &tables),
            Variant::Legacy => Ok(None),
        };
        Ok(Saved {
            variant,
            family,
            program,
            tables,
            left_out: left_out.map_err(IptablesError::from)?,
        })
    }

    /// The same where only our chains matter, and what leads to them: a table that the programs do
    /// not print for the sake of what others have in chains of theirs is not left out.
    ///
    /// # Errors
    /// As [`Self::saved`].
    pub fn saved_of_ours(
        &mut self,
        variant: Variant,
        family: Family,
    ) -> Result<Saved, BackendError> {
        let saved = self.saved(variant, family)?;
        if saved.left_out.is_none() {
            return Ok(saved);
        }
        match self.tables.read(variant, family, &Table::ALL) {
            Ok(tables) => Ok(Saved {
                tables,
                left_out: None,
                ..saved
            }),
            Err(RestoreError::Incompatible { .. }) => Ok(saved),
            Err(error) => Err(IptablesError::from(error).into()),
        }
    }
}
