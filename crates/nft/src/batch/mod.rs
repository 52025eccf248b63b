//! Batches: changes that happen together or not at all.
//!
//! Messages are written straight into one buffer, numbered from 1 on. What a number stands for is
//! read from the buffer again when the kernel refuses it, so that nothing is kept beside.

mod outcome;
mod refusal;

use palisade_netlink::flags::{ACK, APPEND, CREATE, EXCLUSIVE, REQUEST};

use crate::object::{Chain, Element, Family, Rule, Set, Table};
use crate::program::Program;
use crate::wire::{self, Kind};

pub use outcome::{CommitError, commit};
pub(crate) use refusal::Refusal;

/// Where a message's header says its flags.
const FLAGS_AT: usize = 6;

/// Where a rule goes in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Above all others.
    Head,
    /// Below all others.
    End,
    /// Above the rule with this handle.
    Before(u64),
    /// Below the rule with this handle.
    After(u64),
}

/// Changes that the kernel makes together or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    buffer: Vec<u8>,
    sequence: u32,
    /// Where the last message begins.
    last: Option<usize>,
}

impl Batch {
    /// An empty batch. With a `generation` it is refused unless the ruleset still has that one.
    #[must_use]
    pub fn new(generation: Option<u32>) -> Self {
        let mut buffer = Vec::with_capacity(4096);
        wire::batch_begin(&mut buffer, 0, generation);
        Self {
            buffer,
            sequence: 0,
            last: None,
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// The bytes of the whole batch. One reply is asked for, that of the last message: a reply to
    /// each would overrun the socket's buffer.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if let Some(flags) = self
            .last
            .and_then(|last| self.buffer.get_mut(last + FLAGS_AT..last + FLAGS_AT + 2))
        {
            let asked = u16::from_ne_bytes([flags[0], flags[1]]) | ACK;
            flags.copy_from_slice(&asked.to_ne_bytes());
        }
        wire::batch_end(&mut self.buffer, 0, self.sequence + 1);
        self.buffer
    }

    /// Makes a table.
    pub fn add_table(&mut self, table: &Table) {
        self.push(Kind::NEW_TABLE, CREATE | EXCLUSIVE, table.family, |body| {
            wire::table::encode(table, body);
        });
    }

    /// Deletes a table and all that is in it.
    pub fn delete_table(&mut self, family: Family, table: &str) {
        self.push(Kind::DEL_TABLE, 0, family, |body| {
            wire::table::encode_name(table, body);
        });
    }

    /// Makes a chain.
    pub fn add_chain(&mut self, chain: &Chain) {
        self.push(Kind::NEW_CHAIN, CREATE | EXCLUSIVE, chain.family, |body| {
            wire::chain::encode(chain, body);
        });
    }

    /// Deletes a chain, which nothing may lead to any more, with its rules.
    pub fn delete_chain(&mut self, family: Family, table: &str, chain: &str) {
        self.push(Kind::DEL_CHAIN, 0, family, |body| {
            wire::chain::encode_key(table, chain, body);
        });
    }

    /// Makes a set.
    pub fn add_set(&mut self, set: &Set) {
        // The kernel wants a number for each set, by which the same batch could name it.
        let set = Set {
            id: Some(self.sequence + 1),
            ..set.clone()
        };
        self.push(Kind::NEW_SET, CREATE | EXCLUSIVE, set.family, |body| {
            wire::set::encode(&set, body);
        });
    }

    /// Deletes a set, which no rule may ask any more, with its elements.
    pub fn delete_set(&mut self, family: Family, table: &str, set: &str) {
        self.push(Kind::DEL_SET, 0, family, |body| {
            wire::set::encode_key(table, set, body);
        });
    }

    /// Makes a rule.
    pub fn add_rule(&mut self, rule: &Rule, at: At) {
        let (flags, position) = match at {
            At::Head => (CREATE, None),
            At::End => (CREATE | APPEND, None),
            At::Before(handle) => (CREATE, Some(handle)),
            At::After(handle) => (CREATE | APPEND, Some(handle)),
        };
        let mut push = |rule: &Rule| {
            self.push(Kind::NEW_RULE, flags, rule.family, |body| {
                wire::rule::encode(rule, body);
            });
        };
        match position {
            None => push(rule),
            // Only what was broken goes between others.
            Some(_) => push(&Rule {
                position,
                ..rule.clone()
            }),
        }
    }

    /// Deletes a rule.
    pub fn delete_rule(&mut self, family: Family, table: &str, chain: &str, handle: u64) {
        self.push(Kind::DEL_RULE, 0, family, |body| {
            wire::rule::encode_handle(table, chain, handle, body);
        });
    }

    /// Adds elements to a set, in as many messages as it takes. Those that are there already stay.
    pub fn add_elements<'a>(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        elements: impl IntoIterator<Item = &'a Element>,
    ) {
        let mut elements = elements.into_iter().peekable();
        while elements.peek().is_some() {
            self.push(Kind::NEW_ELEMENT, CREATE, family, |body| {
                wire::element::encode(table, set, &mut elements, body);
            });
        }
    }

    /// Deletes elements of a set, in as many messages as it takes.
    pub fn delete_elements<'a>(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        elements: impl IntoIterator<Item = &'a Element>,
    ) {
        let mut elements = elements.into_iter().peekable();
        while elements.peek().is_some() {
            self.push(Kind::DEL_ELEMENT, 0, family, |body| {
                wire::element::encode_keys(table, set, &mut elements, body);
            });
        }
    }

    /// Makes a table with all that is in it.
    pub fn add_program(&mut self, program: &Program) {
        self.add_table(&program.table);
        for chain in &program.chains {
            self.add_chain(&chain.chain);
        }
        for filled in &program.sets {
            self.add_set(&filled.set);
        }
        // Rules come when the chains and sets that they name are there.
        for rule in program.chains.iter().flat_map(|chain| &chain.rules) {
            self.add_rule(rule, At::End);
        }
        let (family, table) = (program.table.family, program.table.name.as_str());
        for filled in &program.sets {
            self.add_elements(family, table, &filled.set.name, &filled.elements);
        }
    }

    fn push(&mut self, kind: Kind, flags: u16, family: Family, body: impl FnOnce(&mut Vec<u8>)) {
        self.sequence += 1;
        self.last = Some(self.buffer.len());
        let flags = REQUEST | flags;
        wire::message(&mut self.buffer, kind, flags, self.sequence, family, body);
    }
}
