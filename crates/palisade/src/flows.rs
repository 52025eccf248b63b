//! Flows that began before their NAT rules came, or whose forward is gone: see
//! [`palisade_netlink::conntrack`].
//!
//! No backend sees to them, though backends bring the rules: flows are the kernel's, whoever put
//! the rules there, and a report says of all networks at once for which ones rules came. So one
//! socket and one look at the kernel's table serve every backend. It comes after the change, since
//! only then every new flow is translated, and it cannot fail the change: the rules stand.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use palisade_core::Hint;
use palisade_core::backend::Backend;
use palisade_core::engine::{Action, Report};
use palisade_core::network::{Forward, Name, PortForward, Subnet};
use palisade_core::rules::RuleKind;
use palisade_core::state::Record;
use palisade_netlink::conntrack::{Conntrack, ForwardChange, KeptFlows};

/// The flows of one network namespace; by default, those of none.
#[derive(Default)]
pub(crate) struct Flows {
    conntrack: Option<Conntrack>,
}

impl Flows {
    pub(crate) fn of(conntrack: Conntrack) -> Self {
        Self {
            conntrack: Some(conntrack),
        }
    }

    /// Whether there are any; what is to be said if that cannot be seen.
    pub(crate) fn are_there(&mut self) -> Result<bool, String> {
        let Some(conntrack) = self.conntrack.as_mut() else {
            return Ok(false);
        };
        match conntrack.count() {
            Ok(count) => Ok(count > 0),
            Err(error) => Err(failed(&error, &error.hint())),
        }
    }

    /// Ends flows that left these subnets untranslated. What is to be said of it, if anything.
    pub(crate) fn end_unnatted(&mut self, subnets: &[Subnet], kept: KeptFlows) -> Option<String> {
        let conntrack = self.conntrack.as_mut()?;
        match conntrack.delete_untranslated(subnets, kept) {
            Ok(0) => None,
            Ok(1) => Some(
                "1 flow that had begun before the NAT rules came was ended: it begins anew"
                    .to_owned(),
            ),
            Ok(count) => Some(format!(
                "{count} flows that had begun before the NAT rules came were ended: they begin anew"
            )),
            Err(error) => Some(failed(&error, &error.hint())),
        }
    }

    /// Ends the flows of guests that were blocked. What is to be said of it, if anything.
    pub(crate) fn end_of_guests(&mut self, guests: &[IpAddr]) -> Option<String> {
        let conntrack = self.conntrack.as_mut()?;
        match conntrack.delete_of_guests(guests) {
            Ok(0) => None,
            Ok(1) => Some("1 connection was ended".to_owned()),
            Ok(count) => Some(format!("{count} connections were ended")),
            Err(error) => Some(format!(
                "connections of blocked guests are still tracked, though nothing of them passes: \
                 {error} ({})",
                error.hint()
            )),
        }
    }

    /// Ends flows that go elsewhere than forwards lead since this change. What is to be said of it, if
    /// anything.
    pub(crate) fn end_misled(&mut self, change: &ForwardChange) -> Option<String> {
        let conntrack = self.conntrack.as_mut()?;
        match conntrack.delete_misled(change) {
            Ok(0) => None,
            Ok(1) => Some(
                "1 connection to a forwarded port was ended: it had begun before the forward changed"
                    .to_owned(),
            ),
            Ok(count) => Some(format!(
                "{count} connections to forwarded ports were ended: they had begun before the forwards \
                 changed"
            )),
            Err(error) => Some(misled(&error, &error.hint())),
        }
    }
}

/// What changes from these forwards to others, beside those that stay and whose rules may have been missing.
pub(crate) fn forward_change<'f>(
    before: impl IntoIterator<Item = &'f PortForward>,
    mut after: Vec<PortForward>,
    restored: Vec<PortForward>,
) -> ForwardChange {
    let mut gone: BTreeSet<PortForward> = before.into_iter().cloned().collect();
    after.retain(|forward| !gone.remove(forward));
    ForwardChange {
        gone: gone.into_iter().collect(),
        came: after,
        restored,
    }
}

/// What is to be said where connections to forwarded ports could not be ended.
pub(crate) fn misled(error: &dyn fmt::Display, hint: &str) -> String {
    format!(
        "connections to forwarded ports that began before may go on as they did: {error} ({hint})"
    )
}

/// What is to be said where flows could not be ended.
pub(crate) fn failed(error: &dyn fmt::Display, hint: &str) -> String {
    format!(
        "flows that began before the NAT rules came may still leave with private addresses: \
         {error} ({hint})"
    )
}

/// The networks whose rules came.
pub(crate) fn came(report: &Report) -> Vec<Name> {
    let came = report
        .changes
        .iter()
        .filter(|changed| changed.action != Action::Remove);
    came.map(|changed| changed.network.clone()).collect()
}

/// The networks whose rules came or stood already.
pub(crate) fn named(report: &Report) -> Vec<Name> {
    let mut names = came(report);
    names.extend(report.unchanged.iter().cloned());
    names
}

/// The subnets of these networks for which NAT rules are installed.
pub(crate) fn natted<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    backends: &[Box<dyn Backend>],
) -> Vec<Subnet> {
    let mut subnets = BTreeSet::new();
    for record in records {
        let placement = &record.placement;
        let Some(backend) = backends.iter().find(|b| b.id() == placement.backend) else {
            continue;
        };
        let rules = backend.rules(&record.network, placement);
        let installed = rules
            .iter()
            .filter(|rule| rule.kind == RuleKind::Nat && backend.omission(record, rule).is_none());
        subnets.extend(installed.filter_map(|rule| rule.matches.source));
    }
    subnets.into_iter().collect()
}

/// The subnets of networks that translate nothing between networks.
pub(crate) fn untranslated_between<'r>(
    records: impl IntoIterator<Item = &'r Record>,
) -> Vec<Subnet> {
    let keeps = |record: &&Record| match record.network.forward() {
        Forward::Nat(nat) => !nat.between_networks,
        _ => false,
    };
    let keeping = records.into_iter().filter(keeps);
    let subnets = keeping.flat_map(|record| record.network.subnets());
    subnets.copied().collect()
}
