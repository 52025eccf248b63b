//! palisade's own rules: without them, nothing else that is looked at matters.

use palisade_core::backend::{Discrepancy, DiscrepancyKind};
use palisade_core::network::Name;

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, told};

/// How many objects are named as evidence.
const SHOWN: usize = 8;

/// One finding of what is not as it is recorded, and one of what others put among palisade's rules.
pub(super) fn findings(scene: &Scene, differences: &[Discrepancy]) -> Vec<Finding> {
    let (foreign, broken): (Vec<&Discrepancy>, Vec<_>) = differences
        .iter()
        .partition(|it| it.kind == DiscrepancyKind::Foreign);
    let broken = of(
        scene,
        &broken,
        Severity::Error,
        "palisade's own rules are not as they are recorded",
        "have no rules that would let their traffic pass, or refuse it, as it should be",
    );
    let foreign = of(
        scene,
        &foreign,
        Severity::Warning,
        "other programs put rules among palisade's own",
        "may be treated otherwise than palisade says; `repair` removes these rules, and prints them",
    );
    broken.into_iter().chain(foreign).collect()
}

fn of(
    scene: &Scene,
    differences: &[&Discrepancy],
    severity: Severity,
    summary: &str,
    meaning: &str,
) -> Option<Finding> {
    if differences.is_empty() {
        return None;
    }
    let mut networks: Vec<Name> = Vec::new();
    for name in differences.iter().filter_map(|it| it.network.as_ref()) {
        if networks.last() != Some(name) && !networks.contains(name) {
            networks.push(name.clone());
        }
    }
    // What they have in common concerns all.
    if networks.is_empty() {
        networks.extend(
            scene
                .records
                .iter()
                .map(|record| record.network.name().clone()),
        );
    }
    let shown = differences.iter().take(SHOWN);
    let shown = shown.map(|difference| Evidence::Object {
        object: difference.object.clone(),
        state: match difference.detail.as_str() {
            "" => difference.kind.to_string(),
            detail => format!("{}: {detail}", difference.kind),
        },
    });
    let more = match differences.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" ({more} more)"),
    };
    Some(Finding {
        check: Check::OwnRules,
        severity,
        summary: format!("{summary}{more}"),
        evidence: shown.collect(),
        impact: format!("guests of {} {meaning}", told(&networks)),
        fix: Fix::commands([scene.commands.palisade("repair")]),
        networks,
    })
}
