//! A packet through tables, as the kernel runs them: any tables, whoever made them.
//!
//! A `Table` is what a dump gives, or what a layout makes, as [`Chains`](palisade_core::evaluate::Chains)
//! for the one walk that there is. Expressions run as in the kernel, on bytes of which not every bit may
//! be known.

mod chains;
mod conditions;
mod load;
mod lookup;
mod registers;
mod rule;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

use palisade_core::evaluate::{Ground, Member};

use crate::owner;
use crate::program::Program;

use table::Table;

/// These tables, in the order in which they were made, and no others.
#[must_use]
pub fn ground<'a>(programs: impl IntoIterator<Item = &'a Program>) -> Ground<'a> {
    Ground::new(
        programs
            .into_iter()
            .map(|program| member(Cow::Borrowed(program))),
    )
}

/// A table for a [`Ground`], by its family and its name.
#[must_use]
pub fn member(program: Cow<'_, Program>) -> Member<'_> {
    let label = format!("{} {}", program.table.family, program.table.name);
    Member::new(label, owner::of_program(&program), Table::of(program))
}
