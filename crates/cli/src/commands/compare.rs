//! `compare`: where backends and layouts treat packets differently.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use palisade::Network;
use palisade_inspect::compare::{self, Comparison, Disagreement};

use crate::failure::Failure;
use crate::output::Outcome;

const HEAD: Style = Style::new().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// Documented differences with an example of each, and whatever else differs with both paths; exit
/// code 3 if there is anything else.
pub(super) fn compare(networks: &[Network]) -> Result<Outcome, Failure> {
    let comparison = compare::compare(networks)?;
    let code = if comparison.is_as_documented() { 0 } else { 3 };
    let text = text(networks.len(), &comparison);
    let mut json = serde_json::to_value(&comparison).unwrap_or_default();
    json["as_documented"] = comparison.is_as_documented().into();
    Ok(Outcome::new(text, &json).with_code(code))
}

fn text(networks: usize, comparison: &Comparison) -> String {
    let mut text = String::new();
    let packets = comparison.packets;
    let networks = if networks == 1 {
        "1 network".to_owned()
    } else {
        format!("{networks} networks")
    };
    let _ = writeln!(
        text,
        "{networks}: {packets} packets, one of each class that any rule tells apart, through the \
         rules, flat, mapped and iptables"
    );
    let others = comparison.disagreements;
    if others > 0 {
        let _ = writeln!(
            text,
            "{WRONG}{others} are treated otherwise than documented{WRONG:#}"
        );
    } else if comparison.documented.is_empty() {
        text.push_str("all of them treat all packets alike\n");
    } else {
        text.push_str("they differ as documented, and not otherwise\n");
    }
    for documented in &comparison.documented {
        let (difference, packets) = (documented.difference, documented.packets);
        let _ = writeln!(text, "\n{HEAD}{difference}{HEAD:#}: {packets} packets");
        let _ = writeln!(text, "  {}", difference.explanation());
        let _ = writeln!(text, "  for example: {}", documented.example.packet);
        for view in &documented.example.sides {
            let _ = writeln!(text, "    {}: {}", view.side, view.fate);
        }
    }
    for example in &comparison.examples {
        text.push_str(&unexpected(example));
    }
    text
}

/// A packet that is treated otherwise than documented, with both paths.
fn unexpected(disagreement: &Disagreement) -> String {
    let mut text = format!("\n{WRONG}differs{WRONG:#}: {}\n", disagreement.packet);
    for view in &disagreement.sides {
        let _ = writeln!(text, "  {}: {}", view.side, view.fate);
        for visit in &view.path {
            let met = match visit.matched {
                Some(true) => "+",
                Some(false) => "-",
                None => "?",
            };
            let (chain, rule, why) = (&visit.chain, &visit.rule, &visit.why);
            let _ = writeln!(text, "    {met} {chain}: {rule} ({why})");
        }
    }
    text
}
