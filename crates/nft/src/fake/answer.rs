//! Answers to questions: the generation, a table, and dumps.

use nix::errno::Errno;
use palisade_netlink::flags::{DUMP, MULTI};
use palisade_netlink::{Malformed, encode_ack, encode_done};

use super::ruleset::Ruleset;
use crate::object::Family;
use crate::program::Program;
use crate::wire::generation::Generation;
use crate::wire::{self, Kind, Message};

/// Answers these questions, one after the other.
pub(super) fn to(
    ruleset: &Ruleset,
    questions: &[u8],
    replies: &mut Vec<u8>,
) -> Result<(), Malformed> {
    for question in wire::messages(questions) {
        let question = question?;
        if let Err(errno) = answer(ruleset, &question, replies)? {
            encode_ack(question.header, errno as i32, replies);
        }
    }
    Ok(())
}

fn answer(
    ruleset: &Ruleset,
    question: &Message<'_>,
    replies: &mut Vec<u8>,
) -> Result<Result<(), Errno>, Malformed> {
    let (family, body) = (question.family, question.body);
    let mut put = |kind, flags, write: &dyn Fn(&mut Vec<u8>)| {
        let sequence = question.header.sequence;
        wire::message(replies, kind, flags, sequence, family, write);
    };
    let of_family = |program: &&Program| program.table.family == family;
    match question.kind {
        Some(Kind::GET_GENERATION) => {
            let generation = Generation {
                id: ruleset.generation,
                process: None,
                name: None,
            };
            put(Kind::NEW_GENERATION, 0, &|body| {
                wire::generation::encode(&generation, body);
            });
            return Ok(Ok(()));
        }
        Some(Kind::GET_TABLE) if question.header.flags & DUMP == DUMP => {
            for program in ruleset.tables.iter().filter(of_family) {
                put(Kind::NEW_TABLE, MULTI, &|body| {
                    wire::table::encode(&program.table, body);
                });
            }
        }
        Some(Kind::GET_TABLE) => {
            let name = wire::table::decode(family, body)?.name;
            let Some(program) = ruleset.table(family, &name) else {
                return Ok(Err(Errno::ENOENT));
            };
            put(Kind::NEW_TABLE, 0, &|body| {
                wire::table::encode(&program.table, body);
            });
            return Ok(Ok(()));
        }
        Some(Kind::GET_CHAIN) => {
            let tables = ruleset.tables.iter().filter(of_family);
            for filled in tables.flat_map(|program| &program.chains) {
                put(Kind::NEW_CHAIN, MULTI, &|body| {
                    wire::chain::encode(&filled.chain, body);
                });
            }
        }
        Some(Kind::GET_RULE) => {
            let asked = named(ruleset, family, body)?;
            let chains = asked.iter().flat_map(|program| &program.chains);
            for rule in chains.flat_map(|filled| &filled.rules) {
                put(Kind::NEW_RULE, MULTI, &|body| {
                    wire::rule::encode(rule, body);
                });
            }
        }
        Some(Kind::GET_SET) => {
            let Some(program) = named(ruleset, family, body)? else {
                return Ok(Err(Errno::ENOENT));
            };
            for filled in &program.sets {
                put(Kind::NEW_SET, MULTI, &|body| {
                    wire::set::encode(&filled.set, body);
                });
            }
        }
        Some(Kind::GET_ELEMENT) => {
            let asked = wire::element::decode(family, body)?;
            let program = ruleset.table(family, &asked.table);
            let Some(filled) = program.and_then(|program| program.set(&asked.set)) else {
                return Ok(Err(Errno::ENOENT));
            };
            let mut left = filled.elements.iter().peekable();
            while left.peek().is_some() {
                wire::message(
                    replies,
                    Kind::NEW_ELEMENT,
                    MULTI,
                    question.header.sequence,
                    family,
                    |body| {
                        wire::element::encode(&asked.table, &asked.set, &mut left, body);
                    },
                );
            }
        }
        // It has none of them.
        Some(Kind::GET_OBJECT | Kind::GET_FLOWTABLE) => {}
        _ => return Ok(Err(Errno::EINVAL)),
    }
    encode_done(question.header, replies);
    Ok(Ok(()))
}

/// The table that a question names: it does so where tables say their own names.
fn named<'r>(
    ruleset: &'r Ruleset,
    family: Family,
    body: &[u8],
) -> Result<Option<&'r Program>, Malformed> {
    let name = wire::table::decode(family, body)?.name;
    Ok(ruleset.table(family, &name))
}
