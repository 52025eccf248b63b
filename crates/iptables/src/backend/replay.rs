//! A change against what stands by now: whether it still fits, whether it was done, and what of
//! an undo is left to do.

use std::collections::HashMap;

use palisade_core::identity::Digest;

use super::draft::Draft;
use super::observed::{Id, Observed, Standing};
use crate::rule::{Table, digest};
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
        Command::Flush(chain) => {
            flush(&mut draft.observed, chain);
            draft.observed.has_chain(chain)
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
        Command::Delete { chain, words, at } => match target(&draft.observed, chain, words, *at) {
            Some(id) => {
                draft.delete(chain, id);
                true
            }
            None => false,
        },
    })
}

/// The rule that a command deletes: the first that says this, or the one with this number.
fn target(observed: &Observed, chain: &str, words: &Words, at: Option<usize>) -> Option<Id> {
    let Some(at) = at else {
        return observed.find(chain, digest(words));
    };
    let id = observed.rules_of(chain).nth(at.checked_sub(1)?)?;
    (observed.rule(id).digest() == digest(words)).then_some(id)
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
            // What takes a change back empties no chain.
            Command::Flush(_) => {}
            Command::Insert {
                chain,
                at,
                words,
                counters,
            } => {
                let is_there = draft.observed.has_chain(chain) || is_of_kernel(input, chain);
                if is_there && draft.observed.find(chain, digest(words)).is_none() {
                    let end = draft.observed.rules_of(chain).len();
                    let place = at.saturating_sub(1).min(end);
                    draft.insert(chain, place, words, *counters);
                }
            }
            Command::Delete { chain, words, .. } => {
                if let Some(id) = draft.observed.find(chain, digest(words)) {
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
    let mut changed: HashMap<(&str, Digest), (bool, bool)> = HashMap::new();
    // What is in chains that a change empties, in order.
    let mut filled: HashMap<&str, Vec<Digest>> = HashMap::new();
    for command in &input.commands {
        match command {
            Command::NewChain(chain) => told.push(observed.has_chain(chain)),
            Command::DeleteChain(chain) => told.push(!observed.has_chain(chain)),
            Command::Flush(chain) => {
                changed.retain(|(other, _), _| other != chain);
                filled.insert(chain, Vec::new());
            }
            Command::Insert {
                chain, at, words, ..
            } if filled.contains_key(chain.as_str()) => {
                let rules = filled.entry(chain).or_default();
                rules.insert(at.saturating_sub(1).min(rules.len()), digest(words));
            }
            Command::Insert { chain, words, .. } => {
                let key = (chain.as_str(), digest(words));
                changed.entry(key).or_default().0 = true;
            }
            Command::Delete { chain, words, .. } => {
                let key = (chain.as_str(), digest(words));
                changed.entry(key).or_default().1 = true;
            }
        }
    }
    for ((chain, digest), (is_added, is_taken)) in changed {
        // What is taken away and added again stood before as it stands after.
        if is_added != is_taken {
            told.push(observed.find(chain, digest).is_some() == is_added);
        }
    }
    for (chain, rules) in filled {
        let standing = observed.rules_of(chain).map(|id| observed.rule(id));
        told.push(standing.map(Standing::digest).eq(rules));
    }
    if told.is_empty() {
        // A change that only moves rules.
        return is_at_head(input, observed);
    }
    told.into_iter().all(|as_after| as_after)
}

/// Whether the rules that a change put at the head of their chains are there, the last uppermost.
fn is_at_head(input: &Input, observed: &Observed) -> bool {
    let mut heads: HashMap<&str, Vec<Digest>> = HashMap::new();
    for command in input.commands.iter().rev() {
        if let Command::Insert {
            chain,
            at: 1,
            words,
            ..
        } = command
        {
            heads.entry(chain).or_default().push(digest(words));
        }
    }
    heads.iter().all(|(chain, head)| {
        let rules = observed.rules_of(chain).map(|id| observed.rule(id));
        let digests = rules.take(head.len()).map(Standing::digest);
        digests.eq(head.iter().copied())
    })
}

fn flush(observed: &mut Observed, chain: &str) {
    let all = observed.rules_of(chain).collect();
    observed.take_all(chain, &all);
}

/// Whether a chain can be deleted.
fn is_idle(observed: &Observed, input: &Input, chain: &str) -> bool {
    let is_asked = Table::from_name(&input.table).is_some_and(|table| {
        let mut parents = table.parents().iter();
        let has_jump = |(parent, _): &(&str, _)| {
            observed
                .find(parent, digest(&crate::rule::jump(chain)))
                .is_some()
        };
        parents.any(has_jump) || !observed.asking(table, chain).is_empty()
    });
    observed.has_chain(chain) && observed.rules_of(chain).len() == 0 && !is_asked
}

/// Chains of the kernel are there, also in a table that nothing has touched yet.
fn is_of_kernel(input: &Input, chain: &str) -> bool {
    Table::from_name(&input.table)
        .is_some_and(|table| table.parents().iter().any(|(parent, _)| *parent == chain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::parse;

    const SAVED: &str = "*filter\n:INPUT ACCEPT [0:0]\n:PALISADE_INP - [0:0]\n\
        :PALISADE_FWX - [0:0]\n-A INPUT -j PALISADE_INP\n-A INPUT -j DROP\n\
        -A PALISADE_INP -i a -j ACCEPT\n-A PALISADE_INP -i b -j ACCEPT\nCOMMIT\n";

    fn observed() -> Observed {
        Observed::new(parse(SAVED).unwrap().first())
    }

    fn input(commands: &str) -> Input {
        format!("*filter\n{commands}COMMIT\n").parse().unwrap()
    }

    #[test]
    fn a_change_fits_what_it_was_made_for() {
        for fitting in [
            "-N PALISADE_OUT\n-I PALISADE_OUT -j ACCEPT\n",
            "-I PALISADE_INP 3 -i c -j ACCEPT\n",
            "-D PALISADE_INP -i b -j ACCEPT\n-D PALISADE_INP -i a -j ACCEPT\n\
             -D INPUT -j PALISADE_INP\n-X PALISADE_INP\n",
            "-X PALISADE_FWX\n-N PALISADE_FWX\n",
            "-F PALISADE_INP\n-I PALISADE_INP -i a -j ACCEPT\n",
            "# -D PALISADE_INP -i b -j ACCEPT\n-D PALISADE_INP 2\n",
        ] {
            assert!(fits(&input(fitting), observed()), "{fitting}");
        }
        for other in [
            "-N PALISADE_INP\n",
            "-I PALISADE_INP 4 -i c -j ACCEPT\n",
            "-D PALISADE_INP -i c -j ACCEPT\n",
            "# -D PALISADE_INP -i b -j ACCEPT\n-D PALISADE_INP 1\n",
            "-D PALISADE_INP -i a -j ACCEPT\n-D PALISADE_INP -i a -j ACCEPT\n",
            "-D PALISADE_INP -i b -j ACCEPT\n-D PALISADE_INP -i a -j ACCEPT\n-X PALISADE_INP\n",
            "-D INPUT -j PALISADE_INP\n-X PALISADE_INP\n",
            "-X PALISADE_OUT\n",
            "-F PALISADE_OUT\n",
        ] {
            assert!(!fits(&input(other), observed()), "{other}");
        }
    }

    #[test]
    fn of_an_undo_only_what_is_left_is_done() {
        for (undo, left) in [
            ("-D PALISADE_INP -i c -j ACCEPT\n-X PALISADE_OUT\n", ""),
            ("-N PALISADE_INP\n-I PALISADE_INP -i a -j ACCEPT\n", ""),
            ("-X PALISADE_INP\n", ""),
            (
                "-N PALISADE_OUT\n-I PALISADE_OUT 7 -j ACCEPT\n-I OUTPUT 5 -j PALISADE_OUT\n",
                "-N PALISADE_OUT\n-I PALISADE_OUT -j ACCEPT\n-I OUTPUT -j PALISADE_OUT\n",
            ),
            (
                "-D PALISADE_INP -i a -j ACCEPT\n[1:2] -I PALISADE_INP 2 -i a -j ACCEPT\n",
                "-D PALISADE_INP -i a -j ACCEPT\n[1:2] -I PALISADE_INP 2 -i a -j ACCEPT\n",
            ),
            ("-I PALISADE_FWO -i a -j ACCEPT\n", ""),
        ] {
            assert_eq!(
                left_to_undo(&input(undo), observed()),
                input(left),
                "{undo}"
            );
        }
    }

    #[test]
    fn a_change_has_landed_if_all_stands_that_it_adds_and_nothing_that_it_takes() {
        for (change, landed) in [
            ("-N PALISADE_INP\n-I PALISADE_INP -i a -j ACCEPT\n", true),
            (
                "-I PALISADE_INP -i a -j ACCEPT\n-I PALISADE_INP -i c -j ACCEPT\n",
                false,
            ),
            ("-D PALISADE_INP -i c -j ACCEPT\n-X PALISADE_OUT\n", true),
            ("-D PALISADE_INP -i a -j ACCEPT\n", false),
            ("-X PALISADE_INP\n", false),
            // A chain that is emptied holds what came after that, and nothing else.
            (
                "-D PALISADE_INP -i c -j ACCEPT\n-F PALISADE_INP\n\
                 -I PALISADE_INP -i b -j ACCEPT\n-I PALISADE_INP -i a -j ACCEPT\n",
                true,
            ),
            ("-F PALISADE_INP\n-I PALISADE_INP -i a -j ACCEPT\n", false),
            // What moves tells nothing where something else does.
            (
                "-D PALISADE_INP -i b -j ACCEPT\n-I PALISADE_INP -i b -j ACCEPT\n\
                 -D PALISADE_INP -i c -j ACCEPT\n",
                true,
            ),
            // And where nothing else does, it is at the head.
            ("-D INPUT -j PALISADE_INP\n-I INPUT -j PALISADE_INP\n", true),
            ("-D INPUT -j DROP\n-I INPUT -j DROP\n", false),
            (
                "-D INPUT -j PALISADE_INP\n-D INPUT -j PALISADE_INP\n-I INPUT -j PALISADE_INP\n",
                true,
            ),
        ] {
            assert_eq!(has_landed(&input(change), &observed()), landed, "{change}");
        }
    }
}
