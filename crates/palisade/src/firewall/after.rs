//! What follows a change of rules: flows that began before their NAT rules came end.

use palisade_core::Hint;
use palisade_core::engine::{Recovered, Report};
use palisade_core::network::{Forward, Name};

use palisade_netlink::conntrack::KeptFlows;

use super::Firewall;
use crate::flows;

impl Firewall {
    /// Sees to what follows a change: ends the flows of those networks of the report that
    /// `looked_at` names, and says what is to be said.
    pub(super) fn see_after(&mut self, report: &mut Report, looked_at: fn(&Report) -> Vec<Name>) {
        let networks = looked_at(report);
        report.notes.extend(self.end_unnatted(Some(&networks)));
    }

    /// Ends flows as after any change: NAT rules may have come with what was recovered, and it does
    /// not say for which networks.
    pub(super) fn end_unnatted_of(&mut self, recovered: Recovered) -> Option<String> {
        match recovered {
            Recovered::Nothing => None,
            Recovered::Finished | Recovered::Undone => self.end_unnatted(None),
        }
    }

    /// The same where there is no report to tell it.
    pub(super) fn tell_unnatted_of(&mut self, recovered: Recovered) {
        if let Some(note) = self.end_unnatted_of(recovered) {
            log::warn!("{note}");
        }
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
