//! The rules that lower the segment size of a bridge's tcp connections.

use super::action::Action;
use super::kind::RuleKind;
use super::matches::{Matches, Protocol};
use crate::network::{InterfaceName, MssClamp};

/// The rules of a bridge whose tcp connections announce a smaller segment size, in both directions. They
/// are about packets that begin a connection: SYN without RST.
pub fn clamp_rules(
    bridge: &InterfaceName,
    clamp: MssClamp,
) -> impl Iterator<Item = (RuleKind, Matches, Action)> {
    let tcp = Matches {
        protocol: Some(Protocol::Tcp),
        ..Matches::default()
    };
    let out = Matches {
        in_interface: Some(bridge.clone()),
        ..tcp.clone()
    };
    let incoming = Matches {
        out_interface: Some(bridge.clone()),
        ..tcp
    };
    [(RuleKind::ClampOut, out), (RuleKind::ClampIn, incoming)]
        .into_iter()
        .map(move |(kind, matches)| (kind, matches, Action::ClampMss(clamp)))
}
