//! What follows a change of rules: flows end that began before their NAT rules came, or that go on where a
//! forward led them that is gone.

use palisade_core::Hint;
use palisade_core::engine::{Action, Recovered, Report};
use palisade_core::network::{Forward, Name};
use palisade_core::state::Record;
use palisade_netlink::conntrack::{ForwardChange, KeptFlows};

use super::Firewall;
use crate::flows;

impl Firewall {
    /// Sees to what follows a change: ends the flows of those networks of the report that
    /// `looked_at` names and those of forwards that changed, and says what is to be said.
    pub(super) fn see_after(&mut self, report: &mut Report, looked_at: fn(&Report) -> Vec<Name>) {
        let networks = looked_at(report);
        report.notes.extend(self.end_unnatted(Some(&networks)));
        let note = self.end_misled(report, &networks);
        report.notes.extend(note);
    }

    /// Ends flows as after any change: NAT rules may have come with what was recovered, and it does
    /// not say for which networks.
    pub(super) fn end_flows_of(&mut self, recovered: Recovered) -> Vec<String> {
        if recovered == Recovered::Nothing {
            return Vec::new();
        }
        let unnatted = self.end_unnatted(None);
        unnatted.into_iter().chain(self.end_unforwarded()).collect()
    }

    /// The same where there is no report to tell it.
    pub(super) fn tell_flows_of(&mut self, recovered: Recovered) {
        for note in self.end_flows_of(recovered) {
            log::warn!("{note}");
        }
    }

    /// Ends flows that go elsewhere than forwards lead since a change. Of networks that are named and have
    /// not changed, rules were missing, or may have been.
    fn end_misled(&mut self, report: &Report, named: &[Name]) -> Option<String> {
        let mut after: Vec<Record> = Vec::new();
        let was_changed = |name: &Name| {
            let mut changes = report.changes.iter();
            changes.any(|it| it.network == *name && it.action != Action::Restore)
        };
        self.state.recall(named, |record| {
            if !record.network.port_forwards().is_empty() {
                after.push(record.clone());
            }
        });
        after.retain(|record| self.has_rules(&record.placement));
        let of = |is_changed: bool| {
            let its = after
                .iter()
                .filter(|record| was_changed(record.network.name()) == is_changed);
            its.flat_map(|record| record.network.port_forwards())
                .cloned()
                .collect::<Vec<_>>()
        };
        let before = report.changes.iter().flat_map(|it| &it.forwards_before);
        let change = flows::forward_change(before, of(true), of(false));
        self.flows.end_misled(&change)
    }

    /// The same after an interrupted change was finished or undone: which forwards it changed is not known.
    fn end_unforwarded(&mut self) -> Option<String> {
        let records = match self.state.records(None) {
            Ok(records) => records,
            Err(error) => return Some(flows::misled(&error, &error.hint())),
        };
        let mut restored = Vec::new();
        for record in records {
            if self.has_rules(&record.placement) {
                restored.extend(record.network.port_forwards().iter().cloned());
            }
        }
        self.flows.end_misled(&ForwardChange {
            restored,
            ..ForwardChange::default()
        })
    }

    /// Ends flows of these networks, or of all that run.
    pub(super) fn end_unnatted(&mut self, networks: Option<&[Name]>) -> Option<String> {
        if networks.is_some_and(<[Name]>::is_empty) {
            return None;
        }
        if let Some(networks) = networks {
            let mut has_nat = false;
            self.state.recall(networks, |record| {
                has_nat |= self.has_rules(&record.placement)
                    && matches!(record.network.forward(), Forward::Nat(_));
            });
            if !has_nat {
                return None;
            }
        }
        // Rules are asked for subnets only where there are flows.
        match self.flows.are_there() {
            Ok(false) => return None,
            Ok(true) => {}
            Err(note) => return Some(note),
        }
        let mut records = Vec::new();
        match networks {
            Some(networks) => self
                .state
                .recall(networks, |record| records.push(record.clone())),
            None => match self.state.records(None) {
                Ok(all) => records = all,
                Err(error) => return Some(flows::failed(&error, &error.hint())),
            },
        }
        let subnets = flows::natted(&records, &self.backends);
        let mut kept = KeptFlows {
            from: flows::untranslated_between(&records),
            to: Vec::new(),
        };
        if !kept.from.is_empty() {
            match self.state.records(None) {
                Ok(all) => {
                    let subnets = all.iter().flat_map(|record| record.network.subnets());
                    kept.to = subnets.copied().collect();
                }
                Err(error) => return Some(flows::failed(&error, &error.hint())),
            }
        }
        self.flows.end_unnatted(&subnets, kept)
    }
}
