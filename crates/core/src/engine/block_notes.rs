//! Notes on guests that are not blocked any more, though nobody unblocked them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::difference::Difference;
use crate::network::{Name, Network};

/// What a change says of guests that were blocked in the networks that it replaces or removes.
pub(super) fn of(difference: &Difference<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for coming in &difference.add {
        let Some(before) = coming.replaced.map(|record| &record.network) else {
            continue;
        };
        let after = &coming.desired.network;
        // Where nothing else changes, they were unblocked.
        let as_before = after.clone().with_blocked(before.blocked().clone());
        if as_before.is_ok_and(|network| network == *before) {
            continue;
        }
        let lost = before.blocked().difference(after.blocked());
        let lost: BTreeSet<IpAddr> = lost.copied().collect();
        if !lost.is_empty() {
            notes.push(format!(
                "network `{}`: not blocked any more, since no rules of the network are about them now: {}",
                after.name(),
                addresses(&lost)
            ));
        }
    }
    let is_back = |name: &Name| {
        let mut back = difference.back.iter();
        back.any(|then| then.network.name() == name)
    };
    for record in &difference.remove {
        let network: &Network = &record.network;
        if !network.blocked().is_empty() && !is_back(network.name()) {
            notes.push(format!(
                "network `{}`: its blocked guests are forgotten with it; block them again when it runs \
                 again: {}",
                network.name(),
                addresses(network.blocked())
            ));
        }
    }
    notes
}

fn addresses(guests: &BTreeSet<IpAddr>) -> String {
    let guests: Vec<String> = guests.iter().map(ToString::to_string).collect();
    guests.join(", ")
}
