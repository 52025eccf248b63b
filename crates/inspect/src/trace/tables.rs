//! The rules that packets met, by their handles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use palisade_core::evaluate::Visit;
use palisade_core::network;
use palisade_core::owner::Owner;
use palisade_iptables::run::Variant;
use palisade_iptables::text;
use palisade_netlink::Socket;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::layout::OF_IPTABLES;
use palisade_nft::object::{Family, Policy, Rule, Verdict};
use palisade_nft::owner;
use palisade_nft::program::Program;
use palisade_nft::trace::{Event, Met, refuses};

use palisade::backends;

/// All tables that packets met, as they were when they were first asked for; read anew when the
/// ruleset changed.
pub(super) struct Tables {
    socket: Socket,
    replies: Vec<u8>,
    generation: Option<u32>,
    programs: HashMap<(Family, String), Option<Program>>,
    namespace: Option<PathBuf>,
    /// What the programs of iptables-nft print, by family; empty if they cannot.
    saved: HashMap<Family, Vec<text::Table>>,
}

impl Tables {
    pub(super) fn of(socket: Socket, namespace: Option<&Path>) -> Self {
        Self {
            socket,
            replies: Vec::new(),
            generation: None,
            programs: HashMap::new(),
            namespace: namespace.map(Path::to_owned),
            saved: HashMap::new(),
        }
    }

    /// Forgets what was read of another ruleset. Whether the ruleset is still the one of the last
    /// call, or this is the first: if not, nobody knows which of the two a packet met.
    pub(super) fn refresh(&mut self) -> Result<bool, DumpError> {
        let generation = Reader::new(&mut self.socket, &mut self.replies).generation()?;
        let before = self.generation.replace(generation);
        let is_same = before.is_none_or(|before| before == generation);
        if !is_same {
            self.programs.clear();
            self.saved.clear();
        }
        Ok(is_same)
    }

    /// A table with what is in it, if there is such a table.
    pub(super) fn program(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Option<&Program>, DumpError> {
        let key = (family, table.to_owned());
        if !self.programs.contains_key(&key) {
            let mut reader = Reader::new(&mut self.socket, &mut self.replies);
            let read = |reader: &mut Reader<'_>| reader.program(family, table, Depth::Elements);
            let (program, _) = reader.at_one_moment(read)?;
            self.programs.insert(key.clone(), program);
        }
        Ok(self.programs.get(&key).and_then(Option::as_ref))
    }

    /// What a packet met, in words.
    pub(super) fn path(&mut self, events: &[Event]) -> Result<Vec<Visit>, DumpError> {
        let mut path = Vec::new();
        for event in events {
            let words = self.words(event)?;
            let program = self.program(event.family, &event.table)?;
            path.extend(visit(event, program).map(|visit| match words {
                Some(words) => in_words(visit, &words),
                None => visit,
            }));
        }
        Ok(path)
    }

    /// What the rule that an event tells of says in the words of iptables-nft, if its programs made
    /// it: the one at the same place in its chain, as they print it.
    fn words(&mut self, event: &Event) -> Result<Option<text::Rule>, DumpError> {
        let family = match event.family {
            Family::Ip => network::Family::Ipv4,
            Family::Ip6 => network::Family::Ipv6,
            _ => return Ok(None),
        };
        let Met::Rule(handle) = event.met else {
            return Ok(None);
        };
        if !OF_IPTABLES.contains(&event.table.as_str()) {
            return Ok(None);
        }
        let program = self.program(event.family, &event.table)?;
        let rules = program.and_then(|program| program.chain(&event.chain));
        let Some(rules) = rules.map(|chain| &chain.rules) else {
            return Ok(None);
        };
        let place = rules.iter().position(|rule| rule.handle == Some(handle));
        let count = rules.len();
        let namespace = self.namespace.as_deref();
        let tables = self.saved.entry(event.family).or_insert_with(|| {
            let saved = backends::iptables(namespace).saved(Variant::Nft, family);
            saved.map(|saved| saved.tables).unwrap_or_else(|error| {
                log::debug!("{error}");
                Vec::new()
            })
        });
        let table = tables.iter().find(|table| table.name == event.table);
        let its: Vec<&text::Rule> = table
            .into_iter()
            .flat_map(|table| &table.rules)
            .filter(|rule| rule.chain == event.chain)
            .collect();
        let rule = place.and_then(|place| its.get(place));
        // They were read one after the other.
        Ok(rule
            .filter(|_| its.len() == count)
            .map(|&rule| rule.clone()))
    }

    /// Whether the rule that stopped a packet, its last one, refused it: to the kernel that is an
    /// answer and a drop.
    pub(super) fn is_refused(&mut self, events: &[Event]) -> Result<bool, DumpError> {
        let Some(last) = events.last() else {
            return Ok(false);
        };
        let program = self.program(last.family, &last.table)?;
        let rule = match (last.met, program) {
            (Met::Rule(handle), Some(program)) => rule(program, handle),
            _ => None,
        };
        Ok(rule.is_some_and(refuses))
    }
}

/// What one event says; none if it is only the way back from a chain.
fn visit(event: &Event, program: Option<&Program>) -> Option<Visit> {
    let of_event = Visit {
        table: Some(format!("{} {}", event.family, event.table)),
        chain: event.chain.clone(),
        handle: None,
        rule: String::new(),
        network: None,
        purpose: None,
        matched: Some(true),
        why: String::new(),
        counter: None,
    };
    Some(match event.met {
        Met::Rule(handle) => {
            let met = program.and_then(|program| Some((program, rule(program, handle)?)));
            of_rule(
                event,
                met,
                Visit {
                    handle: Some(handle),
                    ..of_event
                },
            )
        }
        Met::Policy(policy) => Visit {
            rule: format!("policy {policy}"),
            why: match policy {
                Policy::DROP => "no rule of the chain decided: dropped",
                _ => "no rule of the chain decided: on",
            }
            .to_owned(),
            ..of_event
        },
        Met::End => return None,
        Met::Other(kind) => Visit {
            rule: format!("event-{kind}"),
            why: "something that this build does not know".to_owned(),
            ..of_event
        },
    })
}

/// The same visit, with its rule as iptables puts it.
fn in_words(visit: Visit, rule: &text::Rule) -> Visit {
    let (network, purpose) = Owner::in_chain(&rule.chain, rule.words.behind("--comment"))
        .serves()
        .unzip();
    Visit {
        rule: rule.words.to_string(),
        network,
        purpose,
        ..visit
    }
}

fn of_rule(event: &Event, met: Option<(&Program, &Rule)>, visit: Visit) -> Visit {
    let is_refusal = met.is_some_and(|(_, rule)| refuses(rule));
    let why = match &event.verdict {
        Some(Verdict::Accept) => "accepted in this base chain".to_owned(),
        Some(Verdict::Drop) if is_refusal => "refused".to_owned(),
        Some(Verdict::Drop) => "dropped".to_owned(),
        Some(Verdict::Continue) => "on with the next rule".to_owned(),
        Some(Verdict::Return) => "back to where it came from".to_owned(),
        Some(verdict @ (Verdict::Jump(_) | Verdict::Goto(_))) => verdict.to_string(),
        Some(Verdict::Other(code)) => format!("verdict {code}"),
        None => String::new(),
    };
    let Some((program, rule)) = met else {
        let rule = "(a rule that is gone)".to_owned();
        return Visit { rule, why, ..visit };
    };
    let (network, purpose) = owner::in_table(&program.table, rule).serves().unzip();
    Visit {
        rule: format!("{rule:#}"),
        why,
        network,
        purpose,
        ..visit
    }
}

fn rule(program: &Program, handle: u64) -> Option<&Rule> {
    let mut rules = program.chains.iter().flat_map(|chain| &chain.rules);
    rules.find(|rule| rule.handle == Some(handle))
}
