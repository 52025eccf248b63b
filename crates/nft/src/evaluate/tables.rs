//! Tables, laid out so that packets find their way quickly.

use std::collections::HashMap;

use super::lookup::Index;
use crate::object::{BaseChain, Family, Hook};
use crate::program::{FilledChain, Program};

/// `NFT_TABLE_F_DORMANT`: no packet enters.
const DORMANT: u32 = 1;

/// Tables that packets shall go through.
pub struct Tables<'a> {
    tables: Vec<Indexed<'a>>,
    /// The base chains of the families of IP, in the order in which packets meet them.
    bases: Vec<Base<'a>>,
    pub(super) interfaces: HashMap<String, u32>,
}

/// A table whose chains and sets are found by name.
pub(super) struct Indexed<'a> {
    pub(super) program: &'a Program,
    chains: HashMap<&'a str, &'a FilledChain>,
    sets: HashMap<&'a str, Index<'a>>,
}

/// A base chain, and its table.
pub(super) struct Base<'a> {
    table: usize,
    pub(super) chain: &'a FilledChain,
    pub(super) base: &'a BaseChain,
}

/// The hooks of the families of IP, in the order in which packets meet them.
const HOOKS: [Hook; 5] = [
    Hook::PREROUTING,
    Hook::INPUT,
    Hook::FORWARD,
    Hook::OUTPUT,
    Hook::POSTROUTING,
];

impl<'a> Tables<'a> {
    /// These tables, in the order in which they were made.
    #[must_use]
    pub fn of(programs: impl IntoIterator<Item = &'a Program>) -> Self {
        let tables: Vec<Indexed<'a>> = programs.into_iter().map(Indexed::of).collect();
        let mut bases: Vec<Base<'a>> = Vec::new();
        for (table, indexed) in tables.iter().enumerate() {
            if indexed.program.table.flags & DORMANT != 0 {
                continue;
            }
            for chain in &indexed.program.chains {
                if let Some(base) = &chain.chain.base {
                    bases.push(Base { table, chain, base });
                }
            }
        }
        // Of two with one priority, the kernel asks the one that came last first.
        bases.reverse();
        bases.sort_by_key(Base::place);
        Self {
            tables,
            bases,
            interfaces: HashMap::from([("lo".to_owned(), 1)]),
        }
    }

    /// The numbers of interfaces, for rules that ask for them (`iif`, `oif`): without them, such
    /// rules leave doubts. Only that of `lo` is always known.
    #[must_use]
    pub fn with_interfaces(mut self, numbers: impl IntoIterator<Item = (String, u32)>) -> Self {
        self.interfaces.extend(numbers);
        self
    }

    /// The base chains that packets of a family meet at a hook, in that order.
    pub(super) fn at(&self, family: Family, hook: Hook) -> impl Iterator<Item = &Base<'a>> {
        self.bases.iter().filter(move |base| {
            let of = base.chain.chain.family;
            base.base.hook == hook && (of == family || of == Family::Inet)
        })
    }

    pub(super) fn table_of(&self, base: &Base<'_>) -> &Indexed<'a> {
        &self.tables[base.table]
    }
}

impl Base<'_> {
    pub(super) fn is_nat(&self) -> bool {
        self.base.kind == "nat"
    }

    /// The hook, and where the kernel calls its chains: those that translate all in one place,
    /// in the order of their own priorities there.
    fn place(&self) -> (Option<usize>, i32, i32) {
        /// `NF_IP_PRI_NAT_DST`, `NF_IP_PRI_NAT_SRC`.
        const NAT_DST: i32 = -100;
        const NAT_SRC: i32 = 100;
        let hook = HOOKS.iter().position(|&hook| hook == self.base.hook);
        let called = match self.base.hook {
            _ if !self.is_nat() => self.base.priority,
            Hook::PREROUTING | Hook::OUTPUT => NAT_DST,
            _ => NAT_SRC,
        };
        (hook, called, self.base.priority)
    }
}

impl<'a> Indexed<'a> {
    fn of(program: &'a Program) -> Self {
        let chains = program.chains.iter();
        let sets = program.sets.iter();
        Self {
            program,
            chains: chains.map(|c| (c.chain.name.as_str(), c)).collect(),
            sets: sets.map(|s| (s.set.name.as_str(), Index::of(s))).collect(),
        }
    }

    pub(super) fn chain(&self, name: &str) -> Option<&'a FilledChain> {
        self.chains.get(name).copied()
    }

    pub(super) fn set(&self, name: &str) -> Option<&Index<'a>> {
        self.sets.get(name)
    }
}
