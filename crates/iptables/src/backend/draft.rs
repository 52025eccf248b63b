//! Commands as they are decided on, each with what takes it back.

use std::collections::HashSet;

use super::observed::{Id, Observed};
use crate::rule::{Table, digest, is_native, jump};
use crate::text::{Command, Counters, Input, Words};

/// Commands on a table, and the table as it will be after them.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) observed: Observed,
    commands: Vec<Command>,
    /// What takes each command back, in the order of the commands.
    inverse: Vec<Command>,
}

impl Draft {
    pub(super) fn new(observed: Observed) -> Self {
        Self {
            observed,
            ..Self::default()
        }
    }

    /// How many commands there are.
    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    /// The commands on a table, and those that take them back.
    pub(super) fn finish(self, table: &str) -> (Input, Input) {
        let input = |commands| Input {
            table: table.to_owned(),
            commands,
        };
        let mut inverse = self.inverse;
        inverse.reverse();
        (input(self.commands), input(inverse))
    }

    pub(super) fn new_chain(&mut self, chain: &str) {
        self.observed.make_chain(chain);
        self.commands.push(Command::NewChain(chain.to_owned()));
        self.inverse.push(Command::DeleteChain(chain.to_owned()));
    }

    pub(super) fn delete_chain(&mut self, chain: &str) {
        self.observed.drop_chain(chain);
        self.commands.push(Command::DeleteChain(chain.to_owned()));
        self.inverse.push(Command::NewChain(chain.to_owned()));
    }

    /// Puts a rule of ours before the one that stands at this place, from 0.
    pub(super) fn insert(
        &mut self,
        chain: &str,
        place: usize,
        words: &Words,
        counters: Option<Counters>,
    ) -> Id {
        let id = self.observed.put(chain, place, words.clone(), counters);
        self.observed.mark_as_ours(id);
        self.commands.push(Command::Insert {
            chain: chain.to_owned(),
            at: place + 1,
            words: words.clone(),
            counters,
        });
        self.inverse.push(Command::Delete {
            chain: chain.to_owned(),
            words: words.clone(),
            at: None,
        });
        id
    }

    /// Deletes a rule, and says what it counted.
    pub(super) fn delete(&mut self, chain: &str, id: Id) -> Option<Counters> {
        self.delete_all(chain, &HashSet::from([id]));
        self.observed.rule(id).counters
    }

    /// Deletes rules of a chain from the top down, since the programs look for each from there.
    /// They come back from the top down too, each to the place that it had: so each finds it also
    /// where some of the others never went.
    pub(super) fn delete_all(&mut self, chain: &str, ids: &HashSet<Id>) {
        let inverse = self.to_put_back(chain, ids);
        self.inverse.extend(inverse);
        let mut above = 0;
        let mut lookalikes = false;
        for id in self.observed.rules_of(chain) {
            let words = &self.observed.rule(id).words;
            if ids.contains(&id) {
                self.commands.push(Command::Delete {
                    chain: chain.to_owned(),
                    words: words.clone(),
                    at: lookalikes.then_some(above + 1),
                });
            } else {
                above += 1;
                // What the programs have no words for looks to them like something else.
                lookalikes |= is_native(words);
            }
        }
        self.observed.take_all(chain, ids);
    }

    /// Takes rules of others out of a chain. Some of what can match packets the programs do not know
    /// again by its words, so none of it is deleted: the chain is emptied, and what stays comes
    /// back, from the last to the first. It is one commit, so no packet sees the empty chain.
    pub(super) fn clear(&mut self, chain: &str, ids: &HashSet<Id>) {
        let inverse = self.to_put_back(chain, ids);
        self.inverse.extend(inverse);
        self.observed.take_all(chain, ids);
        self.commands.push(Command::Flush(chain.to_owned()));
        for id in self.observed.rules_of(chain).rev() {
            let rule = self.observed.rule(id);
            self.commands.push(Command::Insert {
                chain: chain.to_owned(),
                at: 1,
                words: rule.words.clone(),
                counters: rule.counters,
            });
        }
    }

    /// What puts rules back that are taken out of a chain, the last of them first. Those that the
    /// programs have no words for stay away.
    fn to_put_back(&self, chain: &str, ids: &HashSet<Id>) -> Vec<Command> {
        let standing = (1..).zip(self.observed.rules_of(chain));
        let mut inverse: Vec<Command> = standing
            .filter(|&(_, id)| ids.contains(&id) && !is_native(&self.observed.rule(id).words))
            .map(|(at, id)| {
                let rule = self.observed.rule(id);
                Command::Insert {
                    chain: chain.to_owned(),
                    at,
                    words: rule.words.clone(),
                    counters: rule.counters,
                }
            })
            .collect();
        inverse.reverse();
        inverse
    }

    /// Makes the table's chains that are missing, and puts the jumps to them at the head of their
    /// parents where they are not.
    pub(super) fn raise(&mut self, table: Table) {
        for chain in table.admin_chains().chain(table.chains()) {
            if !self.observed.has_chain(chain) {
                self.new_chain(chain);
            }
        }
        for (parent, ours) in table.parents() {
            if jumps(&self.observed, parent, ours) == Jumps::InPlace {
                continue;
            }
            for chain in ours.iter().rev() {
                let counters = self.delete_jumps(parent, chain);
                self.insert(parent, 0, &jump(chain), counters);
            }
        }
    }

    /// Deletes all jumps of ours to a chain, and says what the first of them counted.
    pub(super) fn delete_jumps(&mut self, parent: &str, chain: &str) -> Option<Counters> {
        let mut counters = None;
        while let Some(id) = self.observed.find(parent, digest(&jump(chain))) {
            let counted = self.delete(parent, id);
            counters = counters.or(counted);
        }
        counters
    }
}

/// How the jumps to our chains stand in a chain of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Jumps {
    /// Each once, at the head and in order.
    InPlace,
    /// Not all of them at the head, or some more than once.
    Moved,
    /// Those to these chains do not stand.
    Missing(Vec<&'static str>),
}

pub(super) fn jumps(observed: &Observed, parent: &str, ours: &[&'static str]) -> Jumps {
    let mut missing = ours.to_vec();
    missing.retain(|chain| observed.find(parent, digest(&jump(chain))).is_none());
    if !missing.is_empty() {
        return Jumps::Missing(missing);
    }
    let wanted: Vec<Words> = ours.iter().map(|chain| jump(chain)).collect();
    let mut standing = observed.rules_of(parent).map(|id| &observed.rule(id).words);
    let at_head = wanted.iter().all(|jump| standing.next() == Some(jump));
    if at_head && !standing.any(|words| wanted.contains(words)) {
        Jumps::InPlace
    } else {
        Jumps::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::parse;

    fn draft(saved: &str) -> Draft {
        Draft::new(Observed::new(parse(saved).unwrap().first()))
    }

    fn raised(saved: &str) -> (String, String) {
        let mut draft = draft(saved);
        draft.raise(Table::Filter);
        let (input, undo) = draft.finish("filter");
        (input.to_string(), undo.to_string())
    }

    const CHAINS: &str = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n\
        :PALISADE_ADMIN_FWI - [0:0]\n:PALISADE_ADMIN_FWO - [0:0]\n:PALISADE_ADMIN_INP - [0:0]\n\
        :PALISADE_FWA - [0:0]\n:PALISADE_FWB - [0:0]\n:PALISADE_FWI - [0:0]\n:PALISADE_FWO - [0:0]\n\
        :PALISADE_FWX - [0:0]\n:PALISADE_INP - [0:0]\n\
        :PALISADE_OUT - [0:0]\n-A INPUT -j PALISADE_INP\n-A OUTPUT -j PALISADE_OUT\n";

    #[test]
    fn chains_come_with_jumps_in_the_order_of_evaluation() {
        let (input, undo) = raised("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n");
        assert_eq!(
            input,
            "*filter\n-N PALISADE_ADMIN_FWO\n-N PALISADE_ADMIN_FWI\n-N PALISADE_ADMIN_INP\n\
             -N PALISADE_INP\n-N PALISADE_FWA\n-N PALISADE_FWB\n-N PALISADE_FWX\n-N PALISADE_FWI\n-N PALISADE_FWO\n\
             -N PALISADE_OUT\n-I INPUT -j PALISADE_INP\n-I FORWARD -j PALISADE_FWO\n\
             -I FORWARD -j PALISADE_FWI\n-I FORWARD -j PALISADE_FWX\n-I FORWARD -j PALISADE_FWB\n-I FORWARD -j PALISADE_FWA\n\
             -I OUTPUT -j PALISADE_OUT\n\
             COMMIT\n"
        );
        assert!(
            undo.starts_with("*filter\n-D OUTPUT -j PALISADE_OUT\n"),
            "{undo}"
        );
        assert!(undo.ends_with("-X PALISADE_ADMIN_FWO\nCOMMIT\n"), "{undo}");
    }

    #[test]
    fn jumps_that_others_moved_come_back_to_the_head_and_the_undo_knows_where_they_were() {
        let in_place = format!(
            "*filter\n{CHAINS}-A FORWARD -j PALISADE_FWA\n-A FORWARD -j PALISADE_FWB\n-A FORWARD -j PALISADE_FWX\n\
             -A FORWARD -j PALISADE_FWI\n-A FORWARD -j PALISADE_FWO\n-A FORWARD -j DOCKER\nCOMMIT\n"
        );
        assert_eq!(raised(&in_place).0, "*filter\nCOMMIT\n");
        let moved = format!(
            "*filter\n{CHAINS}-A FORWARD -j DOCKER\n[5:7] -A FORWARD -j PALISADE_FWX\n\
             -A FORWARD -j PALISADE_FWO\nCOMMIT\n"
        );
        let (input, undo) = raised(&moved);
        assert_eq!(
            input,
            "*filter\n-D FORWARD -j PALISADE_FWO\n-I FORWARD -j PALISADE_FWO\n\
             -I FORWARD -j PALISADE_FWI\n-D FORWARD -j PALISADE_FWX\n\
             [5:7] -I FORWARD -j PALISADE_FWX\n-I FORWARD -j PALISADE_FWB\n-I FORWARD -j PALISADE_FWA\nCOMMIT\n"
        );
        assert_eq!(
            undo,
            "*filter\n-D FORWARD -j PALISADE_FWA\n-D FORWARD -j PALISADE_FWB\n-D FORWARD -j PALISADE_FWX\n[5:7] -I FORWARD 4 -j PALISADE_FWX\n\
             -D FORWARD -j PALISADE_FWI\n-D FORWARD -j PALISADE_FWO\n\
             -I FORWARD 3 -j PALISADE_FWO\nCOMMIT\n"
        );
    }

    #[test]
    fn jumps_that_stand_twice_are_not_in_place() {
        let twice = format!(
            "*filter\n{CHAINS}-A FORWARD -j PALISADE_FWA\n-A FORWARD -j PALISADE_FWB\n-A FORWARD -j PALISADE_FWX\n\
             -A FORWARD -j PALISADE_FWI\n-A FORWARD -j PALISADE_FWO\n-A FORWARD -j PALISADE_FWX\nCOMMIT\n"
        );
        let tables = parse(&twice).unwrap();
        let observed = Observed::new(tables.first());
        let (parent, ours) = Table::Filter.parents()[1];
        assert_eq!(jumps(&observed, parent, ours), Jumps::Moved);
        assert_eq!(
            jumps(&Observed::default(), parent, ours),
            Jumps::Missing(ours.to_vec())
        );
    }
}
