//! The rules that nf_tables does without.

use palisade_core::rules::{Role, RuleKind};

/// Why rules of a kind are not installed in nf_tables, if they are not.
#[must_use]
pub fn omission(kind: RuleKind) -> Option<&'static str> {
    match kind.role() {
        Role::HostInput | Role::HostOutput => Some(
            "an accept in one table cannot override a drop in another, so it would change nothing",
        ),
        Role::Mangle => Some("nftables has no counterpart of iptables' CHECKSUM"),
        Role::FromBlocked
        | Role::ToBlocked
        | Role::GuestSource
        | Role::ForwardAt
        | Role::ForwardAny
        | Role::GuestMss
        | Role::AdminFromGuest
        | Role::AdminToGuest
        | Role::HostAdmin
        | Role::GuestCross
        | Role::GuestInput
        | Role::GuestOutput
        | Role::GuestNat
        | Role::GuestBetween => None,
    }
}
