//! A table made anew, exactly as it is recorded, in place of one that others have changed.
//!
//! In one batch the old table goes and the new one comes, so that there is no moment without
//! rules; what rules and elements have counted goes over. So do rules of others, where the table is
//! of an older build and they did nothing wrong.

use super::area::Area;
use super::error::Occupied;
use super::observed::{Foreign, Observed, Standing};
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

    /// Carries over what others put into the old table: rules stand above ours where they stood
    /// above all of ours, and below otherwise.
    ///
    /// # Errors
    /// If there is no place for something of it: its chain is no more, it leads to what is no more,
    /// or it is no rule.
    pub(super) fn carry_over(
        &mut self,
        observed: &Observed,
        foreign: &[Foreign],
    ) -> Result<(), Occupied> {
        let table = &observed.program.table;
        let occupied = |foreign: &Foreign| Occupied {
            family: table.family,
            table: table.name.clone(),
            foreign: foreign.text.clone(),
        };
        let mut first = foreign.iter();
        let Some(new) = &mut self.new else {
            return first.next().map_or(Ok(()), |f| Err(occupied(f)));
        };
        let has_place = |foreign: &Foreign| {
            let is_there = |place: &String| new.chain(place).is_some() || new.set(place).is_some();
            foreign.is_rule && is_there(&foreign.place) && foreign.leads_to.iter().all(is_there)
        };
        if let Some(homeless) = first.find(|foreign| !has_place(foreign)) {
            return Err(occupied(homeless));
        }
        for chain in &mut new.chains {
            let standing = observed.rules(&chain.chain.name);
            let of_others = |rules: &[Standing]| -> Vec<Rule> {
                let others = rules.iter().filter(|standing| !standing.is_claimed());
                others.map(|standing| renumbered(&standing.rule)).collect()
            };
            let ours = standing.iter().position(Standing::is_claimed);
            let (above, below) = standing.split_at(ours.unwrap_or(standing.len()));
            chain.rules.splice(0..0, of_others(above));
            chain.rules.extend(of_others(below));
        }
        Ok(())
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

/// The kernel gives it a number of its own.
fn renumbered(rule: &Rule) -> Rule {
    Rule {
        handle: None,
        position: None,
        ..rule.clone()
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
