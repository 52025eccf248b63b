//! What became of a desired.

use std::collections::HashSet;

use serde::Serialize;

use super::block_notes;
use super::difference::Difference;
use super::host::HostPlan;
use super::host_note::HostNote;
use super::parts::Part;
use crate::backend::Line;
use crate::network::{Name, PortForward, Subnet};
use crate::record::Record;

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The networks that changed, in the order in which they were named.
    pub changes: Vec<Changed>,
    /// The networks that were as they shall be.
    pub unchanged: Vec<Name>,
    /// What people should know besides.
    pub notes: Vec<String>,
    /// What makes networks useless that were added or replaced, each also in words among the notes.
    #[serde(skip)]
    pub host_notes: Vec<HostNote>,
    /// What would come and go for all networks together, where a change was only foreseen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Line>,
}

/// A network that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The network.
    pub network: Name,
    /// What happened to it.
    pub action: Action,
    /// The forwards that it had before, if it was replaced or removed.
    #[serde(skip)]
    pub forwards_before: Vec<PortForward>,
    /// The subnets that it had before, if it was replaced or removed.
    #[serde(skip)]
    pub subnets_before: Vec<Subnet>,
    /// What would come and go for it, where the change was only foreseen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
}

impl Changed {
    fn new(network: &Name, action: Action, before: Option<&Record>) -> Self {
        let forwards = before.map(|record| record.network.port_forwards().to_vec());
        let subnets = before.map(|record| record.network.subnets().to_vec());
        Self {
            network: network.clone(),
            action,
            forwards_before: forwards.unwrap_or_default(),
            subnets_before: subnets.unwrap_or_default(),
            lines: Vec::new(),
        }
    }
}

/// What happens to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It starts.
    Add,
    /// It runs otherwise than before.
    Replace,
    /// It stops.
    Remove,
    /// What others broke is put back.
    Restore,
}

pub(super) fn of(difference: &Difference<'_>, parts: &[Part<'_>], host: &HostPlan<'_>) -> Report {
    let mut report = Report::default();
    let mut tell = |network: &Name, action, before: Option<&Record>| {
        report.changes.push(Changed::new(network, action, before));
    };
    let is_back = |name: &Name| {
        let mut back = difference.back.iter();
        back.any(|then| then.network.name() == name)
    };
    for record in &difference.remove {
        let name = record.network.name();
        if !is_back(name) {
            tell(name, Action::Remove, Some(record));
        }
    }
    for then in &difference.back {
        let name = then.network.name();
        let mut replaced = difference.remove.iter();
        let before = replaced.find(|record| record.network.name() == name);
        let action = match before {
            Some(_) => Action::Replace,
            None => Action::Add,
        };
        tell(name, action, before.copied());
    }
    for coming in &difference.add {
        let action = match coming.replaced {
            Some(_) => Action::Replace,
            None => Action::Add,
        };
        tell(coming.desired.network.name(), action, coming.replaced);
    }
    let on_host = host.restored().map(|record| record.network.name());
    let restored: HashSet<&Name> = parts.iter().flat_map(restored).chain(on_host).collect();
    for unchanged in &difference.unchanged {
        let name = unchanged.name;
        if restored.contains(name) {
            tell(name, Action::Restore, None);
        } else {
            report.unchanged.push(name.clone());
        }
    }
    // One that nobody asked for, in a place that was made anew as a whole.
    let is_told = |name: &&Name| {
        let changed = report.changes.iter().map(|change| &change.network);
        changed.chain(&report.unchanged).any(|told| told == *name)
    };
    let mut beside: Vec<&Name> = restored.into_iter().filter(|n| !is_told(n)).collect();
    beside.sort();
    for name in beside {
        report
            .changes
            .push(Changed::new(name, Action::Restore, None));
    }
    let notes = parts
        .iter()
        .flat_map(|part| part.plan.notes.iter().cloned());
    report.notes.extend(notes);
    report.notes.extend(host.notes.iter().cloned());
    report.notes.extend(block_notes::of(difference));
    report
}

impl Report {
    /// The same, with the operations printed: each under the network that it is for.
    pub(super) fn with_operations(mut self, parts: &[Part<'_>], on_host: Vec<Line>) -> Self {
        let operations = parts.iter().flat_map(|part| &part.plan.operations);
        let lines = operations.flat_map(|operations| operations.lines());
        for line in lines.chain(on_host) {
            let mut changes = self.changes.iter_mut();
            let of = changes.find(|change| line.network.as_ref() == Some(&change.network));
            let lines = of.map_or(&mut self.shared, |change| &mut change.lines);
            lines.push(line);
        }
        self
    }
}

/// The networks that a part puts back something of.
fn restored<'p>(part: &'p Part<'_>) -> Vec<&'p Name> {
    let each = part.change.restore.iter().zip(&part.plan.restored);
    let mended = each.filter(|(_, items)| items.is_some());
    match &part.plan.broken {
        Some(broken) => broken.iter().collect(),
        None => mended.map(|(record, _)| record.network.name()).collect(),
    }
}
