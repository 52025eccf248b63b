//! What of links and neighbours around a packet's way keeps it from arriving, in words.

use palisade_core::evaluate::Packet;
use palisade_netlink::rtnetlink::HostError;

use crate::routing::{Onward, Routing};

/// What the first line says of a packet that came as the first and leaves as the second.
///
/// # Errors
/// If the kernel does not answer.
pub(super) fn caveats(
    routing: &Routing,
    came: &Packet,
    left: &Packet,
) -> Result<Vec<String>, HostError> {
    let mut caveats = Vec::new();
    let mut bridges = vec![&came.in_interface, &left.out_interface];
    bridges.dedup();
    for bridge in bridges.into_iter().flatten() {
        let silent = routing.silent_ports(bridge);
        if !silent.is_empty() {
            let names = silent.join("`, `");
            caveats.push(format!(
                "guests behind ports of `{bridge}` that are down or blocked are cut off: `{names}`"
            ));
        }
    }
    if let (Some(bridge), true) = (&came.in_interface, came.in_interface == left.out_interface) {
        let (isolated, _) = routing.isolated_ports(bridge);
        if isolated.len() > 1 {
            let names = isolated.join("`, `");
            caveats.push(format!(
                "guests behind isolated ports of `{bridge}` do not reach one another: `{names}`"
            ));
        }
    }
    let group = came.destination();
    if came.in_interface.is_some() && group.is_multicast() && !routing.takes_group(came)? {
        caveats.push(format!(
            "no program of the host has joined {group}: it takes no packets to it"
        ));
    }
    Ok(caveats)
}

/// What is noted of the neighbour to whom a packet leaves.
///
/// # Errors
/// If the kernel does not list neighbours.
pub(super) fn notes(
    routing: &Routing,
    left: &Packet,
    route: Option<&Onward>,
) -> Result<Vec<String>, HostError> {
    let Some(route) = route else {
        return Ok(Vec::new());
    };
    let next = route.gateway.unwrap_or(left.destination());
    let device = &route.device;
    let is_silent = routing.is_silent(next, device)?;
    let note = || format!("{next} did not answer on `{device}` when the host asked last");
    Ok(is_silent.then(note).into_iter().collect())
}
