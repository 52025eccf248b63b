//! Rules and state that were left, by libvirt or by palisade.

use std::fs;
use std::path::{Path, PathBuf};

use palisade::Firewall;
use palisade_core::location::Location;
use palisade_core::network::{InterfaceName, Name};
use palisade_core::state::{Record, State, StateError};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, names};
use crate::host_rules::{HostRules, Place, Removal, TableGroup};
use crate::libvirt::Matched;
use crate::shell::word;

/// libvirt's rules, next to networks of palisade's or left over.
pub(super) fn of_libvirt(scene: &Scene, rules: &HostRules) -> Option<Finding> {
    let all = libvirt_rules(scene, rules);
    let names_bridge = |bridge: &str| all.iter().any(|rule| rule.names(bridge));
    let both: Vec<(&Record, &InterfaceName)> = scene
        .ruled()
        .filter(|(_, bridge)| names_bridge(bridge.as_str()))
        .collect();
    let networks = names(both.iter().map(|&(record, _)| record));
    if networks.is_empty() {
        let mut links = scene.host.links.iter();
        let is_in_use = links.any(|link| names_bridge(&link.name));
        let has_only_jumps = all.iter().all(|rule| rule.is_jump);
        if is_in_use || has_only_jumps {
            return None;
        }
    }
    // libvirt may have other networks, whose rules are kept.
    let is_meant = |rule: &Matched| {
        both.iter()
            .any(|(record, _)| rule.concerns(&record.network))
    };
    let (mut evidence, mut fix) = (Vec::new(), Vec::new());
    for group in rules.groups() {
        let places = group.libvirts().into_iter();
        evidence.extend(places.map(|place| seen(group, place)));
        fix.extend(match networks.is_empty() {
            true => group.remove_libvirt(),
            false => group.remove_libvirt_rules(&scene.host.links, &is_meant),
        });
    }
    let fix = fix.iter().map(|command| scene.commands.inside(command));
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
            "both act, and guests get the stricter of the two. Where libvirt runs, stop its networks \
             for them (virsh net-destroy NAME), since it puts its rules back; these commands take \
             out its rules for them and no others",
        )
    };
    Some(Finding {
        check: Check::Libvirt,
        severity,
        networks,
        summary: summary.to_owned(),
        evidence,
        impact: meaning.to_owned(),
        fix: Fix::commands(fix),
    })
}

/// libvirt's rules, in any technology.
pub(super) fn libvirt_rules(scene: &Scene, rules: &HostRules) -> Vec<Matched> {
    let groups = rules.groups();
    groups
        .flat_map(|group| group.libvirt_rules(&scene.host.links))
        .collect()
}

/// palisade's tables and chains without a record.
pub(super) fn unrecorded(
    firewall: &mut Firewall,
    scene: &Scene,
    rules: &HostRules,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for group in rules.groups() {
        let here = group.location();
        let mut placements = scene.records.iter().map(|record| &record.placement);
        if placements.any(|placement| firewall.location(placement).as_ref() == Some(&here)) {
            continue;
        }
        let removals = group.palisades();
        if removals.is_empty() {
            continue;
        }
        let adopts = has_lost(firewall, scene, &here).then(|| match &here {
            Location::OwnTable(table) => format!("--table {} recover --adopt", word(table)),
            _ => "recover --adopt".to_owned(),
        });
        let adopt = adopts.map(|arguments| scene.commands.palisade(&arguments));
        found.extend(removals.into_iter().map(|Removal { place, command }| {
            let removal = scene.commands.inside(command);
            orphan(seen(group, place), adopt.clone(), removal)
        }));
    }
    found
}

/// Whether a network has rules here and is recorded nowhere, as far as can be seen: then nothing else
/// protects it.
fn has_lost(firewall: &mut Firewall, scene: &Scene, here: &Location) -> bool {
    let recorded = |name: &Name| scene.records.iter().any(|it| it.network.name() == name);
    match firewall.unrecorded(here) {
        Ok(names) => names.iter().any(|name| !recorded(name)),
        Err(error) => {
            log::warn!("{error}");
            true
        }
    }
}

fn seen(group: &dyn TableGroup, Place { table, chain }: Place) -> Evidence {
    let program = group.program();
    match chain {
        None => Evidence::Table { program, table },
        Some(chain) => Evidence::Rule {
            program,
            table,
            chain,
            rule: None,
            policy: None,
        },
    }
}

/// Rules of networks that are recorded nowhere are recorded again by `adopt`: they are not removed to fix
/// that. All others are.
fn orphan(evidence: Evidence, adopt: Option<String>, removal: String) -> Finding {
    let meaning = match &adopt {
        Some(_) => format!(
            "another state directory knows them (--state-dir), or it was lost: then this records their \
             networks again, and applying a definition replaces what is not adopted. They act all the \
             same, and `remove` would not find them. If no network needs them, `{removal}` removes them, \
             and what others put among them stays"
        ),
        None => {
            "no network needs them, unless another state directory knows them (--state-dir): those \
                 whose names they have are recorded at another place. They act all the same, and \
                 `remove` would not find them. What others put among them stays"
                .to_owned()
        }
    };
    Finding {
        check: Check::Unrecorded,
        severity: Severity::Warning,
        networks: Vec::new(),
        summary: format!("rules of palisade stand that no record names: {evidence}"),
        evidence: vec![evidence],
        impact: meaning,
        fix: Fix::commands([adopt.unwrap_or(removal)]),
    }
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
            impact: "rules of it may stand that no record names, or be missing".to_owned(),
            fix: Fix::commands([scene.commands.palisade("recover")]),
        });
    }
    for quarantined in state.quarantined(&[])? {
        found.push(set_aside(
            &place.join(quarantined.path),
            &quarantined.why,
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
        impact: meaning.to_owned(),
        fix: Fix::commands([format!("rm -r {}", word(&path.to_string_lossy()))]),
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
