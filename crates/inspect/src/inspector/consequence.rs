//! What differences mean for packets.

use palisade_core::backend::Discrepancy;

use super::Inspector;
use crate::consequence::{Consequence, consequence};
use crate::explain::ExplainError;

impl Inspector<'_> {
    /// What these differences, which [`verify`](palisade::Firewall::verify) found, mean for
    /// packets: a packet that is treated otherwise than it should be, if there is one. It takes a
    /// few seconds at most, and reads nothing where nothing differs.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn consequence(
        &mut self,
        differences: &[Discrepancy],
    ) -> Result<Consequence, ExplainError> {
        if differences.is_empty() {
            return Ok(Consequence::None);
        }
        let records = self.firewall.running()?;
        let namespace = self.firewall.namespace().map(ToOwned::to_owned);
        let nftables = self.nftables()?;
        consequence(
            &mut nftables.reader(),
            namespace.as_deref(),
            &records,
            differences,
        )
    }
}
