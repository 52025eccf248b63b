//! What nf_tables lacks in this kernel.

use palisade_core::network::Family;
use palisade_nft::backend::{Feature, Nftables, ProbeError};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, names};

pub(super) fn lacks(scene: &Scene, nftables: &mut Nftables) -> Result<Vec<Finding>, ProbeError> {
    let mut found = Vec::new();
    for family in Family::BOTH {
        for feature in nftables.lacks(family)? {
            found.push(lacking(scene, family, feature));
        }
    }
    Ok(found)
}

fn lacking(scene: &Scene, family: Family, feature: Feature) -> Finding {
    let words = feature.words();
    let (severity, meaning) = match feature {
        Feature::Masquerade => (
            Severity::Error,
            "networks with mode `nat` cannot run by nftables",
        ),
        Feature::Reject => (Severity::Error, "no network can run by nftables"),
        Feature::SetCounter => (
            Severity::Warning,
            "networks run by nftables with layout flat alone",
        ),
        Feature::Log | Feature::LogGroup => (
            Severity::Note,
            "networks with `log` run by nftables, and what they refuse is not logged so",
        ),
        _ => (
            Severity::Note,
            "rules of ours do not need it; those of other programs may",
        ),
    };
    let fix = match feature.module(family) {
        Some(modules) if modules.contains(' ') => Fix::commands([format!("modprobe -a {modules}")]),
        Some(module) => Fix::commands([format!("modprobe {module}")]),
        None => Fix::advice(format!("Linux {} or later has it", feature.since())),
    };
    Finding {
        check: Check::KernelFeature,
        severity,
        networks: names(scene.ruled().map(|(record, _)| record)),
        summary: format!("this kernel lacks `{words}` of nf_tables for {family}"),
        evidence: vec![Evidence::File {
            file: feature.module(family).unwrap_or("nf_tables").to_owned(),
            value: "tried out and refused".to_owned(),
        }],
        impact: meaning.to_owned(),
        fix,
    }
}
