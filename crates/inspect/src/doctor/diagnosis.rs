//! All that was found, and where it was looked for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{Finding, Severity};
use crate::host_rules::{HostRules, SavedTables};

/// What was found on a host, what was looked at to find it, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub looked_at: Vec<String>,
    /// What may stop packets too, and was not looked at.
    pub not_looked_at: Vec<String>,
}

/// What none of the checks reads.
const NEVER: [&str; 3] = [
    "tc filters and XDP programs on devices",
    "legacy ebtables",
    "what guests do themselves",
];

impl Diagnosis {
    pub(super) fn new(findings: Vec<Finding>, rules: &HostRules) -> Self {
        let looked_at = [
            "interfaces, addresses, neighbours, routes and routing rules",
            "the kernel's settings for forwarding, sources and bridges",
            "programs that listen on the host",
            "palisade's records",
        ];
        let nftables = match rules.nftables.len() {
            1 => "1 table of nftables".to_owned(),
            tables => format!("{tables} tables of nftables"),
        };
        let of = |variant, family| format!("{variant} iptables for {family}");
        let saved = rules.iptables.iter().map(|SavedTables(saved)| saved);
        let iptables = saved.clone().map(|saved| of(saved.variant, saved.family));
        let unread = rules.unread.iter();
        let unread = unread.map(|unread| of(unread.variant, unread.family));
        let unprinted = saved.filter_map(|saved| {
            let table = saved.left_out?.name();
            Some(format!(
                "table `{table}` of {}",
                of(saved.variant, saved.family)
            ))
        });
        let never = NEVER.into_iter().map(str::to_owned);
        let looked_at = looked_at.into_iter().map(str::to_owned);
        Self {
            findings,
            looked_at: looked_at.chain([nftables]).chain(iptables).collect(),
            not_looked_at: unread.chain(unprinted).chain(never).collect(),
        }
    }

    /// Whether traffic that networks ask for gets through, as far as was looked: notes do not count.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.all(|finding| finding.severity == Severity::Note)
    }

    /// How many findings there are of each check, as Prometheus reads it.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for finding in &self.findings {
            let of = (finding.check.name(), finding.severity.name());
            *counts.entry(of).or_default() += 1;
        }
        let mut text = "# HELP palisade_findings Findings of palisade doctor.\n\
             # TYPE palisade_findings gauge\n"
            .to_owned();
        for ((id, severity), count) in counts {
            let labels = format!("id=\"{id}\",severity=\"{severity}\"");
            text.push_str(&format!("palisade_findings{{{labels}}} {count}\n"));
        }
        let healthy = u8::from(self.is_healthy());
        text.push_str(&format!(
            "# HELP palisade_healthy Whether palisade doctor found no error and no warning.\n\
             # TYPE palisade_healthy gauge\n\
             palisade_healthy {healthy}\n"
        ));
        text
    }
}
