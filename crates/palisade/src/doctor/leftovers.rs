//! What was left: by libvirt, and by ourselves.

use std::fs;
use std::path::{Path, PathBuf};

use palisade_core::state::{State, StateError};
use palisade_nft::backend::Settings as Nftables;
use palisade_nft::layout;

use super::finding::{Check, Evidence, Finding, Severity};
use super::mend::word;
use super::rulesets::Rulesets;
use super::scene::{Scene, names};
use crate::libvirt;

/// How the names of our chains begin in iptables.
const CHAINS: &str = "PALISADE_";

/// libvirt's rules: in its own table, and in chains of iptables.
pub(super) fn libvirt_rules(rulesets: &Rulesets, native: Vec<String>) -> Vec<String> {
    let mut rules = native;
    for saved in &rulesets.saved {
        for table in &saved.tables {
            let its = table.rules.iter().map(ToString::to_string);
            rules.extend(its.filter(|rule| rule.contains(&format!("-A {}", libvirt::CHAINS))));
        }
    }
    rules
}

pub(super) fn of_libvirt(scene: &Scene, rulesets: &Rulesets, rules: &[String]) -> Option<Finding> {
    let mut evidence = Vec::new();
    let mut mend = Vec::new();
    for table in &rulesets.tables {
        if table.name == libvirt::TABLE {
            let table = format!("{} {}", table.family, table.name);
            mend.push(scene.mend.inside(format!("nft delete table {table}")));
            evidence.push(Evidence::Table {
                program: "nftables".to_owned(),
                table,
            });
        }
    }
    for saved in &rulesets.saved {
        for table in &saved.tables {
            let its = |name: &str| name.starts_with(libvirt::CHAINS);
            let chains: Vec<&str> = table.chains.iter().map(|c| c.name.as_str()).collect();
            let chains: Vec<&str> = chains.into_iter().filter(|name| its(name)).collect();
            if let Some(first) = chains.first() {
                evidence.push(Evidence::Rule {
                    program: saved.program.clone(),
                    table: table.name.clone(),
                    chain: (*first).to_owned(),
                    rule: None,
                    policy: None,
                });
                mend.push(
                    scene
                        .mend
                        .inside(without(&saved.program, &table.name, libvirt::CHAINS)),
                );
            }
        }
    }
    if evidence.is_empty() {
        return None;
    }
    let both = scene
        .ruled()
        .filter(|(_, bridge)| libvirt::names(rules, bridge.as_str()));
    let networks = names(both.map(|(record, _)| record));
    let of_a_bridge = |link: &&palisade_nft::host::Link| libvirt::names(rules, &link.name);
    if networks.is_empty() && scene.host.links.iter().any(|link| of_a_bridge(&link)) {
        return None; // It is at work, on bridges of its own.
    }
    let (severity, summary, meaning) = if networks.is_empty() {
        (
            Severity::Note,
            "libvirt's rules stand, and none of its bridges is there",
            "they are left over, unless libvirt is about to start its networks; a bridge of such a \
             name would meet them",
        )
    } else {
        (
            Severity::Warning,
            "libvirt has rules for the same bridges",
            "both act, and guests get the stricter of the two. Stop libvirt's networks for them \
             (virsh net-destroy NAME) rather than deleting its rules, which it puts back",
        )
    };
    Some(Finding {
        check: Check::Libvirt,
        severity,
        networks,
        summary: summary.to_owned(),
        evidence,
        meaning: meaning.to_owned(),
        mend,
    })
}

/// Our tables and chains without a record.
pub(super) fn unrecorded(scene: &Scene, rulesets: &Rulesets) -> Vec<Finding> {
    let mut found = Vec::new();
    for table in &rulesets.tables {
        let is_recorded = scene.records.iter().any(|record| {
            Nftables::try_from(&record.placement)
                .is_ok_and(|settings| settings.table.as_str() == table.name)
        });
        if layout::version(table).is_none() || is_recorded {
            continue;
        }
        let table = format!("{} {}", table.family, table.name);
        let mend = scene.mend.inside(format!("nft delete table {table}"));
        let evidence = Evidence::Table {
            program: "nftables".to_owned(),
            table,
        };
        found.push(orphan(evidence, mend));
    }
    for saved in &rulesets.saved {
        let is_recorded = scene
            .records
            .iter()
            .any(|record| record.placement.setting("programs") == Some(saved.variant.name()));
        for table in saved.tables.iter().filter(|_| !is_recorded) {
            let mut chains = table.chains.iter();
            if let Some(chain) = chains.find(|chain| chain.name.starts_with(CHAINS)) {
                let mend = without(&saved.program, &table.name, CHAINS);
                let evidence = Evidence::Rule {
                    program: saved.program.clone(),
                    table: table.name.clone(),
                    chain: chain.name.clone(),
                    rule: None,
                    policy: None,
                };
                found.push(orphan(evidence, scene.mend.inside(mend)));
            }
        }
    }
    found
}

fn orphan(evidence: Evidence, mend: String) -> Finding {
    Finding {
        check: Check::Unrecorded,
        severity: Severity::Warning,
        networks: Vec::new(),
        summary: format!("rules of palisade stand that no record names: {evidence}"),
        evidence: vec![evidence],
        meaning: "another state directory knows them (--state-dir), or it was lost. They act all \
                  the same, and `remove` would not find them"
            .to_owned(),
        mend: vec![mend],
    }
}

/// Takes all chains whose names begin so out of a table, with the jumps to them.
fn without(program: &str, table: &str, chains: &str) -> String {
    // A line with `-j CHAIN` goes, and so does what declares or fills such a chain.
    format!(
        "{program}-save -t {table} | grep -v -e '-j {chains}' -e '^:{chains}' -e '-A {chains}' | \
         {program}-restore -T {table}"
    )
}

/// What of the state directory does not count.
pub(super) fn of_state(scene: &Scene, state: &State) -> Result<Vec<Finding>, StateError> {
    let mut found = Vec::new();
    let place = PathBuf::from(state.place());
    if state.journal().is_there()? {
        found.push(Finding {
            check: Check::State,
            severity: Severity::Warning,
            networks: Vec::new(),
            summary: "a change of networks was interrupted, or is under way".to_owned(),
            evidence: vec![file(&place.join("journal"), "there")],
            meaning: "rules of it may stand that no record names, or be missing".to_owned(),
            mend: vec![scene.mend.palisade("recover")],
        });
    }
    for unbelieved in state.unbelieved(&[])? {
        found.push(set_aside(
            &place.join(unbelieved.path),
            &unbelieved.why,
            "rules of its network may stand that no record names: apply the network again, then \
             run `palisade repair`",
        ));
    }
    for path in folder(&place) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains(".before-boot") || name.starts_with("journal.unreadable") {
            found.push(set_aside(
                &path,
                "it was set aside",
                "nothing reads it any more",
            ));
        }
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    for path in place.parent().map(folder).unwrap_or_default() {
        let label = fs::read_to_string(path.join("namespace.json")).unwrap_or_default();
        let label: serde_json::Value = serde_json::from_str(&label).unwrap_or_default();
        if label["boot"]
            .as_str()
            .is_some_and(|then| then != boot.trim())
        {
            found.push(set_aside(
                &path,
                "state of another boot",
                "its rules ended with that boot",
            ));
        }
    }
    Ok(found)
}

fn set_aside(path: &Path, why: &str, meaning: &str) -> Finding {
    let shown = path.display();
    Finding {
        check: Check::State,
        severity: Severity::Note,
        networks: Vec::new(),
        summary: format!("{shown} does not count"),
        evidence: vec![file(path, why)],
        meaning: meaning.to_owned(),
        mend: vec![format!("rm -r {}", word(&path.to_string_lossy()))],
    }
}

fn file(path: &Path, value: &str) -> Evidence {
    Evidence::File {
        file: path.display().to_string(),
        value: value.to_owned(),
    }
}

/// What is in a folder, in the order of its names.
fn folder(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
