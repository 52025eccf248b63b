//! Whether this process may do what it is asked: a plain user is told before anything is tried.

use palisade_core::backend::Placement;
use palisade_core::engine::EngineError;
use palisade_core::location::Location;
use palisade_core::network::Network;
use palisade_core::state::Record;

use super::Firewall;
use crate::choice::Choice;
use crate::rights;

impl Firewall {
    /// Fails where rights are missing and any of the networks that run, as far as `concerned`, has
    /// rules.
    pub(super) fn check_rights(
        &self,
        lacking: EngineError,
        concerned: impl Fn(&Record) -> bool,
    ) -> Result<(), EngineError> {
        if !rights::are_missing(self.namespace.as_deref()) {
            return Ok(());
        }
        let records = self.state.records(None)?;
        let is_ruled = |record: &Record| self.has_rules(&record.placement);
        if records.iter().any(|r| concerned(r) && is_ruled(r)) {
            return Err(lacking);
        }
        Ok(())
    }

    /// Fails where rights are missing and rules may be installed: of a recorded network, or of one that no record names.
    pub(super) fn check_can_look(&self) -> Result<(), EngineError> {
        self.check_rights(EngineError::NotReadable, |_| true)?;
        if rights::are_missing(self.namespace.as_deref()) && self.state.records(None)?.is_empty() {
            return Err(EngineError::NotReadable);
        }
        Ok(())
    }

    /// Fails where rights are missing and any of these networks would have rules.
    pub(super) fn check_rights_for(
        &self,
        lacking: EngineError,
        networks: &[Network],
    ) -> Result<(), EngineError> {
        if !rights::are_missing(self.namespace.as_deref()) {
            return Ok(());
        }
        let records = self.state.records(None)?;
        let is_ruled = |network: &Network| {
            let mut records = records.iter();
            let running = records.find(|record| record.network.name() == network.name());
            let running = running.map(|record| &record.placement);
            let configured = &self.configured;
            let placement = self.choice.placement(running, configured, Choice::default);
            self.has_rules(&placement)
        };
        if networks.iter().any(is_ruled) {
            return Err(lacking);
        }
        Ok(())
    }

    /// Whether a network has rules at this placement.
    pub(super) fn has_rules(&self, placement: &Placement) -> bool {
        self.location(placement) != Some(Location::Nowhere)
    }
}
