//! Networks that log what they refuse, in kernels without the expressions `log` and `limit`.

use palisade_core::backend::{Change, Installed};
use palisade_core::network::Network;
use palisade_core::rules::{Rule, RuleKind};
use palisade_core::state::Record;

use super::item::set_of;
use crate::layout;

/// For people who change networks.
const NOTE: &str = "this kernel has no `log` or no `limit` (modules nft_log, nft_limit, nfnetlink_log, \
     nf_log_syslog): what networks refuse is not logged";

/// What people are told of a change, if it is about a network that logs.
pub(super) fn note(change: &Change<'_>) -> Option<String> {
    let restored = change.restore.iter().map(|record| &record.network);
    let mut networks = change
        .add
        .iter()
        .map(|addition| addition.network)
        .chain(restored);
    let logs = |network: &Network| network.log().is_some();
    networks.any(logs).then(|| NOTE.to_owned())
}

/// Whether rules of a kind are not installed.
pub(super) fn omits(kind: RuleKind) -> bool {
    kind.logs().is_some()
}

/// Why a rule of a network is not installed, if the kernel could not log when it was.
pub(super) fn omission(record: &Record, rule: &Rule) -> Option<&'static str> {
    let logs = |installed: &Installed| {
        installed.family == rule.layer.family() && kind_of(installed).is_some_and(omits)
    };
    let is_omitted = omits(rule.kind) && !record.installed.iter().any(logs);
    is_omitted.then_some("this kernel has no `log` or no `limit`")
}

fn kind_of(installed: &Installed) -> Option<RuleKind> {
    match set_of(&installed.place) {
        Some(set) => Some(set.rule_kind()),
        None => layout::untag(&installed.item.rule()?.comment).map(|(_, kind)| kind),
    }
}
