//! What was left: by libvirt, and by ourselves.

use std::fs;
use std::path::{Path, PathBuf};

use palisade::Firewall;
use palisade_core::location::Location;
use palisade_core::network::InterfaceName;
use palisade_core::owner::Owner;
use palisade_core::state::{Record, State, StateError};
use palisade_nft::owner;

use super::exact;
use super::finding::{Check, Evidence, Finding, Severity};
use super::location::is_of_programs;
use super::mend::word;
use super::rulesets::Rulesets;
use super::scene::{Scene, names};
use crate::libvirt::{self, Matched, Native, is_its_chain};

/// libvirt's rules, as they stood.
#[derive(Debug)]
pub(super) struct OfLibvirt {
    native: Vec<Native>,
    /// All of them.
    all: Vec<Matched>,
}

impl OfLibvirt {
    pub(super) fn new(native: Vec<Native>, rulesets: &Rulesets) -> Self {
        let all = native.iter().map(|rule| rule.matched.clone());
        let in_iptables = rulesets.saved.iter().flat_map(libvirt::in_iptables);
        Self {
            all: all.chain(in_iptables).collect(),
            native,
        }
    }

    pub(super) fn names(&self, bridge: &str) -> bool {
        self.all.iter().any(|rule| rule.names(bridge))
    }

    /// Whether there is more than the way to it.
    fn is_at_work(&self) -> bool {
        self.all.iter().any(|rule| !rule.is_jump)
    }
}

pub(super) fn of_libvirt(scene: &Scene, rulesets: &Rulesets, rules: &OfLibvirt) -> Option<Finding> {
    let both: Vec<(&Record, &InterfaceName)> = scene
        .ruled()
        .filter(|(_, bridge)| rules.names(bridge.as_str()))
        .collect();
    let networks = names(both.iter().map(|&(record, _)| record));
    let of_a_bridge = |link: &palisade_netlink::rtnetlink::Link| rules.names(&link.name);
    if networks.is_empty() && (scene.host.links.iter().any(of_a_bridge) || !rules.is_at_work()) {
        return None; // It is at work, on bridges of its own; or nothing is left but its chains.
    }
    // What is about the same bridges and subnets, and no more: it may have other networks.
    let is_meant = |rule: &Matched| {
        both.iter()
            .any(|(record, _)| rule.concerns(&record.network))
    };
    let (mut evidence, mut mend) = (Vec::new(), Vec::new());
    for table in &rulesets.tables {
        if owner::of_table(table) == Owner::Libvirt {
            let name = format!("{} {}", table.family, table.name);
            mend.extend(
                networks
                    .is_empty()
                    .then(|| format!("nft delete table {name}")),
            );
            evidence.push(Evidence::Table {
                program: "nftables".to_owned(),
                table: name,
            });
        }
    }
    let native = rules.native.iter();
    let native: Vec<&Native> = native
        .filter(|rule| !is_its_chain(&rule.chain) && is_meant(&rule.matched))
        .collect();
    mend.extend(exact::native(&native));
    for saved in &rulesets.saved {
        for table in &saved.tables {
            let mut chains = table.chains.iter().map(|chain| &chain.name);
            if let Some(first) = chains.find(|name| is_its_chain(name)) {
                evidence.push(Evidence::Rule {
                    program: saved.program.clone(),
                    table: table.name.clone(),
                    chain: first.clone(),
                    rule: None,
                    policy: None,
                });
                mend.extend(match networks.is_empty() {
                    true => exact::libvirt_chains(&saved.program, table),
                    false => exact::libvirt_rules(&saved.program, table, is_meant),
                });
            }
        }
    }
    let mend = mend.iter().map(|command| scene.mend.inside(command));
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
        meaning: meaning.to_owned(),
        mend: mend.collect(),
    })
}

/// Our tables and chains without a record.
pub(super) fn unrecorded(firewall: &Firewall, scene: &Scene, rulesets: &Rulesets) -> Vec<Finding> {
    let mut found = Vec::new();
    for program in &rulesets.own {
        let table = &program.table;
        let here = Some(Location::OwnTable(table.name.clone()));
        let mut places = scene.records.iter().map(|record| &record.placement);
        let is_recorded = places.any(|placement| firewall.location(placement) == here);
        if let Some(mend) = exact::ours(program).filter(|_| !is_recorded) {
            let evidence = Evidence::Table {
                program: "nftables".to_owned(),
                table: format!("{} {}", table.family, table.name),
            };
            found.push(orphan(evidence, scene.mend.inside(mend)));
        }
    }
    for saved in &rulesets.saved {
        let is_recorded = scene
            .records
            .iter()
            .any(|record| is_of_programs(firewall, record, saved.variant));
        for table in saved.tables.iter().filter(|_| !is_recorded) {
            let Some(mend) = exact::ours_in_iptables(&saved.program, table) else {
                continue;
            };
            let mut chains = table.chains.iter().map(|chain| &chain.name);
            let chain = chains.find(|name| Owner::of_chain(name).is_palisade());
            let evidence = Evidence::Rule {
                program: saved.program.clone(),
                table: table.name.clone(),
                chain: chain.cloned().unwrap_or_default(),
                rule: None,
                policy: None,
            };
            found.push(orphan(evidence, scene.mend.inside(mend)));
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
                  the same, and `remove` would not find them. What others put among them stays"
            .to_owned(),
        mend: vec![mend],
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
            meaning: "rules of it may stand that no record names, or be missing".to_owned(),
            mend: vec![scene.mend.palisade("recover")],
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
