//! What few networks have, in words: a label and a value for each field that is given.

use palisade::Network;
use palisade::network::{Forward, Nat};

/// The given fields.
pub(super) fn particulars(network: &Network) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let zone = network.zone().map(ToString::to_string);
    all.extend(zone.map(|zone| ("zone", zone)));
    let mtu = network.mtu().map(|mtu| format!("{mtu} bytes"));
    all.extend(mtu.map(|mtu| ("mtu", mtu)));
    let clamp = network.mss_clamp().map(|clamp| format!("clamped {clamp}"));
    all.extend(clamp.map(|clamp| ("mss", clamp)));
    if let Forward::Nat(Nat {
        between_networks: false,
        ..
    }) = network.forward()
    {
        let not = "not to other networks: connections to them keep their source";
        all.push(("nat", not.to_owned()));
    }
    if network.isolated_ports() {
        let isolated = match network.ruled_bridge() {
            Some(_) => "isolated: guests do not reach each other by way of the host either",
            None => "isolated by the ports' own flag alone: this mode has no rules",
        };
        all.push(("ports", isolated.to_owned()));
    }
    let forwards = network.port_forwards().iter();
    all.extend(forwards.map(|forward| ("forward", forward.to_string())));
    let log = network.log().map(|log| format!("what is refused, {log}"));
    all.extend(log.map(|log| ("log", log)));
    all
}
