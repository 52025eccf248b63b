//! Networks with DHCP, and what is said of their actions on the host.

use palisade_tests::{Definition, Palisade};
use serde_json::Value;

/// Where the bridge of the network is.
pub(crate) const BRIDGE: &str = "virbr0";

/// The usual network, which gives out addresses.
pub(crate) fn default() -> Definition {
    let mut definition = Definition::nat("default", BRIDGE, &["192.168.122.1/24"]);
    definition.dhcp = true;
    definition
}

/// The actions of the network.
#[track_caller]
pub(crate) fn actions(palisade: &Palisade<'_>) -> Vec<Value> {
    let shown = palisade.ok(["--format", "json", "show", "default"]);
    let shown: Value = serde_json::from_str(&shown).expect("show prints JSON");
    shown["host"].as_array().expect("an array").clone()
}

/// How many differences `verify` finds.
#[track_caller]
pub(crate) fn differences(palisade: &Palisade<'_>) -> usize {
    let answer = palisade.answer(["--format", "json", "verify"]);
    let found: Value = serde_json::from_str(&answer.stdout).expect("verify prints JSON");
    let found = found["differences"].as_array().expect("an array").len();
    assert_eq!(
        answer.code,
        Some(if found == 0 { 0 } else { 3 }),
        "{answer}"
    );
    found
}
