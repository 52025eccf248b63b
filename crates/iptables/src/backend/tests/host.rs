//! A host with the programs of iptables, made up: they do what the real ones do with the text that
//! they are given, on tables in memory. It can be told to fail.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::backend::Iptables;
use crate::rule::Table;
use crate::run::{Answer, Command, CommandRunner};
use crate::text;

/// How a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It refuses its input.
    Refusal,
    /// It waits in vain for the lock.
    Lock,
    /// It does what it was asked, and is killed before it can say so.
    Death,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// By the words with which the programs' names begin.
    pub(super) tables: BTreeMap<String, Vec<text::Table>>,
    /// Restores that were begun.
    pub(super) restores: usize,
    /// The inputs that were restored, each with the words with which its program's name begins.
    pub(super) inputs: Vec<(String, String)>,
    /// The restore, from 0, that fails.
    pub(super) fails_at: Option<(usize, Failure)>,
    /// A word that no rule may hold.
    pub(super) unknown_word: Option<&'static str>,
    /// A table that is left out when tables are printed.
    pub(super) hidden: Option<&'static str>,
    /// A chain that is not even listed alone.
    pub(super) unlisted: Option<&'static str>,
    /// Names of programs that begin so are missing.
    pub(super) missing: Vec<&'static str>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Host(pub(super) Shared);

/// What several runners see of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(super) fn borrow(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn borrow_mut(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Host {
    pub(super) fn backend(&self) -> Iptables {
        Iptables::new(Box::new(self.clone()))
    }

    /// What stands, without what was counted and without tables that hold nothing.
    pub(super) fn standing(&self) -> BTreeMap<String, Vec<String>> {
        let mut standing = BTreeMap::new();
        for (stem, tables) in &self.0.borrow().tables {
            for table in tables {
                let chains = table.chains.iter().filter(|chain| chain.policy.is_none());
                let mut lines: Vec<String> = chains.map(|chain| chain.name.clone()).collect();
                // Chains have no order among themselves.
                lines.sort();
                let mut rules: Vec<text::Rule> = table.rules.clone();
                rules.sort_by(|a, b| a.chain.cmp(&b.chain));
                lines.extend(rules.into_iter().map(|rule| {
                    let counters = None;
                    text::Rule { counters, ..rule }.to_string()
                }));
                if !lines.is_empty() {
                    standing.insert(format!("{stem} {}", table.name), lines);
                }
            }
        }
        standing
    }

    /// The rules of a chain.
    pub(super) fn rules(&self, stem: &str, table: &str, chain: &str) -> Vec<String> {
        let mut state = self.0.borrow_mut();
        let rules = state.table(stem, table).rules.iter();
        let here = rules.filter(|rule| rule.chain == chain);
        here.map(|rule| rule.words.to_string()).collect()
    }

    /// Changes a table as somebody else would.
    pub(super) fn meddle(&self, stem: &str, table: &str, meddle: impl FnOnce(&mut text::Table)) {
        meddle(self.0.borrow_mut().table(stem, table));
    }

    /// Gives a table what a program would read. Whether it was done.
    pub(super) fn perform(&self, stem: &str, input: &text::Input) -> bool {
        self.0
            .borrow_mut()
            .restore(stem, &input.to_string())
            .is_ok()
    }

    /// Somebody else puts a rule into a chain, at this place from 0.
    pub(super) fn put(&self, stem: &str, table: &str, chain: &str, place: usize, words: &str) {
        let words = words.parse().unwrap();
        self.meddle(stem, table, |table| {
            table.insert(chain, place, words, None).unwrap();
        });
    }
}

impl State {
    fn table(&mut self, stem: &str, name: &str) -> &mut text::Table {
        let tables = self.tables.entry(stem.to_owned()).or_default();
        let at = tables.iter().position(|table| table.name == name);
        let at = at.unwrap_or_else(|| {
            let parents = Table::from_name(name).unwrap().parents().iter();
            tables.push(text::Table {
                name: name.to_owned(),
                chains: parents
                    .map(|(parent, _)| text::Chain {
                        name: (*parent).to_owned(),
                        policy: Some("ACCEPT".to_owned()),
                        counters: Some(text::Counters::default()),
                    })
                    .collect(),
                rules: Vec::new(),
            });
            tables.len() - 1
        });
        &mut tables[at]
    }

    /// A chain's rules, as `-v -S` lists them.
    fn list(&mut self, stem: &str, table: &str, chain: &str) -> String {
        let rules = self.table(stem, table).rules.iter();
        let lines = rules.filter(|rule| rule.chain == chain).map(|rule| {
            let text::Counters { packets, bytes } = rule.counters.unwrap_or_default();
            format!("-A {chain} {} -c {packets} {bytes}\n", rule.words)
        });
        format!("-N {chain}\n") + &lines.collect::<String>()
    }

    /// The number of the line that cannot be done, if one cannot.
    fn restore(&mut self, stem: &str, text: &str) -> Result<(), usize> {
        let input: text::Input = text.parse().map_err(|error: text::InputError| error.line)?;
        let unknown = self.unknown_word;
        let table = self.table(stem, &input.table);
        let mut changed = table.clone();
        for (command, line) in input.commands.iter().zip(2..) {
            let is_unknown = |word: &str| command.to_string().split(' ').any(|w| w == word);
            if unknown.is_some_and(is_unknown) || changed.perform(command).is_none() {
                return Err(line);
            }
        }
        *table = changed;
        Ok(())
    }
}

impl text::Table {
    fn perform(&mut self, command: &text::Command) -> Option<()> {
        let has = |table: &Self, name: &str| table.chains.iter().any(|chain| chain.name == name);
        match command {
            text::Command::NewChain(name) => {
                let chain = text::Chain {
                    name: name.clone(),
                    policy: None,
                    counters: None,
                };
                (!has(self, name)).then(|| self.chains.push(chain))
            }
            text::Command::DeleteChain(name) => {
                let is_used = |rule: &text::Rule| {
                    rule.chain == *name || rule.words.behind("-j") == Some(name)
                };
                let can_go = has(self, name) && !self.rules.iter().any(is_used);
                can_go.then(|| self.chains.retain(|chain| chain.name != *name))
            }
            text::Command::Flush(chain) => {
                self.rules.retain(|rule| rule.chain != *chain);
                has(self, chain).then_some(())
            }
            text::Command::Insert {
                chain,
                at,
                words,
                counters,
            } => self.insert(chain, at.checked_sub(1)?, words.clone(), *counters),
            // Whether it is there, the programs cannot tell of every rule.
            text::Command::Delete { words, .. } if words.behind("-m") == Some("recent") => None,
            text::Command::Delete { chain, words, .. } => {
                let is_it = |rule: &text::Rule| rule.chain == *chain && rule.words == *words;
                let at = self.rules.iter().position(is_it)?;
                self.rules.remove(at);
                Some(())
            }
        }
    }

    fn insert(
        &mut self,
        chain: &str,
        place: usize,
        words: text::Words,
        counters: Option<text::Counters>,
    ) -> Option<()> {
        let exists = |name: &str| self.chains.iter().any(|chain| chain.name == name);
        let target = words.behind("-j")?;
        if !exists(chain) || target.starts_with("PALISADE_") && !exists(target) {
            return None;
        }
        let here = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.chain == chain);
        let places: Vec<usize> = here.map(|(at, _)| at).collect();
        let at = match places.get(place) {
            Some(&at) => at,
            None if place == places.len() => self.rules.len(),
            None => return None,
        };
        let (chain, counters) = (chain.to_owned(), Some(counters.unwrap_or_default()));
        self.rules.insert(
            at,
            text::Rule {
                chain,
                words,
                counters,
            },
        );
        Some(())
    }
}

impl CommandRunner for Host {
    fn hold(&mut self, _: Option<OwnedFd>) {}

    fn run(&mut self, command: &Command) -> io::Result<Answer> {
        let state = &mut *self.0.borrow_mut();
        if state
            .missing
            .iter()
            .any(|name| command.program.starts_with(name))
        {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (stem, what) = command.program.rsplit_once('-').unwrap();
        let answer = |code, stdout: String, stderr: &str| Answer {
            code,
            stdout: stdout.into_bytes(),
            stderr: stderr.as_bytes().to_vec(),
            ..Answer::default()
        };
        if command.arguments == ["--version"] {
            let version = format!("{} v1.8.9 (nf_tables)", command.program);
            return Ok(answer(Some(0), version, ""));
        }
        if let [_, table, .., list, chain] = command.arguments.as_slice()
            && list == "-S"
        {
            let can = state.unlisted != Some(chain);
            let listed = state.list(&command.program, table, chain);
            return Ok(answer(Some(i32::from(!can)), listed, ""));
        }
        if what == "save" {
            let mut asked = state.tables.entry(stem.to_owned()).or_default().clone();
            if let [.., option, name] = command.arguments.as_slice()
                && option == "-t"
            {
                asked = vec![state.table(stem, name).clone()];
            }
            asked.retain(|table| Some(table.name.as_str()) != state.hidden);
            let text = asked.iter().map(ToString::to_string).collect();
            return Ok(answer(
                Some(0),
                text,
                "# Warning: tables of others present\n",
            ));
        }
        let number = state.restores;
        state.restores += 1;
        let failure = state
            .fails_at
            .filter(|(at, _)| *at == number)
            .map(|(_, failure)| failure);
        if command
            .arguments
            .iter()
            .any(|argument| argument == "--test")
        {
            let before = state.tables.clone();
            let done = state.restore(stem, &command.input);
            state.tables = before;
            let code = if done.is_ok() { 0 } else { 1 };
            return Ok(answer(Some(code), String::new(), ""));
        }
        state.inputs.push((stem.to_owned(), command.input.clone()));
        match failure {
            Some(Failure::Refusal) => Ok(answer(Some(1), String::new(), "line 1 failed")),
            Some(Failure::Lock) => Ok(Answer {
                took: Duration::from_secs(5),
                ..answer(Some(4), String::new(), "Another app holds the lock")
            }),
            failure => match state.restore(stem, &command.input) {
                Ok(()) if failure.is_some() => Ok(answer(None, String::new(), "")),
                Ok(()) => Ok(answer(Some(0), String::new(), "")),
                Err(line) => Ok(answer(
                    Some(1),
                    String::new(),
                    &format!("line {line} failed"),
                )),
            },
        }
    }
}
