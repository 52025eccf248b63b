//! Tables, laid out so that packets find their way quickly.

use std::collections::HashMap;

use super::frame::{Bridges, Entrance, Place};
use super::lookup::Index;
use crate::object::{BaseChain, Family, Hook};
use crate::program::{FilledChain, Program};
use crate::wire;

/// `NFT_TABLE_F_DORMANT`: no packet enters.
const DORMANT: u32 = 1;

/// Tables that packets shall go through.
pub struct Tables<'a> {
    tables: Vec<Indexed<'a>>,
    /// The base chains, in the order in which packets meet them at a hook.
    bases: Vec<Base<'a>>,
    pub(super) interfaces: HashMap<String, u32>,
    pub(super) bridges: Bridges,
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
    /// Where only packets of certain devices enter: which.
    devices: Vec<String>,
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
                    let devices = wire::chain::devices(base);
                    bases.push(Base {
                        table,
                        chain,
                        base,
                        devices,
                    });
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
            bridges: Bridges::new(),
        }
    }

    /// The numbers of interfaces, for rules that ask for them (`iif`, `oif`): without them, such
    /// rules leave doubts. Only that of `lo` is always known.
    #[must_use]
    pub fn with_interfaces(mut self, numbers: impl IntoIterator<Item = (String, u32)>) -> Self {
        self.interfaces.extend(numbers);
        self
    }

    /// The bridges that there are, each with its ports: packets pass these as frames, and meet the
    /// rules of the families bridge and netdev there.
    #[must_use]
    pub fn with_bridges(
        mut self,
        bridges: impl IntoIterator<Item = (String, Vec<String>)>,
    ) -> Self {
        self.bridges.extend(bridges);
        self
    }

    /// The base chains that packets of a family meet at a place, in that order, and whether they
    /// are sure to.
    pub(super) fn at(
        &self,
        family: Family,
        place: Place<'_>,
    ) -> impl Iterator<Item = (&Base<'a>, Entrance)> {
        self.bases.iter().filter_map(move |base| {
            let is_there = place.has(base.chain.chain.family, base.base.hook, family);
            let entrance = place.entrance(&base.devices);
            (is_there && entrance != Entrance::Closed).then_some((base, entrance))
        })
    }

    pub(super) fn table_of(&self, base: &Base<'_>) -> &Indexed<'a> {
        &self.tables[base.table]
    }
}

impl Base<'_> {
    /// The devices whose packets enter, in words.
    pub(super) fn devices(&self) -> String {
        self.devices.join(", ")
    }

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
