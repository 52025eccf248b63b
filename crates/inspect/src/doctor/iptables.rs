//! The programs of iptables: what they lack, and both variants of them at once.

use palisade::{Firewall, backends};
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::Family;
use palisade_core::state::Record;
use palisade_iptables::backend::Saved;
use palisade_iptables::run::{Programs, Variant};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, names};
use crate::host_rules::HostRules;

/// Both variants of the programs at once: each lists its own rules alone, and a packet has to pass the
/// rules of both.
pub(super) fn both_variants(firewall: &Firewall, scene: &Scene, rules: &HostRules) -> Vec<Finding> {
    let found = Family::BOTH.map(|family| {
        let of = |variant| {
            let mut saved = rules.iptables.iter().map(|tables| &tables.0);
            saved.find(|saved| saved.family == family && saved.variant == variant && acts(saved))
        };
        let (legacy, nft) = (of(Variant::Legacy)?, of(Variant::Nft)?);
        Some(finding(firewall, scene, legacy, nft))
    });
    found.into_iter().flatten().collect()
}

/// Whether there is a rule, or a policy other than to accept.
fn acts(saved: &Saved) -> bool {
    saved.tables.iter().any(|table| {
        let mut policies = table
            .chains
            .iter()
            .filter_map(|chain| chain.policy.as_deref());
        !table.rules.is_empty() || policies.any(|policy| policy != "ACCEPT" && policy != "-")
    })
}

fn finding(firewall: &Firewall, scene: &Scene, legacy: &Saved, nft: &Saved) -> Finding {
    let evidence = [legacy, nft].into_iter().flat_map(|saved| {
        let tables = saved.tables.iter().filter(|table| !table.rules.is_empty());
        tables.map(|table| Evidence::Table {
            program: saved.program.clone(),
            table: format!("{} ({} rules)", table.name, table.rules.len()),
        })
    });
    let ours = scene
        .records
        .iter()
        .filter(|record| is_of_programs(firewall, record, Variant::Legacy));
    let networks = names(ours);
    let mut fix = Vec::new();
    if !networks.is_empty() {
        fix.push(
            scene
                .commands
                .palisade("migrate --to iptables --iptables nft"),
        );
    }
    fix.push(scene.commands.inside(moved(legacy, nft)));
    Finding {
        check: Check::IptablesFamilies,
        severity: Severity::Warning,
        summary: format!(
            "both families of iptables programs have rules for {}",
            legacy.family
        ),
        evidence: evidence.collect(),
        impact: "each lists its own alone, and a packet has to pass both: what one accepts, the \
                  other may drop. The command moves the rules of the older family to the newer one"
            .to_owned(),
        fix: Fix::commands(fix),
        networks,
    }
}

/// Moves all rules of one variant to the other, and leaves none.
fn moved(legacy: &Saved, nft: &Saved) -> String {
    let (from, to) = (&legacy.program, &nft.program);
    let mut command = format!("{from}-save | {to}-restore --noflush");
    for table in &legacy.tables {
        let name = &table.name;
        command += &format!(" && {from} -t {name} -F && {from} -t {name} -X");
        let policies = table.chains.iter().filter(|chain| {
            chain
                .policy
                .as_deref()
                .is_some_and(|policy| policy != "ACCEPT" && policy != "-")
        });
        for chain in policies {
            command += &format!(" && {from} -t {name} -P {} ACCEPT", chain.name);
        }
    }
    command
}

/// What the programs lack that networks need which run by iptables: the checksum of DHCP answers, and
/// whole tables.
pub(super) fn lacks(firewall: &Firewall, scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for variant in Variant::BOTH {
        let its = scene.records.iter().filter(|record| {
            is_of_programs(firewall, record, variant) && !firewall.rules(record).is_empty()
        });
        let networks = names(its);
        if networks.is_empty() {
            continue;
        }
        let mut programs = backends::iptables(scene.commands.namespace.as_deref());
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
                impact: "the checksum of DHCP answers takes module xt_CHECKSUM, IPv6 \
                          ip6table_filter, NAT iptable_nat: what is missing is left out of rules"
                    .to_owned(),
                fix: Fix::commands([
                    "modprobe -a xt_CHECKSUM iptable_nat ip6table_filter".to_owned()
                ]),
            });
        }
    }
    found
}

/// Whether a network's rules are in the tables that a variant of the programs lists.
fn is_of_programs(firewall: &Firewall, record: &Record, variant: Variant) -> bool {
    let subsystem = match variant {
        Variant::Nft => Subsystem::NfTables,
        Variant::Legacy => Subsystem::IpTables,
    };
    firewall.location(&record.placement) == Some(Location::SharedTables(subsystem))
}
