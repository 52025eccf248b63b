//! A host on which networks come and go: a namespace, the backend, and what an engine does with it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use palisade_core::Ruleset;
use palisade_core::backend::{Addition, Backend, BackendId, Change, Placement, Plan, RunError};
use palisade_core::network::{Family, Network};
use palisade_core::rules::Guard;
use palisade_core::state::Record;
use palisade_core::storage::Lock;
use palisade_iptables::Iptables;
use palisade_iptables::lift::lift;
use palisade_iptables::run::{Answer, Command, CommandRunner};
use palisade_iptables::text::{self, Rule, Words};

use crate::namespace::{Namespace, Programs};

/// A lock that nobody else wants.
pub(crate) fn lock() -> Lock {
    Lock::private().expect("a temporary file")
}

/// Which restore fails, counted down, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    /// It is not run.
    Before(usize),
    /// It is run, and nobody hears of it.
    After(usize),
}

/// Programs of which one can fail.
struct Failing {
    programs: Programs,
    fails: Arc<Mutex<Fails>>,
}

impl CommandRunner for Failing {
    fn hold(&mut self, lock: Option<OwnedFd>) {
        self.programs.hold(lock);
    }

    fn run(&mut self, command: &Command) -> io::Result<Answer> {
        let is_restore = command.program.ends_with("-restore") && !command.input.is_empty();
        let died = || Err(io::Error::other("made to fail"));
        let fails = *self.fails.lock().expect("no test died");
        match fails {
            Fails::Before(0) if is_restore => {
                *self.fails.lock().expect("no test died") = Fails::Never;
                return died();
            }
            Fails::After(0) if is_restore => {
                *self.fails.lock().expect("no test died") = Fails::Never;
                self.programs.run(command)?;
                return died();
            }
            Fails::Before(n) if is_restore => {
                *self.fails.lock().expect("no test died") = Fails::Before(n - 1);
            }
            Fails::After(n) if is_restore => {
                *self.fails.lock().expect("no test died") = Fails::After(n - 1);
            }
            _ => {}
        }
        self.programs.run(command)
    }
}

pub(crate) struct Host {
    pub(crate) namespace: Namespace,
    pub(crate) backend: Iptables,
    pub(crate) records: Vec<Record>,
    pub(crate) fails: Arc<Mutex<Fails>>,
    /// Whether some rules may be refused.
    does_without: bool,
    variant: &'static str,
}

impl Host {
    pub(crate) fn new(variant: &'static str) -> Self {
        Self::with(variant, &[])
    }

    /// With these variables for the programs.
    pub(crate) fn with(variant: &'static str, variables: &[(&str, &str)]) -> Self {
        let namespace = Namespace::new();
        let fails = Arc::new(Mutex::new(Fails::Never));
        let runner = Failing {
            programs: namespace.programs(variables),
            fails: Arc::clone(&fails),
        };
        Self {
            backend: Iptables::new(Box::new(runner)),
            records: Vec::new(),
            namespace,
            fails,
            does_without: !variables.is_empty(),
            variant,
        }
    }

    pub(crate) fn placement(&self) -> Placement {
        let programs = ("programs".to_owned(), self.variant.to_owned());
        Placement {
            backend: BackendId::new("iptables"),
            settings: BTreeMap::from([programs]),
        }
    }

    /// Runs `iptables` or `ip6tables` of the host's family of programs.
    #[track_caller]
    pub(crate) fn iptables(&self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let program = format!("{}-{}", words[0], self.variant);
        self.namespace
            .run(&[&[program.as_str()], &words[1..]].concat());
    }

    #[track_caller]
    pub(crate) fn start(&mut self, networks: &[Network]) {
        self.reach(networks, &[]).expect("networks start");
    }

    #[track_caller]
    pub(crate) fn remove(&mut self, names: &[&str]) -> Plan {
        self.reach(&[], names).expect("networks go")
    }

    pub(crate) fn reach(&mut self, networks: &[Network], gone: &[&str]) -> Result<Plan, RunError> {
        let placement = self.placement();
        let goes = |record: &Record| {
            let name = record.network.name();
            gone.contains(&name.as_str()) || networks.iter().any(|network| network.name() == name)
        };
        let (remove, keep): (Vec<Record>, Vec<Record>) =
            self.records.iter().cloned().partition(goes);
        let orders = self.records.last().map_or(0, |record| record.order + 1)..;
        let add = networks.iter().zip(orders.clone());
        let add = add.map(|(network, order)| Addition {
            network,
            placement: &placement,
            order,
        });
        let change = Change {
            keep: keep.iter().collect(),
            remove: remove.iter().collect(),
            add: add.collect(),
            ..Change::default()
        };
        let plan = self.backend.plan(&change).expect("a plan");
        self.carry_out(&plan)?;
        self.records = keep;
        for ((network, installed), order) in networks.iter().zip(&plan.added).zip(orders) {
            self.records.push(Record {
                owner: palisade_core::NetworkOwner::default(),
                network: network.clone(),
                placement: placement.clone(),
                why: String::new(),
                since: "2026-01-01T00:00:00Z".parse().expect("a time"),
                order,
                installed: installed.clone(),
                actions: Vec::new(),
            });
        }
        let noted = self.backend.note_refused(&mut self.records);
        noted.expect("what was refused is not recorded");
        Ok(plan)
    }

    pub(crate) fn restore(&mut self) -> Plan {
        let change = Change {
            restore: self.records.iter().collect(),
            ..Change::default()
        };
        let plan = self.backend.plan(&change).expect("a plan");
        self.carry_out(&plan).expect("what is missing comes back");
        plan
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<(), RunError> {
        for (number, step) in plan.steps.iter().enumerate() {
            if let Err(error) = self.backend.run(&step.payload, &lock()) {
                for begun in plan.steps[..=number].iter().rev() {
                    self.backend.run(&begun.undo, &lock()).expect("an undo");
                }
                return Err(error);
            }
            let has_landed = self.backend.has_landed(step).expect("a look");
            assert!(has_landed || self.does_without, "{}", step.what);
        }
        Ok(())
    }

    pub(crate) fn saved(&self, family: Family) -> Vec<text::Table> {
        let word = if family == Family::Ipv4 {
            "iptables"
        } else {
            "ip6tables"
        };
        let text = self
            .namespace
            .run(&[&format!("{word}-{}-save", self.variant)]);
        text::parse(&text).expect("what is saved")
    }

    /// What stands: chains of no kernel's, and rules by chain.
    pub(crate) fn standing(&self) -> Standing {
        let both = Family::BOTH.map(|family| (family, self.saved(family)));
        let mut standing = Standing::new();
        for (family, tables) in both {
            for table in tables {
                let key = format!("{family} {}", table.name);
                let lines = lines(&table, str::to_owned);
                if !lines.is_empty() {
                    standing.insert(key, lines);
                }
            }
        }
        standing
    }

    /// `verify` is clean, and what stands means what the networks mean.
    #[track_caller]
    pub(crate) fn assert_whole(&mut self) {
        let records: Vec<&Record> = self.records.iter().collect();
        let found = self.backend.verify(&records, &records).expect("a look");
        assert!(found.is_empty(), "{found:#?}");
        let networks = self.records.iter().map(|record| &record.network);
        let expected = Ruleset::of(networks, Guard::Libvirt);
        for family in Family::BOTH {
            let lifted = lift(family, &self.saved(family));
            assert!(lifted.strange.is_empty(), "{:#?}", lifted.strange);
            let mut its = expected.rules().to_vec();
            its.retain(|rule| rule.layer == family.into());
            assert_eq!(lifted.ruleset.rules(), its);
        }
    }
}

/// Lines by family and table.
pub(crate) type Standing = BTreeMap<String, Vec<String>>;

/// The chains and rules of a table without comments and counters, rules by chain; nothing of a
/// table that nobody touched.
pub(crate) fn lines(table: &text::Table, rename: impl Fn(&str) -> String) -> Vec<String> {
    let chains = table.chains.iter().filter(|chain| chain.policy.is_none());
    let mut lines: Vec<String> = chains.map(|chain| rename(&chain.name)).collect();
    lines.sort();
    let without_comment = |words: &Words| -> Words {
        let mut kept: Vec<String> = Vec::new();
        let mut words = words.as_slice().iter().peekable();
        while let Some(word) = words.next() {
            if word == "-m" && words.peek().is_some_and(|word| *word == "comment") {
                words.nth(2); // `comment`, `--comment` and what it says.
            } else {
                kept.push(rename(word));
            }
        }
        kept.into_iter().collect()
    };
    let mut rules: Vec<Rule> = table.rules.clone();
    for rule in &mut rules {
        rule.chain = rename(&rule.chain);
        rule.words = without_comment(&rule.words);
        rule.counters = None;
    }
    rules.sort_by(|a, b| a.chain.cmp(&b.chain));
    lines.extend(rules.iter().map(ToString::to_string));
    lines
}
