//! The rules that packets met, by their handles.

use std::collections::HashMap;

use palisade_core::evaluate::Visit;
use palisade_core::network::Family as IpFamily;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::layout;
use palisade_nft::object::{Family, Policy, Rule, Verdict};
use palisade_nft::program::Program;
use palisade_nft::socket::Socket;
use palisade_nft::trace::{Event, Met, refuses};

/// All tables that packets met, as they were when they were first asked for; read anew when the
/// ruleset changed.
pub(super) struct Tables {
    socket: Socket,
    replies: Vec<u8>,
    generation: Option<u32>,
    programs: HashMap<(Family, String), Option<Program>>,
}

impl Tables {
    pub(super) fn of(socket: Socket) -> Self {
        Self {
            socket,
            replies: Vec::new(),
            generation: None,
            programs: HashMap::new(),
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
            let program = self.program(event.family, &event.table)?;
            path.extend(visit(event, program));
        }
        Ok(path)
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
            let rule = program.and_then(|program| rule(program, handle));
            of_rule(
                event,
                rule,
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

fn of_rule(event: &Event, rule: Option<&Rule>, visit: Visit) -> Visit {
    let is_refusal = rule.is_some_and(refuses);
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
    let Some(rule) = rule else {
        let rule = "(a rule that is gone)".to_owned();
        return Visit { rule, why, ..visit };
    };
    let (network, purpose) = match owner(rule) {
        Some((network, purpose)) => (Some(network), Some(purpose)),
        None => (None, None),
    };
    Visit {
        rule: format!("{rule:#}"),
        why,
        network,
        purpose,
        ..visit
    }
}

/// For whom and for what a rule of ours stands, if it stands for one network.
fn owner(rule: &Rule) -> Option<(palisade_core::network::Name, palisade_core::rules::Purpose)> {
    let family = match rule.family {
        Family::Ip => IpFamily::Ipv4,
        Family::Ip6 => IpFamily::Ipv6,
        _ => return None,
    };
    let read = layout::read_rule(&rule.table.parse().ok()?, family, rule)?;
    Some((read.owner, read.purpose))
}

fn rule(program: &Program, handle: u64) -> Option<&Rule> {
    let mut rules = program.chains.iter().flat_map(|chain| &chain.rules);
    rules.find(|rule| rule.handle == Some(handle))
}
