//! `doctor`: what on this host drops, breaks or hides guests' traffic.

use anstyle::{AnsiColor, Style};
use palisade::Firewall;
use palisade_inspect::Inspector;
use palisade_inspect::doctor::{Diagnosis, Finding, Severity};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::failure::Failure;
use crate::output::{Outcome, wrapped};

const LABEL: Style = Style::new().dimmed();

/// Each finding in a paragraph; exit code 3 if one is an error or a warning.
pub(super) fn doctor(firewall: &mut Firewall, format: OutputFormat) -> Result<Outcome, Failure> {
    let diagnosis = Inspector::of(firewall).doctor()?;
    let text = if format == OutputFormat::Prometheus {
        diagnosis.prometheus()
    } else if diagnosis.findings.is_empty() {
        nothing_found(&diagnosis)
    } else {
        let paragraphs: Vec<String> = diagnosis.findings.iter().map(paragraph).collect();
        paragraphs.join("\n")
    };
    let healthy = diagnosis.is_healthy();
    let mut json = json!(diagnosis);
    json["healthy"] = json!(healthy);
    Ok(Outcome::new(text, &json).with_code(if healthy { 0 } else { 3 }))
}

/// What that is said of.
fn nothing_found(diagnosis: &Diagnosis) -> String {
    let looked_at = wrapped(&diagnosis.looked_at.join("; "), 17);
    let not_looked_at = wrapped(&diagnosis.not_looked_at.join("; "), 17);
    format!(
        "nothing found\n  {LABEL}looked at{LABEL:#}      {looked_at}\n  {LABEL}not looked at{LABEL:#}  \
         {not_looked_at}\n"
    )
}

fn paragraph(finding: &Finding) -> String {
    let color = match finding.severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    let style = color.on_default().bold();
    let head = format!(
        "{}: {} [{}]",
        finding.severity, finding.summary, finding.check
    );
    let head = wrapped(&head, 0);
    let severity = finding.severity.name();
    let rest = head.strip_prefix(severity).unwrap_or(&head);
    let mut text = format!("{style}{severity}{style:#}{rest}\n");
    let mut line = |label: &str, value: &str| {
        text.push_str(&format!("  {LABEL}{label:<8}{LABEL:#}  {value}\n"));
    };
    let evidence: Vec<String> = finding.evidence.iter().map(ToString::to_string).collect();
    if !finding.networks.is_empty() {
        let names: Vec<String> = finding.networks.iter().map(ToString::to_string).collect();
        line("networks", &wrapped(&names.join(", "), 12));
    }
    for (i, seen) in evidence.iter().enumerate() {
        line(if i == 0 { "seen" } else { "" }, &wrapped(seen, 12));
    }
    line("means", &wrapped(&finding.impact, 12));
    // Commands stay on their lines, to be copied.
    for (i, command) in finding.fix.commands.iter().enumerate() {
        line(if i == 0 { "fix" } else { "" }, command);
    }
    if let Some(advice) = &finding.fix.advice {
        line("fix", &wrapped(advice, 12));
    }
    text
}
