//! A plain user's own state, beside the system's.

use std::path::{Path, PathBuf};

use palisade_core::engine::EngineError;

use super::Firewall;
use crate::folder;

impl Firewall {
    /// The state directory, where nothing is recorded in it, nobody chose it, and the system has
    /// one of its own ([`folder::SYSTEM`]): what runs is likely recorded there.
    ///
    /// # Errors
    /// If the state directory cannot be read.
    pub fn empty_beside_system(&self) -> Result<Option<PathBuf>, EngineError> {
        let Some(own) = &self.own_state else {
            return Ok(None);
        };
        if !Path::new(folder::SYSTEM).exists() {
            return Ok(None);
        }
        let records = self.state.records(None)?;
        Ok(records.is_empty().then(|| own.clone()))
    }
}
