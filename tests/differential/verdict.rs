//! What the evaluator says of a packet, beside what the kernel did with it.

use std::net::IpAddr;

use palisade_core::evaluate::{Flow, Nat, Packet, Verdict, Visit};
use palisade_netlink::FiveTuple;
use palisade_nft::evaluate::ground;
use palisade_nft::object::Chain;
use palisade_nft::program::{FilledChain, Program};
use palisade_nft::trace::{End, Event, Headers, Met, refuses};

use crate::nature::Heard;
use crate::router::OUT;
use crate::way_out::{is_behind, way_out};

/// What became of a packet.
pub(crate) struct Seen {
    pub(crate) verdict: Verdict,
    pub(crate) is_translated: bool,
    /// No rule stopped it, and yet it did not leave.
    pub(crate) has_vanished: bool,
    pub(crate) is_known: bool,
    /// The evaluator leaves it open.
    pub(crate) is_unsure: bool,
    /// How many rules applied to it.
    pub(crate) rules: usize,
}

/// Compares; what differs is told by `differs`, in words.
pub(crate) fn compare(tables: &[Program], heard: &Heard, differs: impl Fn(String)) -> Seen {
    let journey = &heard.journey;
    let came = ends(&journey.begin).expect("it shows the packet");
    // What came back to a translated flow is known by its own address from the first table on.
    let met = journey.events.iter().find_map(ends).unwrap_or(came);
    let packet = packet(heard, &met);
    let outcome = ground(tables).evaluate(&packet);

    let kernel: Vec<String> = journey.events.iter().filter_map(of_event).collect();
    let evaluator: Vec<String> = outcome.path.iter().filter_map(of_visit).collect();
    let verdict = match &journey.end {
        End::Left(_) | End::Arrived(_) => Verdict::Accept,
        End::Dropped if is_refused(tables, &journey.events) => Verdict::Reject,
        End::Dropped => Verdict::Drop,
        // It came through all tables, and conntrack dropped it behind them: no two flows may look the
        // same, and one that was translated earlier may look like this one.
        End::Unknown => Verdict::Accept,
    };
    let went = match &journey.end {
        End::Left(event) => ends(event),
        _ => None,
    };
    let is_translated = went.is_some_and(|went| went.source != met.source);
    // Only the first packet of a flow is translated. A later one meets those rules too, all of them
    // and to no effect, if there were none when the flow began.
    let is_first = packet.flow == Flow::New && !has_status(&journey.events, CONFIRMED | DECIDED);
    let is_same = if is_first {
        kernel == evaluator
    } else {
        is_without_translation(tables, &kernel, &evaluator)
    };
    // It may be open whether a rule applied that decides nothing.
    let is_open = outcome.path.iter().any(|visit| visit.matched.is_none());
    let is_unsure = is_open || !outcome.is_certain();
    let told = || {
        format!(
            "{packet:?}\nthe kernel: {verdict:?}, {kernel:#?}\nthe evaluator: {:?}, {evaluator:#?}\n\
             doubts: {:?}\n{journey:?}",
            outcome.fate, outcome.doubts
        )
    };
    if !is_unsure {
        if !is_same {
            differs(format!("two ways for {}", told()));
        }
        if verdict != outcome.fate.verdict {
            differs(format!("two verdicts on {}", told()));
        }
        if let (Some(went), true) = (went, is_first)
            && !is_translation(outcome.fate.nat, &packet, &went)
        {
            differs(format!("not translated so, but to {went:?}: {}", told()));
        }
    }
    Seen {
        verdict,
        is_translated,
        has_vanished: journey.end == End::Unknown,
        is_known: packet.flow.is_known(),
        is_unsure,
        rules: kernel.len(),
    }
}

fn ends(event: &Event) -> Option<FiveTuple> {
    event.headers.as_ref().and_then(Headers::ends)
}

fn packet(heard: &Heard, ends: &FiveTuple) -> Packet {
    let packet = Packet::new(ends.source, ends.destination, ends.protocol);
    let mut packet = packet.expect("both are of one family");
    packet.source_port = ends.ports.map(|(source, _)| source);
    packet.destination_port = ends.ports.map(|(_, destination)| destination);
    packet.in_interface = heard.in_interface.parse().ok();
    packet.out_interface = way_out(ends.destination).and_then(|name| name.parse().ok());
    packet.reverse_path = Some(is_behind(heard.in_interface, ends.source));
    packet.flow = flow(&heard.journey.events);
    packet
}

/// As the kernel says with the first event of a chain behind conntrack, which all of them are. It
/// says nothing where conntrack could make nothing of the packet.
fn flow(events: &[Event]) -> Flow {
    match events.iter().find_map(|event| event.flow) {
        Some(bits) if bits & 2 != 0 => Flow::Established,
        Some(bits) if bits & 4 != 0 => Flow::Related,
        Some(bits) if bits & 8 != 0 => Flow::New,
        _ => Flow::Invalid,
    }
}

/// `IPS_CONFIRMED`: another packet of the flow has passed.
const CONFIRMED: u32 = 1 << 3;
/// `IPS_SRC_NAT_DONE`: conntrack has decided on the flow's translation.
const DECIDED: u32 = 1 << 7;

/// Whether conntrack had done this with the flow when the packet came to its first chain.
fn has_status(events: &[Event], status: u32) -> bool {
    let before = events.iter().find_map(|event| event.flow_status);
    before.is_some_and(|before| before & status != 0)
}

/// The same but for what stands in chains that translate.
fn is_without_translation(tables: &[Program], kernel: &[String], evaluator: &[String]) -> bool {
    let translates = |place: &&String| {
        let mut chains = tables.iter().flat_map(|program| &program.chains);
        chains.any(|FilledChain { chain, .. }| {
            translates(chain)
                && place.starts_with(&format!("{} {} {}:", chain.family, chain.table, chain.name))
        })
    };
    let rest = |places: &[String]| -> Vec<String> {
        let rest = places.iter().filter(|place| !translates(place));
        rest.cloned().collect()
    };
    rest(evaluator) == rest(kernel)
}

/// Whether it is a chain of type nat, or one that such chains jump to.
fn translates(chain: &Chain) -> bool {
    chain.base.as_ref().is_some_and(|base| base.kind == "nat") || chain.name.starts_with('n')
}

fn of_event(event: &Event) -> Option<String> {
    let (family, table, chain) = (event.family, &event.table, &event.chain);
    match event.met {
        Met::Rule(handle) => Some(format!("{family} {table} {chain}: {handle}")),
        Met::Policy(policy) => Some(format!("{family} {table} {chain}: policy {policy}")),
        Met::End | Met::Other(_) => None,
    }
}

fn of_visit(visit: &Visit) -> Option<String> {
    let table = visit.table.as_deref().unwrap_or_default();
    let what = match visit.handle {
        Some(handle) => handle.to_string(),
        None => visit.rule.clone(),
    };
    (visit.matched != Some(false)).then(|| format!("{table} {}: {what}", visit.chain))
}

fn is_refused(tables: &[Program], events: &[Event]) -> bool {
    let Some(last) = events.last() else {
        return false;
    };
    let mut rules = tables
        .iter()
        .filter(|program| (program.table.family, &program.table.name) == (last.family, &last.table))
        .flat_map(|program| &program.chains)
        .flat_map(|chain| &chain.rules);
    matches!(last.met, Met::Rule(handle) if rules.any(|rule| rule.handle == Some(handle) && refuses(rule)))
}

/// Whether a packet that went so was translated so.
pub(crate) fn is_translation(nat: Nat, packet: &Packet, went: &FiveTuple) -> bool {
    let port = went.ports.map(|(source, _)| source);
    let port_is_in = |ports: Option<palisade_core::network::PortRange>| {
        ports.is_none_or(|ports| {
            port.is_none_or(|port| (ports.start()..=ports.end()).contains(&port))
        })
    };
    match nat {
        // The kernel may give it another port, where it would look like a packet of another flow.
        Nat::Dnat { .. } | Nat::None => went.source == packet.source(),
        Nat::Decided => true,
        Nat::Masquerade { ports } => {
            let device = packet
                .out_interface
                .as_ref()
                .map(palisade_core::network::InterfaceName::as_str);
            let address = OUT
                .iter()
                .find(|(name, ..)| Some(*name) == device)
                .map(|(_, v4, v6)| {
                    let text = if went.source.is_ipv4() { v4 } else { v6 };
                    text.parse::<IpAddr>().expect("an address")
                });
            address == Some(went.source) && port_is_in(ports)
        }
        Nat::Snat { addresses, ports } => match went.source {
            IpAddr::V4(source) => {
                (addresses.start()..=addresses.end()).contains(&source) && port_is_in(ports)
            }
            IpAddr::V6(_) => false,
        },
    }
}
