//! `doctor`: what on this host drops, breaks or hides guests' traffic.

use anstyle::{AnsiColor, Style};
use palisade::Firewall;
use palisade_inspect::Inspector;
use palisade_inspect::doctor::{Finding, Severity};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{Outcome, wrapped};

const LABEL: Style = Style::new().dimmed();

/// Each finding in a paragraph; exit code 3 if there is one.
pub(super) fn doctor(firewall: &mut Firewall) -> Result<Outcome, Failure> {
    let findings = Inspector::of(firewall).doctor()?;
    let healthy = findings.is_empty();
    let text = if healthy {
        "nothing found\n".to_owned()
    } else {
        let paragraphs: Vec<String> = findings.iter().map(paragraph).collect();
        paragraphs.join("\n")
    };
    let json = json!({ "healthy": healthy, "findings": findings });
    Ok(Outcome::new(text, &json).with_code(if healthy { 0 } else { 3 }))
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
    line("means", &wrapped(&finding.meaning, 12));
    // Commands stay on their lines, to be copied.
    for (i, command) in finding.fix.iter().enumerate() {
        line(if i == 0 { "mend" } else { "" }, command);
    }
    text
}
