//! What stands in a kernel in memory.

use crate::object::{Chain, Expression, Family, Set, Table, Value, Verdict};
use crate::program::{FilledChain, FilledSet, Program};

/// Tables with what is in them, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ruleset {
    /// How many batches were committed.
    pub generation: u32,
    /// The tables. The kernel's numbers are in them.
    pub tables: Vec<Program>,
    /// Whether the kernel does not know the expression `fib`.
    pub lacks_fib: bool,
    /// Whether the kernel does not know the expressions `log` and `limit`.
    pub lacks_log: bool,
    /// The last handle that was given away. The kernel counts in each table.
    handle: u64,
}

impl Ruleset {
    /// The tables as `nft` would list them: without the kernel's numbers.
    #[must_use]
    pub(crate) fn listing(&self) -> String {
        let mut listed: Vec<String> = self.tables.iter().map(ToString::to_string).collect();
        listed.sort();
        listed.concat()
    }

    pub(super) fn next_handle(&mut self) -> Option<u64> {
        self.handle += 1;
        Some(self.handle)
    }

    pub(super) fn table(&self, family: Family, name: &str) -> Option<&Program> {
        let is_it = |t: &Table| (t.family, t.name.as_str()) == (family, name);
        self.tables.iter().find(|program| is_it(&program.table))
    }

    pub(super) fn table_mut(&mut self, family: Family, name: &str) -> Option<&mut Program> {
        let is_it = |t: &Table| (t.family, t.name.as_str()) == (family, name);
        self.tables.iter_mut().find(|program| is_it(&program.table))
    }

    pub(super) fn chain_mut(&mut self, of: &Chain) -> Option<&mut FilledChain> {
        let chains = &mut self.table_mut(of.family, &of.table)?.chains;
        chains
            .iter_mut()
            .find(|filled| filled.chain.name == of.name)
    }

    pub(super) fn set_mut(
        &mut self,
        family: Family,
        table: &str,
        name: &str,
    ) -> Option<&mut FilledSet> {
        let sets = &mut self.table_mut(family, table)?.sets;
        sets.iter_mut().find(|filled| filled.set.name == name)
    }
}

/// Whether a rule or a verdict map of the table leads to the chain.
pub(super) fn is_chain_used(table: &Program, name: &str) -> bool {
    let leads =
        |verdict: &Verdict| matches!(verdict, Verdict::Jump(to) | Verdict::Goto(to) if to == name);
    let elements = table.sets.iter().flat_map(|filled| &filled.elements);
    let mut values = elements.filter_map(|element| element.value.as_ref());
    expressions(table).any(|e| matches!(e, Expression::Verdict(verdict) if leads(verdict)))
        || values.any(|value| matches!(value, Value::Verdict(verdict) if leads(verdict)))
}

/// Whether a rule of the table asks the set.
pub(super) fn is_set_used(table: &Program, of: &Set) -> bool {
    expressions(table).any(|e| matches!(e, Expression::Lookup(lookup) if lookup.set == of.name))
}

fn expressions(table: &Program) -> impl Iterator<Item = &Expression> {
    let rules = table.chains.iter().flat_map(|filled| &filled.rules);
    rules.flat_map(|rule| &rule.expressions)
}
