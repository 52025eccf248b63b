//! A batch: all of it, or nothing.

use nix::errno::Errno;
use palisade_netlink::flags::{ACK, APPEND, CREATE, EXCLUSIVE};
use palisade_netlink::{Malformed, encode_ack, nfnetlink};

use super::ruleset::{Ruleset, is_chain_used, is_set_used};
use crate::object::{Element, Expression, Rule, Verdict};
use crate::program::{FilledChain, FilledSet, Program};
use crate::wire::{self, Kind, Message};

type Done = Result<(), Errno>;

/// Does what the messages say, and answers each that failed, and each that asks for it.
pub(super) fn run(
    ruleset: &mut Ruleset,
    batch: &[u8],
    replies: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut next = ruleset.clone();
    let mut has_failed = false;
    for message in wire::messages(batch) {
        let message = message?;
        let header = message.header;
        let done = match header.kind {
            nfnetlink::BATCH_BEGIN => match wire::batch_generation(&message)? {
                Some(generation) if generation != ruleset.generation => Err(Errno::ERESTART),
                _ => Ok(()),
            },
            nfnetlink::BATCH_END => Ok(()),
            _ => apply(&mut next, &message)?,
        };
        if let Err(errno) = done {
            has_failed = true;
            encode_ack(header, errno as i32, replies);
            if errno == Errno::ERESTART {
                return Ok(());
            }
        } else if header.flags & ACK != 0 {
            encode_ack(header, 0, replies);
        }
    }
    if !has_failed {
        next.generation += 1;
        *ruleset = next;
    }
    Ok(())
}

fn apply(ruleset: &mut Ruleset, message: &Message<'_>) -> Result<Done, Malformed> {
    let (family, body, flags) = (message.family, message.body, message.header.flags);
    let done = match message.kind {
        Some(Kind::NEW_TABLE) => {
            let mut table = wire::table::decode(family, body)?;
            let there = ruleset.table(family, &table.name).is_some();
            new(there, flags).map(|is_new| {
                if is_new {
                    table.handle = ruleset.next_handle();
                    ruleset.tables.push(Program {
                        table,
                        sets: Vec::new(),
                        chains: Vec::new(),
                    });
                }
            })
        }
        Some(Kind::DEL_TABLE) => {
            let name = wire::table::decode(family, body)?.name;
            let before = ruleset.tables.len();
            let is_it =
                |program: &Program| (program.table.family, &program.table.name) == (family, &name);
            ruleset.tables.retain(|program| !is_it(program));
            there(ruleset.tables.len() < before)
        }
        Some(Kind::NEW_CHAIN) => {
            let chain = wire::chain::decode(family, body)?;
            let is_there = ruleset.chain_mut(&chain).is_some();
            let handle = ruleset.next_handle();
            match ruleset.table_mut(family, &chain.table) {
                None => Err(Errno::ENOENT),
                Some(program) => new(is_there, flags).map(|is_new| {
                    if is_new {
                        let mut chain = chain;
                        chain.handle = handle;
                        let rules = Vec::new();
                        program.chains.push(FilledChain { chain, rules });
                    }
                }),
            }
        }
        Some(Kind::DEL_CHAIN) => {
            let chain = wire::chain::decode(family, body)?;
            match ruleset.chain_mut(&chain) {
                None => Err(Errno::ENOENT),
                Some(filled) => {
                    filled.rules.clear();
                    let table = ruleset.table_mut(family, &chain.table);
                    table.ok_or(Errno::ENOENT).and_then(|table| {
                        free(!is_chain_used(table, &chain.name))?;
                        table
                            .chains
                            .retain(|filled| filled.chain.name != chain.name);
                        Ok(())
                    })
                }
            }
        }
        Some(Kind::NEW_SET) => {
            let set = wire::set::decode(family, body)?;
            if ruleset.lacks_log && set.expressions.iter().any(is_of_log) {
                return Ok(Err(Errno::ENOENT));
            }
            let is_there = ruleset.set_mut(family, &set.table, &set.name).is_some();
            let handle = ruleset.next_handle();
            match ruleset.table_mut(family, &set.table) {
                None => Err(Errno::ENOENT),
                Some(program) => new(is_there, flags).map(|is_new| {
                    if is_new {
                        let mut set = set;
                        (set.id, set.handle) = (None, handle);
                        let elements = Vec::new();
                        program.sets.push(FilledSet { set, elements });
                    }
                }),
            }
        }
        Some(Kind::DEL_SET) => {
            let set = wire::set::decode(family, body)?;
            match ruleset.table_mut(family, &set.table) {
                None => Err(Errno::ENOENT),
                Some(table) => {
                    let before = table.sets.len();
                    free(!is_set_used(table, &set)).and_then(|()| {
                        table.sets.retain(|filled| filled.set.name != set.name);
                        there(table.sets.len() < before)
                    })
                }
            }
        }
        Some(Kind::NEW_RULE) => {
            let rule = wire::rule::decode(family, body)?;
            let is_fib = |expression: &Expression| matches!(expression, Expression::Fib(_));
            let lacks_log = ruleset.lacks_log && rule.expressions.iter().any(is_of_log);
            if lacks_log || ruleset.lacks_fib && rule.expressions.iter().any(is_fib) {
                Err(Errno::ENOENT)
            } else {
                new_rule(ruleset, rule, flags)
            }
        }
        Some(Kind::DEL_RULE) => {
            let rule = wire::rule::decode(family, body)?;
            delete_rule(ruleset, &rule)
        }
        Some(Kind::NEW_ELEMENT) => {
            let elements = wire::element::decode(family, body)?;
            match ruleset.set_mut(family, &elements.table, &elements.set) {
                None => Err(Errno::ENOENT),
                Some(filled) => {
                    let mut elements = elements.elements.into_iter();
                    elements.try_for_each(|element| new_element(filled, element, flags))
                }
            }
        }
        Some(Kind::DEL_ELEMENT) => {
            let elements = wire::element::decode(family, body)?;
            match ruleset.set_mut(family, &elements.table, &elements.set) {
                None => Err(Errno::ENOENT),
                Some(filled) if elements.elements.is_empty() => {
                    filled.elements.clear();
                    Ok(())
                }
                Some(filled) => {
                    let mut elements = elements.elements.iter();
                    elements.try_for_each(|element| delete_element(filled, element))
                }
            }
        }
        _ => Err(Errno::EINVAL),
    };
    Ok(done)
}

/// Whether something is to be made.
fn new(is_there: bool, flags: u16) -> Result<bool, Errno> {
    if is_there && flags & EXCLUSIVE != 0 {
        Err(Errno::EEXIST)
    } else if !is_there && flags & CREATE == 0 {
        Err(Errno::ENOENT)
    } else {
        Ok(!is_there)
    }
}

fn there(is_there: bool) -> Done {
    if is_there { Ok(()) } else { Err(Errno::ENOENT) }
}

fn free(is_free: bool) -> Done {
    if is_free { Ok(()) } else { Err(Errno::EBUSY) }
}

fn new_rule(ruleset: &mut Ruleset, mut rule: Rule, flags: u16) -> Done {
    rule.handle = ruleset.next_handle();
    let position = rule.position.take();
    let table = ruleset.table_mut(rule.family, &rule.table);
    let table = table.ok_or(Errno::ENOENT)?;
    for expression in &mut rule.expressions {
        match expression {
            Expression::Lookup(lookup) => {
                lookup.set_id = None;
                there(table.set(&lookup.set).is_some())?;
            }
            Expression::Verdict(Verdict::Jump(to) | Verdict::Goto(to)) => {
                there(table.chain(to).is_some())?;
            }
            _ => {}
        }
    }
    let mut chains = table.chains.iter_mut();
    let chain = chains.find(|filled| filled.chain.name == rule.chain);
    let rules = &mut chain.ok_or(Errno::ENOENT)?.rules;
    let is_behind = flags & APPEND != 0;
    let at = match position {
        None if is_behind => rules.len(),
        None => 0,
        Some(handle) => {
            let found = rules.iter().position(|rule| rule.handle == Some(handle));
            found.ok_or(Errno::ENOENT)? + usize::from(is_behind)
        }
    };
    rules.insert(at, rule);
    Ok(())
}

fn delete_rule(ruleset: &mut Ruleset, rule: &Rule) -> Done {
    let table = ruleset.table_mut(rule.family, &rule.table);
    let mut chains = table.ok_or(Errno::ENOENT)?.chains.iter_mut();
    let chain = chains.find(|filled| filled.chain.name == rule.chain);
    let rules = &mut chain.ok_or(Errno::ENOENT)?.rules;
    let before = rules.len();
    rules.retain(|there| there.handle != rule.handle);
    there(rules.len() < before)
}

fn new_element(filled: &mut FilledSet, mut element: Element, flags: u16) -> Done {
    let is_there = filled.elements.iter().any(|there| there.key == element.key);
    if new(is_there, flags)? {
        if element.expressions.is_empty() {
            // Elements count as their set says.
            element.expressions.clone_from(&filled.set.expressions);
        }
        filled.elements.push(element);
    }
    Ok(())
}

fn delete_element(filled: &mut FilledSet, element: &Element) -> Done {
    let before = filled.elements.len();
    filled.elements.retain(|there| there.key != element.key);
    there(filled.elements.len() < before)
}

fn is_of_log(expression: &Expression) -> bool {
    matches!(expression, Expression::Log(_) | Expression::Limit(_))
}
