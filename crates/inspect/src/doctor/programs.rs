//! Both families of iptables programs at once: each lists its own rules alone, and a packet has to
//! pass those of both.

use palisade::Firewall;
use palisade_core::network::Family;
use palisade_iptables::backend::Saved;
use palisade_iptables::run::Variant;

use super::finding::{Check, Evidence, Finding, Severity};
use super::location::is_of_programs;
use super::rulesets::Rulesets;
use super::scene::{Scene, names};

pub(super) fn findings(firewall: &Firewall, scene: &Scene, rulesets: &Rulesets) -> Vec<Finding> {
    let found = Family::BOTH.map(|family| {
        let of = |variant| {
            let mut saved = rulesets.saved_of(family);
            saved.find(|saved| saved.variant == variant && acts(saved))
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
    let mut mend = Vec::new();
    if !networks.is_empty() {
        mend.push(scene.mend.palisade("migrate --to iptables --iptables nft"));
    }
    mend.push(scene.mend.inside(moved(legacy, nft)));
    Finding {
        check: Check::IptablesFamilies,
        severity: Severity::Warning,
        summary: format!(
            "both families of iptables programs have rules for {}",
            legacy.family
        ),
        evidence: evidence.collect(),
        meaning: "each lists its own alone, and a packet has to pass both: what one accepts, the \
                  other may drop. The command moves the rules of the older family to the newer one"
            .to_owned(),
        mend,
        networks,
    }
}

/// Moves all rules of one family of programs to the other, and leaves none.
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
