//! Layout `mapped` in kernels without the expression `fib`.
//!
//! Forged sources are then dropped only where they would be forwarded. Established connections are not
//! accepted first, since a forged packet could enter one of another network's that way.

use palisade_core::backend::Change;
use palisade_core::rules::{Role, Rule, RuleKind};
use palisade_core::state::Record;

use super::error::PlanError;
use super::item::set_of;
use super::settings::Settings;
use crate::layout::Layout;

/// For people who change networks.
pub(super) const NOTE: &str = "this kernel has no `fib` (module nft_fib_ipv4, nft_fib_ipv6): packets with \
     forged sources are dropped where they would be forwarded, but the host still answers them; and \
     established connections are not accepted first";

/// The first forward that cannot be installed: one at every address of the host.
pub(super) fn refused(change: &Change<'_>) -> Option<PlanError> {
    change.add.iter().find_map(|addition| {
        let network = addition.network;
        let mut forwards = network.port_forwards().iter();
        let forward = forwards.find(|forward| forward.listen().address().is_none())?;
        Some(PlanError::ForwardTakesFib {
            network: network.name().clone(),
            forward: forward.clone(),
        })
    })
}

/// Whether rules of a kind are not installed.
pub(super) fn omits(kind: RuleKind) -> bool {
    kind.role() == Role::GuestSource || kind.is_shortcut()
}

/// Why a rule of a network is not installed, if the kernel lacked `fib` when it was.
pub(super) fn omission(record: &Record, rule: &Rule) -> Option<&'static str> {
    let settings = Settings::try_from(&record.placement).ok()?;
    let is_mapped = settings.layout == Layout::Mapped;
    let is_there = record.installed.iter().any(|installed| {
        let is_of_kind = |set: crate::layout::SetId| set.rule_kind() == rule.kind;
        installed.family == rule.layer.family() && set_of(&installed.place).is_some_and(is_of_kind)
    });
    let is_omitted = is_mapped && omits(rule.kind) && !is_there;
    is_omitted.then_some("this kernel has no `fib`, which matches forged sources")
}
