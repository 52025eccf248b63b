//! What differences mean.

use palisade_core::backend::Discrepancy;

use super::Firewall;
use crate::consequence::{Consequence, consequence};
use crate::explain::ExplainError;

impl Firewall {
    /// What it means for packets that these differences, which [`verify`](Self::verify) found, are
    /// there: a packet that is treated otherwise than it should be, if there is one. It takes a few
    /// seconds at most, and looks at nothing where nothing differs.
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
        let records = self.running()?;
        let namespace = self.namespace.clone();
        let inspector = self.inspector()?;
        consequence(
            &mut inspector.reader(),
            namespace.as_deref(),
            &records,
            differences,
        )
    }
}
