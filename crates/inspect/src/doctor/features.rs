//! What this kernel lacks.

use palisade_core::network::Family;
use palisade_iptables::run::{Programs, Variant};
use palisade_nft::backend::{Feature, Nftables, ProbeError};

use super::finding::{Check, Evidence, Finding, Severity};
use super::location::is_of_programs;
use super::scene::{Scene, names};
use palisade::{Firewall, backends};

pub(super) fn of_nftables(
    scene: &Scene,
    nftables: &mut Nftables,
) -> Result<Vec<Finding>, ProbeError> {
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
        _ => (
            Severity::Note,
            "rules of ours do not need it; those of other programs may",
        ),
    };
    let mend = match feature.module(family) {
        Some(module) => format!("modprobe {module}"),
        None => format!("uname -r # Linux {} or later has it", feature.since()),
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
        meaning: meaning.to_owned(),
        mend: vec![mend],
    }
}

/// What the programs of networks that run by iptables cannot do: the checksum of DHCP answers, and
/// whole tables. Nobody else needs them.
pub(super) fn of_iptables(firewall: &Firewall, scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for variant in Variant::BOTH {
        let its = scene.records.iter().filter(|record| {
            is_of_programs(firewall, record, variant) && !firewall.rules(record).is_empty()
        });
        let networks = names(its);
        if networks.is_empty() {
            continue;
        }
        let mut programs = backends::iptables(scene.mend.namespace.as_deref());
        let lacks = match programs.probe(Programs::Of(variant)) {
            Ok(without) => without
                .into_iter()
                .map(|lack| (Severity::Warning, lack))
                .collect(),
            Err(error) => vec![(Severity::Error, error.to_string())],
        };
        for (severity, lack) in lacks {
            found.push(Finding {
                check: Check::KernelFeature,
                severity,
                networks: networks.clone(),
                summary: format!("the {variant} programs of iptables cannot do all here"),
                evidence: vec![Evidence::Table {
                    program: format!("iptables-{variant}"),
                    table: lack,
                }],
                meaning: "the checksum of DHCP answers takes module xt_CHECKSUM, IPv6 \
                          ip6table_filter, NAT iptable_nat: what is missing is left out of rules"
                    .to_owned(),
                mend: vec!["modprobe -a xt_CHECKSUM iptable_nat ip6table_filter".to_owned()],
            });
        }
    }
    found
}
