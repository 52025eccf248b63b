//! The backend `none`: it remembers networks and installs no rules.

use std::collections::BTreeMap;

use palisade_core::backend::{
    Backend, BackendError, BackendId, Change, Discrepancy, Done, InstalledRules, Placement, Plan,
    RunError, Standing, Step,
};
use palisade_core::location::Location;
use palisade_core::network::{Family, Network};
use palisade_core::rules::{Guard, Rule, rules};
use palisade_core::state::Record;
use palisade_core::storage::Lock;

use super::kind::BackendKind;
use crate::choice::{BackendChoice, Choice};

/// The backend.
const ID: BackendId = BackendId::new("none");

/// Installs nothing.
pub(super) struct NoRules;

/// The backend `none`, to choose from.
pub(super) struct Kind;

impl BackendKind for Kind {
    fn id(&self) -> BackendId {
        ID
    }

    fn choice(&self) -> BackendChoice {
        BackendChoice::None
    }

    /// Without rules, nothing is said of established connections.
    fn placement(&self, _choice: &Choice) -> Placement {
        Placement {
            backend: ID,
            settings: BTreeMap::new(),
        }
    }

    fn recorded(&self, _placement: &Placement) -> Option<Choice> {
        Some(Choice::default())
    }

    fn is_meant_by(&self, _choice: &Choice) -> bool {
        false
    }

    fn render(&self, _: &[Network], _: &Choice, _: Option<Family>) -> String {
        String::new()
    }
}

impl Backend for NoRules {
    fn id(&self) -> BackendId {
        ID
    }

    fn rules(&self, network: &Network, _placement: &Placement) -> Vec<Rule> {
        rules(network, Guard::Libvirt)
    }

    fn location(&self, _placement: &Placement) -> Option<Location> {
        Some(Location::Nowhere)
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

    fn installed(&mut self, _: &Placement, _: Family) -> Result<InstalledRules, BackendError> {
        Ok(InstalledRules::default())
    }

    fn listing(&mut self, _placements: &[&Placement]) -> Result<String, BackendError> {
        Ok(String::new())
    }
}
