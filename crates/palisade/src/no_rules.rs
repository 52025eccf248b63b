//! The backend `none`: it remembers networks and installs nothing.

use std::collections::BTreeMap;

use palisade_core::backend::{
    Backend, BackendError, Change, Discrepancy, Done, Placement, Plan, RunError, Standing, Step,
};
use palisade_core::rules::Rule;
use palisade_core::state::Record;
use palisade_core::storage::Lock;

/// The backend's name in records and on the command line.
pub(crate) const NAME: &str = "none";

pub(crate) struct NoRules;

pub(crate) fn placement() -> Placement {
    Placement {
        backend: NAME.to_owned(),
        settings: BTreeMap::new(),
    }
}

impl Backend for NoRules {
    fn name(&self) -> &'static str {
        NAME
    }

    fn omission(&self, _record: &Record, _rule: &Rule) -> Option<&'static str> {
        Some("the backend `none` installs nothing")
    }

    fn generation(&mut self) -> Result<Option<u64>, BackendError> {
        Ok(None)
    }

    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError> {
        Ok(Plan {
            added: vec![Vec::new(); change.add.len()],
            restored: vec![None; change.restore.len()],
            ..Plan::default()
        })
    }

    fn run(&mut self, _payload: &[u8], _lock: &Lock) -> Result<Done, RunError> {
        Ok(Done::default())
    }

    fn has_landed(&mut self, _step: &Step) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn verify(
        &mut self,
        _records: &[&Record],
        _asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError> {
        Ok(Vec::new())
    }

    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError> {
        Ok(vec![Vec::new(); records.len()])
    }

    fn listing(&mut self, _placements: &[&Placement]) -> Result<String, BackendError> {
        Ok(String::new())
    }
}
