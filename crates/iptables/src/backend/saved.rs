//! All tables as the programs print them, whoever's rules they hold.

use palisade_core::backend::BackendError;
use palisade_core::network::Family;

use super::{Iptables, IptablesError};
use crate::run::{RestoreError, Variant};
use crate::text;

impl Iptables {
    /// All tables of a family that these programs print; none if there are no such programs.
    ///
    /// # Errors
    /// If the programs fail.
    pub fn saved(
        &mut self,
        variant: Variant,
        family: Family,
    ) -> Result<Option<Vec<text::Table>>, BackendError> {
        match self.tables.read(variant, family, &[]) {
            Ok(tables) => Ok(Some(tables)),
            Err(RestoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(IptablesError::from(error).into()),
        }
    }
}
