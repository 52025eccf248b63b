//! A plan prints the commands that `iptables-restore` reads.

use palisade_core::backend::Plan;
use palisade_core::network::Forward;

use super::host::Host;
use super::{Running, nat, network};
use crate::text::{Command, Input};

#[test]
fn a_plan_prints_what_is_restored() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    let new = running.reach(&[nat(1), nat(2)], &[]);
    assert_eq!(printed(&new.unwrap()), restored(&host));
    let replaced = running.reach(&[network(1, Forward::Isolated)], &[]);
    assert_eq!(printed(&replaced.unwrap()), restored(&host));
    let synced = running.reach(&[nat(3)], &["net2"]);
    assert_eq!(printed(&synced.unwrap()), restored(&host));
    let removed = running.reach(&[], &["net1", "net3"]);
    assert_eq!(printed(&removed.unwrap()), restored(&host));
}

fn printed(plan: &Plan) -> Vec<String> {
    let operations = plan.operations.iter();
    let lines = operations.flat_map(|operations| operations.lines());
    lines.map(|line| line.text).collect()
}

/// The commands that were restored since the last call, as a user would type them.
fn restored(host: &Host) -> Vec<String> {
    let inputs = std::mem::take(&mut host.0.borrow_mut().inputs);
    assert_ne!(inputs, []);
    let mut lines = Vec::new();
    for (stem, input) in inputs {
        let Input {
            table, commands, ..
        } = input.parse().unwrap();
        let program = stem.trim_end_matches("-legacy");
        for mut command in commands {
            // A plan prints neither counters nor the numbers of deleted rules.
            match &mut command {
                Command::Insert { counters, .. } => *counters = None,
                Command::Delete { at, .. } => *at = None,
                _ => {}
            }
            lines.push(format!("{program} -t {table} {command}"));
        }
    }
    lines
}
