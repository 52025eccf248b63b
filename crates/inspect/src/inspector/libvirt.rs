//! libvirt's rules for the bridges of networks that were applied.

use palisade::{Action, Report};
use palisade_core::network::Name;

use super::Inspector;
use crate::host_rules::HostRulesError;
use crate::libvirt::notices;

impl Inspector<'_> {
    /// Notes for the report of a change: one for each bridge of its added and replaced networks
    /// that libvirt has rules for too. Empty if they cannot be looked for.
    pub fn libvirt_notes(&mut self, report: &Report) -> Vec<String> {
        let comes = |action| matches!(action, Action::Add | Action::Replace);
        let changes = report.changes.iter().filter(|change| comes(change.action));
        let names: Vec<&Name> = changes.map(|change| &change.network).collect();
        if names.is_empty() {
            return Vec::new();
        }
        self.notes_for(names).unwrap_or_else(|error| {
            log::debug!("libvirt's rules were not looked for: {error}");
            Vec::new()
        })
    }

    fn notes_for(&mut self, names: Vec<&Name>) -> Result<Vec<String>, HostRulesError> {
        let mut bridges = Vec::new();
        self.firewall.state().recall(names, |record| {
            bridges.extend(record.network.ruled_bridge().cloned());
        });
        Ok(notices(&self.reader()?.libvirt_rules()?, &bridges))
    }
}
