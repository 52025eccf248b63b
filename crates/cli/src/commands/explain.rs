//! `explain`: what becomes of a packet, and why.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use palisade::evaluate::{Flow, Nat, Visit};
use palisade::network::Name;
use palisade_inspect::explain::{
    Conclusion, Dnat, Explanation, Ours, Question, Refusal, explain as explain_networks,
};
use palisade_inspect::{Inspector, Onward};

use super::open::{choice, networks_of, open_recorded};
use super::trace::packet;
use crate::arguments::{CtState, ExplainedPacket, Global};
use crate::failure::Failure;
use crate::output::Outcome;

const PASSES: Style = AnsiColor::Green.on_default().bold();
const STOPPED: Style = AnsiColor::Red.on_default().bold();
const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
const HEAD: Style = Style::new().bold();

/// The exit code for a packet that is refused.
const REFUSED: u8 = 3;
/// How many rules in a row that do not apply are told one by one.
const FEW: usize = 4;

pub(super) fn explain(global: &Global, asked: &ExplainedPacket) -> Result<Outcome, Failure> {
    let question = question(asked);
    let explanation = if asked.definitions.is_empty() {
        Inspector::of(&mut open_recorded(global)?).explain(&question)?
    } else {
        let networks = networks_of(&asked.definitions, &asked.bridges, global)?;
        explain_networks(&networks, &choice(global)?, &question)?
    };
    let code = if explanation.verdict.passes() {
        0
    } else {
        REFUSED
    };
    Ok(Outcome::new(text(&explanation), &explanation).with_code(code))
}

fn question(asked: &ExplainedPacket) -> Question {
    Question {
        from: asked.from.clone(),
        to: asked.to.clone(),
        in_interface: asked.in_interface.clone(),
        out_interface: asked.out_interface.clone(),
        source: asked.src,
        destination: asked.dst,
        protocol: asked.proto,
        source_port: asked.sport,
        destination_port: asked.dport,
        flow: asked.ct.map(|state| match state {
            CtState::New => Flow::New,
            CtState::Established => Flow::Established,
            CtState::Related => Flow::Related,
            CtState::Invalid => Flow::Invalid,
        }),
    }
}

fn text(explanation: &Explanation) -> String {
    let style = match explanation.verdict {
        Conclusion::Accept if explanation.caveats.is_empty() => PASSES,
        Conclusion::Accept | Conclusion::Unknown => UNSURE,
        Conclusion::Reject | Conclusion::Drop | Conclusion::Unroutable => STOPPED,
    };
    let mut text = format!(
        "{style}{}{style:#}: {}, {} flow{}{}\n",
        explanation.verdict,
        packet(&explanation.packet),
        explanation.packet.flow,
        translated(explanation),
        but(explanation),
    );
    let mut line = |head: &str, value: &str| text.push_str(&format!("  {head:<9}{value}\n"));
    line("why", &why(explanation));
    if let Some(route) = &explanation.route {
        line("route", &way(route));
    }
    line("nat", &nat(explanation));
    if let Some(dnat) = &explanation.dnat {
        line("goes to", &destination(dnat));
    }
    for assumed in &explanation.assumptions {
        line("assumed", assumed);
    }
    for note in &explanation.notes {
        line("note", note);
    }
    for doubt in &explanation.undecided {
        let mut may: Vec<String> = doubt.may.iter().map(ToString::to_string).collect();
        if doubt.may_translate {
            may.push("translate it otherwise".to_owned());
        }
        text.push_str(&format!(
            "  {UNSURE}may{UNSURE:#}      {}: {} {}: {}\n           {}\n",
            may.join(", "),
            doubt.table,
            doubt.chain,
            doubt.rule,
            doubt.why,
        ));
    }
    if explanation.path.is_empty() {
        text.push_str("\nit meets no rules\n");
        return text;
    }
    text.push_str(&format!("\n{HEAD}path{HEAD:#}\n"));
    text.push_str(&path(explanation));
    text
}

/// What becomes of its addresses.
fn translated(explanation: &Explanation) -> String {
    let goes = explanation
        .dnat
        .as_ref()
        .map(|dnat| format!(", goes to {}", dnat.to));
    let leaves = explanation.nat.translates().then(|| match explanation.nat {
        Nat::Masquerade { .. } => ", masqueraded".to_owned(),
        nat => format!(", {nat}"),
    });
    goes.into_iter().chain(leaves).collect()
}

/// What belongs into the first line, behind the verdict.
fn but(explanation: &Explanation) -> String {
    let no_way = explanation.no_way.iter().map(ToString::to_string);
    let caveats = explanation.caveats.iter().cloned();
    let all: Vec<String> = match explanation.verdict {
        Conclusion::Unroutable => no_way.chain(caveats).collect(),
        _ => caveats.collect(),
    };
    match (explanation.verdict, all.as_slice()) {
        (_, []) => String::new(),
        (Conclusion::Accept, all) => format!("; but {}", all.join("; ")),
        (_, all) => format!("; {}", all.join("; ")),
    }
}

/// Who decided.
fn why(explanation: &Explanation) -> String {
    let Some(refusal) = explanation.refusal() else {
        return match (explanation.verdict, &explanation.no_way) {
            (Conclusion::Unroutable, Some(no_way)) => no_way.to_string(),
            (Conclusion::Unknown, _) => "what it meets cannot be decided here".to_owned(),
            _ => accepted_by(explanation).to_owned(),
        };
    };
    match refusal {
        Refusal::Network { network, purpose } => {
            format!("network `{network}`: {}", purpose.explanation())
        }
        Refusal::Intruder(visit) => {
            format!(
                "a rule in our chain that is not ours refuses it: {}",
                place(visit)
            )
        }
        Refusal::Others { visit, ours } => {
            let what = match ours {
                Ours::Passed => "our tables let it pass, and others refuse it",
                Ours::WouldPass => "others refuse it, before our tables, which would let it pass",
                Ours::WouldRefuse => "others refuse it, as our tables would",
                Ours::Silent => "others refuse it",
            };
            format!("{what}: {}", place(visit))
        }
    }
}

fn accepted_by(explanation: &Explanation) -> &'static str {
    let has_others = explanation.tables.iter().any(|table| !table.ours);
    match (explanation.verdict.passes(), explanation.is_ours()) {
        (false, _) => "refused",
        (true, false) => "no rule of ours is about it, and no other refuses it",
        (true, true) if has_others => "accepted by our tables and others",
        (true, true) => "accepted by our tables",
    }
}

fn place(visit: &Visit) -> String {
    let table = visit.table.as_deref().unwrap_or_default();
    format!("{table} {}: {}", visit.chain, visit.rule)
}

fn nat(explanation: &Explanation) -> String {
    match explanation.nat {
        Nat::None => format!("none: {}", explanation.nat_because),
        nat => format!("{nat} ({})", explanation.nat_because),
    }
}

/// The route by which a packet leaves.
fn way(route: &Onward) -> String {
    let next = match route.gateway {
        Some(gateway) => format!("by {gateway}"),
        None => "to a neighbour".to_owned(),
    };
    let table = match route.table {
        254 => "main".to_owned(),
        number => number.to_string(),
    };
    format!("{next} through `{}`, as table {table} says", route.device)
}

/// Where a packet goes instead, and by what.
fn destination(dnat: &Dnat) -> String {
    match (&dnat.network, &dnat.forward) {
        (Some(network), Some(forward)) => {
            format!("{}, by forward `{forward}` of `{network}`", dnat.to)
        }
        (Some(network), None) => format!("{}, by a rule of `{network}`", dnat.to),
        (None, _) => format!("{}, by another program: {}", dnat.to, dnat.because),
    }
}

/// Rules that do not apply are told where they are few, or belong to networks that the packet
/// meets.
fn path(explanation: &Explanation) -> String {
    let met = met(explanation);
    let mut text = String::new();
    let mut passed: Vec<&Visit> = Vec::new();
    for visit in &explanation.path {
        if visit.matched == Some(false) {
            passed.push(visit);
        } else {
            tell_passed(&mut text, &mut passed, &met);
            text.push_str(&step(visit));
        }
    }
    tell_passed(&mut text, &mut passed, &met);
    text
}

/// The networks whose rules apply to the packet.
fn met(explanation: &Explanation) -> BTreeSet<&Name> {
    let applied = explanation
        .path
        .iter()
        .filter(|visit| visit.matched != Some(false));
    applied.filter_map(|visit| visit.network.as_ref()).collect()
}

fn tell_passed(text: &mut String, passed: &mut Vec<&Visit>, met: &BTreeSet<&Name>) {
    let is_few = passed.len() <= FEW;
    let mut left_out = 0;
    for visit in passed.drain(..) {
        let is_met = visit.network.as_ref().is_none_or(|name| met.contains(name));
        if is_few || is_met {
            text.push_str(&step(visit));
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        text.push_str(&format!(
            "  -    {left_out} more rules, of other networks, do not apply\n"
        ));
    }
}

fn step(visit: &Visit) -> String {
    let mark = match visit.matched {
        Some(true) => "yes",
        Some(false) => "no",
        None => "may",
    };
    let table = visit.table.as_deref().unwrap_or_default();
    let whose = match (&visit.network, visit.purpose) {
        (Some(network), Some(purpose)) => format!(" [{network}: {purpose}]"),
        (Some(network), None) => format!(" [{network}]"),
        _ => String::new(),
    };
    let counted = visit.counter.map_or(String::new(), |counted| {
        format!(" ({} packets, {} bytes)", counted.packets, counted.bytes)
    });
    format!(
        "  {mark:<4} {table} {}: {}\n         {}{whose}{counted}\n",
        visit.chain, visit.rule, visit.why
    )
}
