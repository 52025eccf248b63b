//! A table that is rebuilt exactly as it is recorded, in place of one that other programs changed.
//!
//! One batch deletes the old table and adds the new one, so that there is no moment without rules;
//! counters are kept.

use super::area::Area;
use super::observed::Observed;
use crate::batch::Batch;
use crate::object::{Element, Rule};
use crate::program::Program;

/// The table that shall stand, with what stands now.
#[derive(Debug)]
pub(super) struct Rebuild {
    new: Option<Program>,
    delete: bool,
}

impl Rebuild {
    pub(super) fn of(area: &Area<'_>, observed: Option<&Observed>) -> Self {
        let mut new = Program::of(&area.table, area.family, &area.networks);
        if let (Some(new), Some(observed)) = (&mut new, observed) {
            keep_counters(new, observed);
        }
        Self {
            new,
            delete: observed.is_some(),
        }
    }

    /// Whether there is a table when it is done.
    pub(super) fn remains(&self) -> bool {
        self.new.is_some()
    }

    pub(super) fn write(&self, area: &Area<'_>, batch: &mut Batch) {
        if self.delete {
            batch.delete_table(area.family.into(), area.table.as_str());
        }
        if let Some(new) = &self.new {
            batch.add_program(new);
        }
    }
}

fn keep_counters(new: &mut Program, observed: &Observed) {
    let rules = new.chains.iter_mut().flat_map(|chain| &mut chain.rules);
    for rule in rules {
        let same = observed.rule(&rule.chain, &format!("{rule:#}"));
        if let Some(Rule { expressions, .. }) = same.map(|standing| &standing.rule) {
            rule.expressions.clone_from(expressions);
        }
    }
    for filled in &mut new.sets {
        let Some(old) = observed.program.set(&filled.set.name) else {
            continue;
        };
        let counted: std::collections::HashMap<&[u8], &Element> = old
            .elements
            .iter()
            .map(|element| (element.key.as_slice(), element))
            .collect();
        for element in &mut filled.elements {
            if let Some(old) = counted.get(element.key.as_slice()) {
                element.expressions.clone_from(&old.expressions);
            }
        }
    }
}
