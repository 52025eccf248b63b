//! What packets should meet in our tables, and whether they did.

use std::collections::BTreeSet;

use palisade::Firewall;
use palisade_core::evaluate::{Flow, OriginalDestination, Outcome, Packet, Visit};
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::Name;
use palisade_core::state::Record;
use palisade_netlink::FiveTuple;
use palisade_nft::dump::DumpError;
use palisade_nft::evaluate::ground;
use palisade_nft::object::{Expression, Family, Hook, Verdict};
use palisade_nft::program::Program;
use palisade_nft::trace::{End, Event, Journey, Met};

use super::packet::{self, Prediction, TracedPacket};
use super::tables::Tables;

/// Our tables, of the families ip and ip6.
pub(super) fn ours(firewall: &Firewall, records: &[Record]) -> BTreeSet<String> {
    let table = |record: &Record| match firewall.location(&record.placement) {
        Some(Location::OwnTable(table)) => Some(table),
        _ => None,
    };
    records.iter().filter_map(table).collect()
}

/// The networks whose rules nf_tables knows nothing of.
pub(super) fn untraceable(firewall: &Firewall, records: &[Record]) -> Vec<Name> {
    let unseen = Some(Location::SharedTables(Subsystem::IpTables));
    let names = records
        .iter()
        .filter(|r| firewall.location(&r.placement) == unseen);
    names.map(|record| record.network.name().clone()).collect()
}

/// Whether a packet met, in these tables, what it should.
pub(super) fn compare(
    ours: &BTreeSet<String>,
    tables: &mut Tables,
    journey: &Journey,
    traced: &TracedPacket,
) -> Result<Prediction, DumpError> {
    let family = Family::from(traced.packet.family());
    let is_ours = |event: &&Event| event.family == family && ours.contains(&event.table);
    let heard: Vec<&Event> = journey.events.iter().filter(is_ours).collect();
    let mut programs = Vec::new();
    for table in ours {
        programs.extend(tables.program(family, table)?.cloned());
    }
    let decided = as_decided(&heard, &programs).and_then(|ends| packet::packet(&ends));
    let mut packet = decided.unwrap_or_else(|| traced.packet.clone());
    packet.in_interface.clone_from(&traced.packet.in_interface);
    packet
        .out_interface
        .clone_from(&traced.packet.out_interface);
    if programs.is_empty() || heard.is_empty() && journey.end == End::Unknown {
        return Ok(Prediction::None);
    }
    // Kernels before 6.16 do not say what conntrack knows.
    let known = heard.iter().find_map(|event| packet::flow(event));
    let flows = known.map_or_else(|| Flow::ALL.to_vec(), |flow| vec![flow]);
    let met: Vec<(&str, u64)> = heard.iter().filter_map(|event| place(event)).collect();
    let mut differs = None;
    let is_redirected = packet::is_redirected(&heard);
    for packet in cases(&packet, &flows, is_redirected, &traced.packet) {
        let flow = packet.flow;
        let expected = ground(&programs).evaluate(&packet);
        let way = Way {
            journey,
            met: &met,
            programs: &programs,
            flow,
            keeps_source: matches!(journey.end, End::Left(_)) && traced.source.is_none(),
        };
        if flow == Flow::Untracked
            && let Some(missed) = way.missed_translation(&programs, &packet)
        {
            return Ok(missed);
        }
        match way.compare(expected) {
            Prediction::Differs { path, why } => differs = Some(Prediction::Differs { path, why }),
            settled => return Ok(settled),
        }
    }
    Ok(differs.unwrap_or(Prediction::None))
}

/// The packet with each combination of what the kernel does not report: its routes, and on older kernels
/// what conntrack knows.
fn cases(
    packet: &Packet,
    flows: &[Flow],
    is_redirected: Option<bool>,
    came: &Packet,
) -> Vec<Packet> {
    let both = [true, false];
    let paths: &[Option<bool>] = match packet.in_interface {
        Some(_) => &[Some(true), Some(false)],
        None => &[None],
    };
    let to = |packet: &Packet| (packet.destination(), packet.destination_port);
    let originals: Vec<Option<OriginalDestination>> = if to(came) == to(packet) {
        vec![None]
    } else {
        let (address, port) = to(came);
        let original = |is_host| OriginalDestination {
            address,
            port,
            is_host,
        };
        both.map(original).map(Some).to_vec()
    };
    let redirected = is_redirected.map_or_else(|| both.to_vec(), |is| vec![is]);
    let mut cases = Vec::new();
    for &flow in flows {
        for &reverse_path in paths {
            for &original in &originals {
                for &redirected in &redirected {
                    let mut case = packet.clone();
                    case.flow = flow;
                    case.reverse_path = reverse_path;
                    case.original = original;
                    case.redirected = redirected;
                    cases.push(case);
                }
            }
        }
    }
    cases
}

/// A packet as it came to those of our chains that decide on it. At prerouting and output its destination,
/// or that of the flow that it answers, is not yet translated.
fn as_decided(heard: &[&Event], programs: &[Program]) -> Option<FiveTuple> {
    let may_be_early = |event: &Event| {
        let mut tables = programs.iter();
        let table = tables.find(|program| program.table.name == event.table);
        let chain = table.and_then(|table| table.chain(&event.chain));
        let base = chain.and_then(|chain| chain.chain.base.as_ref());
        base.is_some_and(|base| [Hook::PREROUTING, Hook::OUTPUT].contains(&base.hook))
    };
    let seen = heard
        .iter()
        .filter_map(|event| Some((may_be_early(event), packet::ends(event)?)));
    let (early, late): (Vec<_>, Vec<_>) = seen.partition(|(is_early, _)| *is_early);
    let decided = late.into_iter().next().or(early.into_iter().next_back());
    decided.map(|(_, ends)| ends)
}

/// The way that a packet took through our tables.
struct Way<'a> {
    journey: &'a Journey,
    /// The rules that applied to it: their tables and handles.
    met: &'a [(&'a str, u64)],
    programs: &'a [Program],
    flow: Flow,
    /// Whether the packet left with the source that it came with.
    keeps_source: bool,
}

impl Way<'_> {
    /// What conntrack does not look at is not translated, where our rules would.
    fn missed_translation(&self, programs: &[Program], packet: &Packet) -> Option<Prediction> {
        let mut tracked = packet.clone();
        tracked.flow = Flow::New;
        let outcome = ground(programs).evaluate(&tracked);
        if !self.keeps_source || !outcome.fate.nat.translates() {
            return None;
        }
        let path: Vec<Visit> = outcome.path.into_iter().filter(applies).collect();
        let rule = path.iter().rfind(|visit| self.is_translation(visit))?;
        let why = format!(
            "conntrack does not look at it, so that rule `{}` of chain `{}` did not translate it",
            rule.rule, rule.chain
        );
        Some(Prediction::Differs { path, why })
    }

    fn compare(&self, outcome: Outcome) -> Prediction {
        let translates = outcome.fate.nat.translates();
        let path: Vec<Visit> = outcome.path.into_iter().filter(applies).collect();
        let is_as = |visit: &Visit, (table, handle): (&str, u64)| {
            let same_table = visit
                .table
                .as_deref()
                .is_some_and(|text| text.split_once(' ').is_some_and(|(_, name)| name == table));
            same_table && visit.handle == Some(handle)
        };
        let mut met = self.met.iter().copied().peekable();
        let mut passed_by = None;
        for visit in &path {
            if met.next_if(|&met| is_as(visit, met)).is_some() {
                continue;
            }
            if visit.matched.is_none() {
                let why = format!("not known for rule `{}`: {}", visit.rule, visit.why);
                return Prediction::Unsure(why);
            }
            // The first packet of a flow decides on its translation; another may still be new.
            if self.flow == Flow::New && self.is_translation(visit) {
                passed_by = Some(visit);
                continue;
            }
            // Others stopped it, or nobody knows: the rest may be missing.
            if met.peek().is_none() && self.may_be_cut() {
                break;
            }
            let why = format!(
                "rule `{}` of chain `{}` did not apply",
                visit.rule, visit.chain
            );
            return Prediction::Differs { path, why };
        }
        match met.next() {
            None => match passed_by {
                // One of a flow whose first packet was translated is so too, without a rule.
                Some(rule) if translates && self.keeps_source => {
                    let why = format!(
                        "rule `{}` of chain `{}` did not translate it",
                        rule.rule, rule.chain
                    );
                    Prediction::Differs { path, why }
                }
                _ => Prediction::Same { path },
            },
            Some((table, handle)) => {
                let why = format!("rule {handle} of table `{table}` applied");
                Prediction::Differs { path, why }
            }
        }
    }

    fn may_be_cut(&self) -> bool {
        match self.journey.end {
            End::Dropped => {
                !self.journey.events.last().is_some_and(|last| {
                    place(last).is_some_and(|last| self.met.last() == Some(&last))
                })
            }
            End::Unknown => true,
            End::Arrived(_) | End::Left(_) => self.journey.has_gaps,
        }
    }

    /// Whether a rule stands in a chain for translations, or in one that such a chain leads to.
    fn is_translation(&self, visit: &Visit) -> bool {
        let Some((_, table)) = visit.table.as_deref().and_then(|text| text.split_once(' ')) else {
            return false;
        };
        let mut programs = self.programs.iter();
        let program = programs.find(|program| program.table.name == table);
        program.is_some_and(|program| translating(program).contains(visit.chain.as_str()))
    }
}

/// Whether the kernel tells of it: a rule that applied, or may have.
fn applies(visit: &Visit) -> bool {
    visit.matched != Some(false) && visit.handle.is_some()
}

fn place(event: &Event) -> Option<(&str, u64)> {
    match event.met {
        Met::Rule(handle) => Some((event.table.as_str(), handle)),
        _ => None,
    }
}

/// The chains of type nat, and those that they lead to.
fn translating(program: &Program) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut ahead: Vec<&str> = Vec::new();
    for chain in &program.chains {
        if chain
            .chain
            .base
            .as_ref()
            .is_some_and(|base| base.kind == "nat")
        {
            ahead.push(&chain.chain.name);
        }
    }
    while let Some(name) = ahead.pop() {
        if !found.insert(name) {
            continue;
        }
        let rules = program.chain(name).map_or(&[][..], |chain| &chain.rules);
        for expression in rules.iter().flat_map(|rule| &rule.expressions) {
            if let Expression::Verdict(Verdict::Jump(to) | Verdict::Goto(to)) = expression {
                ahead.push(to);
            }
        }
    }
    found
}
