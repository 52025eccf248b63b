//! What stands in iptables tables, whoever put it there.

use palisade_core::network::Family;

use super::tables::Tables;
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

impl Tables {
    /// All tables of a family of packets in a family of programs. Nothing is made.
    pub(super) fn saved(
        &mut self,
        variant: Variant,
        family: Family,
    ) -> Result<Saved, RestoreError> {
        let program = self.stem(variant, family)?.to_string();
        let tables = self.read(variant, family, &[])?;
        let left_out = match variant {
            Variant::Nft => self.left_out(family, &tables)?,
            Variant::Legacy => None,
        };
        Ok(Saved {
            variant,
            family,
            program,
            tables,
            left_out,
        })
    }

    /// The same where only palisade's chains matter, and what leads to them: a table that the
    /// programs do not print for the sake of other programs' chains is not left out.
    pub(super) fn saved_of_own(
        &mut self,
        variant: Variant,
        family: Family,
    ) -> Result<Saved, RestoreError> {
        let saved = self.saved(variant, family)?;
        if saved.left_out.is_none() {
            return Ok(saved);
        }
        match self.read(variant, family, &Table::ALL) {
            Ok(tables) => Ok(Saved {
                tables,
                left_out: None,
                ..saved
            }),
            Err(RestoreError::Incompatible { .. }) => Ok(saved),
            Err(error) => Err(error),
        }
    }
}
