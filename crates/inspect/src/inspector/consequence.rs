//! What differences mean for packets.

use palisade_core::backend::Discrepancy;
use palisade_core::engine::EngineError;

use super::Inspector;
use crate::consequence::{Consequence, consequence};

impl Inspector<'_> {
    /// What these differences, which [`verify`](palisade::Firewall::verify) found, mean for
    /// packets: a packet that is treated otherwise than it should be, if there is one. It takes a
    /// few seconds at most, and reads nothing where nothing differs.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn consequence(&mut self, differences: &[Discrepancy]) -> Result<Consequence, EngineError> {
        let records = match differences {
            [] => return Ok(Consequence::None),
            _ => self.firewall.running()?,
        };
        consequence(self.firewall, &records, differences)
    }
}
