//! `trace`: real packets as they pass, and what they meet.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use nix::sys::signal::{SigSet, Signal};
use palisade::evaluate::{Packet, Verdict, Visit, protocol_name};
use palisade::words::in_words;
use palisade::{ErrorKind, Firewall};
use palisade_inspect::Inspector;
use palisade_inspect::trace::{End, Filter, Limits, Prediction, Traced, TracedPacket};
use serde_json::json;

use crate::arguments::{OutputFormat, TracedPackets};
use crate::failure::Failure;
use crate::output::{self, Outcome, Reader};

const PASSES: Style = AnsiColor::Green.on_default().bold();
const STOPPED: Style = AnsiColor::Red.on_default().bold();
const UNSURE: Style = AnsiColor::Yellow.on_default().bold();

/// Prints packets as they come, until a limit or a signal ends it.
pub(super) fn trace(
    firewall: &mut Firewall,
    asked: &TracedPackets,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
    let signals: SigSet = signals.into_iter().collect();
    // Before there are other threads, which take it over: a signal goes to the one that waits.
    signals.thread_block().map_err(|errno| {
        Failure::new(
            ErrorKind::System,
            format!("cannot wait for signals: {}", in_words(&errno.into())),
            "please report it",
        )
    })?;
    let trace = Inspector::of(firewall).trace(&filter(asked), limits(asked))?;
    for network in trace.untraceable() {
        log::warn!(
            "network `{network}` is installed through iptables-legacy: nf_tables does not tell \
             which of its rules packets meet (`palisade migrate --to nftables` moves it)"
        );
    }
    for name in trace.absent() {
        log::warn!("there is no interface `{name}` here now: until it comes, no packet passes it");
    }
    let stop = trace.stop();
    let (sender, ended_by) = mpsc::channel();
    thread::spawn(move || {
        if let Ok(signal) = signals.wait() {
            // It fails if the trace is over.
            let _ = sender.send(signal);
            stop.stop();
        }
    });
    if format == OutputFormat::Text {
        // Who waits for packets wants to know that the command does too. There is nobody to tell if this
        // fails.
        let _ = writeln!(std::io::stderr(), "listening for packets; Ctrl-C ends it");
    }
    for traced in trace {
        let said = match traced? {
            Traced::Packet(packet) => Outcome::new(text(&packet), &packet),
            Traced::Missed => Outcome::new(
                format!(
                    "{UNSURE}missed:{UNSURE:#} more packets passed than could be told of; ask for \
                     fewer\n"
                ),
                &json!({ "missed": true }),
            ),
        };
        if output::show(&said, format) == Reader::Gone {
            break;
        }
    }
    Ok(match ended_by.try_recv() {
        Ok(Signal::SIGINT) => Outcome::interrupted(),
        _ => Outcome::silent(),
    })
}

fn filter(asked: &TracedPackets) -> Filter {
    Filter {
        in_interface: asked.in_interface.clone(),
        out_interface: asked.out_interface.clone(),
        source: asked.src,
        destination: asked.dst,
        protocol: asked.proto,
        source_port: asked.sport,
        destination_port: asked.dport,
    }
}

fn limits(asked: &TracedPackets) -> Limits {
    Limits {
        count: asked.count,
        time: asked.time.map(Duration::from_secs),
    }
}

pub(super) fn text(traced: &TracedPacket) -> String {
    let (style, word) = match (traced.verdict, traced.end) {
        (Some(Verdict::Accept), End::Arrived) => (PASSES, "accept, to the host itself"),
        (Some(Verdict::Accept), _) => (PASSES, "accept"),
        (Some(Verdict::Reject), _) => (STOPPED, "reject"),
        (Some(Verdict::Drop), _) => (STOPPED, "drop"),
        (None, _) => (UNSURE, "nothing more was heard of it"),
    };
    let mut text = format!("{style}{word}{style:#}: {}", packet(&traced.packet));
    for (word, seen) in [("from", traced.source), ("to", traced.destination)] {
        if let Some(seen) = seen {
            text.push_str(&format!(", leaves {word} {}", end(seen.address, seen.port)));
        }
    }
    if let Some(no_way) = &traced.no_way {
        text.push_str(&format!("; {no_way}"));
    }
    text.push('\n');
    text.push_str(&path(&traced.path));
    if traced.has_gaps {
        text.push_str("  (something may be missing here: more passed than could be told of)\n");
    }
    match &traced.prediction {
        Prediction::Differs {
            path: expected,
            why,
        } => {
            text.push_str(&format!(
                "  {UNSURE}not as expected:{UNSURE:#} {why}; expected:\n"
            ));
            text.push_str(&path(expected));
        }
        Prediction::Unsure(why) => text.push_str(&format!("  not compared: {why}\n")),
        Prediction::None | Prediction::Same { .. } => {}
    }
    text
}

pub(super) fn packet(packet: &Packet) -> String {
    let protocol = protocol_name(packet.protocol);
    let interface = |word, interface: &Option<palisade::network::InterfaceName>| {
        let named = interface.as_ref();
        named.map_or_else(String::new, |name| format!(" {word} {name}"))
    };
    format!(
        "{protocol} {} > {}{}{}",
        end(packet.source(), packet.source_port),
        end(packet.destination(), packet.destination_port),
        interface("in", &packet.in_interface),
        interface("out", &packet.out_interface),
    )
}

fn end(address: std::net::IpAddr, port: Option<u16>) -> String {
    match port {
        Some(port) => std::net::SocketAddr::from((address, port)).to_string(),
        None => address.to_string(),
    }
}

fn path(path: &[Visit]) -> String {
    let mut text = String::new();
    for visit in path {
        let table = visit.table.as_deref().unwrap_or_default();
        let whose = match (&visit.network, visit.purpose) {
            (Some(network), Some(purpose)) => format!(" [{network}: {purpose}]"),
            (Some(network), None) => format!(" [{network}]"),
            (None, Some(purpose)) => format!(" [{purpose}]"),
            (None, None) => String::new(),
        };
        let [table, chain, rule, why] =
            [table, &visit.chain, &visit.rule, &visit.why].map(palisade::words::shown);
        text.push_str(&format!("  {table} {chain}: {rule}{whose}: {why}\n"));
    }
    text
}
