//! A change against what stands by now: whether it still fits, whether it was done, and what of
//! an undo is left to do.

use std::collections::HashMap;

use super::draft::Draft;
use super::observed::{Observed, Standing};
use crate::rule::{Table, meaning};
use crate::text::{Command, Input, Words};

/// Whether the programs could do all of it: nobody took away what it builds on.
pub(super) fn fits(input: &Input, observed: Observed) -> bool {
    let mut draft = Draft::new(observed);
    input.commands.iter().all(|command| match command {
        Command::NewChain(chain) => {
            let is_new = !draft.observed.has_chain(chain);
            draft.new_chain(chain);
            is_new
        }
        Command::DeleteChain(chain) => {
            let can_go = is_idle(&draft.observed, input, chain);
            draft.delete_chain(chain);
            can_go
        }
        Command::Insert {
            chain,
            at,
            words,
            counters,
        } => {
            let has_room = *at <= draft.observed.rules_of(chain).len() + 1;
            draft.insert(chain, at.saturating_sub(1), words, *counters);
            has_room
        }
        Command::Delete { chain, words } => match draft.observed.find(chain, words) {
            Some(id) => {
                draft.delete(chain, id);
                true
            }
            None => false,
        },
    })
}

/// What of an undo is left to do: what others took away is not taken away again, and what stands is
/// not put back. So it may be done twice, or where the change never happened.
pub(super) fn left_to_undo(input: &Input, observed: Observed) -> Input {
    let mut draft = Draft::new(observed);
    for command in &input.commands {
        match command {
            Command::NewChain(chain) => {
                if !draft.observed.has_chain(chain) {
                    draft.new_chain(chain);
                }
            }
            Command::DeleteChain(chain) => {
                if is_idle(&draft.observed, input, chain) {
                    draft.delete_chain(chain);
                } else if draft.observed.has_chain(chain) {
                    log::warn!("chain `{chain}` stays: others put rules there, or lead to it");
                }
            }
            Command::Insert {
                chain,
                at,
                words,
                counters,
            } => {
                let is_there = draft.observed.has_chain(chain) || is_of_kernel(input, chain);
                if is_there && draft.observed.find(chain, words).is_none() {
                    let end = draft.observed.rules_of(chain).len();
                    let place = at.saturating_sub(1).min(end);
                    draft.insert(chain, place, words, *counters);
                }
            }
            Command::Delete { chain, words } => {
                if let Some(id) = draft.observed.find(chain, words) {
                    draft.delete(chain, id);
                }
            }
        }
    }
    draft.finish(&input.table).0
}

/// Whether all that a change adds stands, and nothing that it takes away.
pub(super) fn has_landed(input: &Input, observed: &Observed) -> bool {
    let mut told = Vec::new();
    // Whether a change adds what says this, and whether it takes it away.
    let mut changed: HashMap<(&str, String), (&Words, bool, bool)> = HashMap::new();
    for command in &input.commands {
        match command {
            Command::NewChain(chain) => told.push(observed.has_chain(chain)),
            Command::DeleteChain(chain) => told.push(!observed.has_chain(chain)),
            Command::Insert { chain, words, .. } => {
                let key = (chain.as_str(), meaning(words));
                changed.entry(key).or_insert((words, false, false)).1 = true;
            }
            Command::Delete { chain, words } => {
                let key = (chain.as_str(), meaning(words));
                changed.entry(key).or_insert((words, false, false)).2 = true;
            }
        }
    }
    for ((chain, _), (words, is_added, is_taken)) in changed {
        // What is taken away and added again stood before as it stands after.
        if is_added != is_taken {
            told.push(observed.find(chain, words).is_some() == is_added);
        }
    }
    if told.is_empty() {
        // A change that only moves rules.
        return is_at_head(input, observed);
    }
    told.into_iter().all(|as_after| as_after)
}

/// Whether the rules that a change put at the head of their chains are there, the last uppermost.
fn is_at_head(input: &Input, observed: &Observed) -> bool {
    let mut heads: HashMap<&str, Vec<String>> = HashMap::new();
    for command in input.commands.iter().rev() {
        if let Command::Insert {
            chain,
            at: 1,
            words,
            ..
        } = command
        {
            heads.entry(chain).or_default().push(meaning(words));
        }
    }
    heads.iter().all(|(chain, head)| {
        let rules = observed.rules_of(chain).map(|id| observed.rule(id));
        rules.take(head.len()).map(Standing::meaning).eq(head)
    })
}

/// Whether a chain can be deleted.
fn is_idle(observed: &Observed, input: &Input, chain: &str) -> bool {
    let is_asked = Table::from_name(&input.table).is_some_and(|table| {
        let mut parents = table.parents().iter();
        let has_jump =
            |(parent, _): &(&str, _)| observed.find(parent, &crate::rule::jump(chain)).is_some();
        parents.any(has_jump) || !observed.asking(table, chain).is_empty()
    });
    observed.has_chain(chain) && observed.rules_of(chain).len() == 0 && !is_asked
}

/// Chains of the kernel are there, also in a table that nothing has touched yet.
fn is_of_kernel(input: &Input, chain: &str) -> bool {
    Table::from_name(&input.table)
        .is_some_and(|table| table.parents().iter().any(|(parent, _)| *parent == chain))
}
