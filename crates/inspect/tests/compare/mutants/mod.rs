//! Mutants: tables that differ in one thing from what networks become. Each must be noticed.

mod expression;
mod program;
mod saved;
mod words;

pub(crate) use program::of_program;
pub(crate) use saved::of_tables;

/// Something changed, in one thing.
#[derive(Debug, Clone)]
pub(crate) struct Mutant<T> {
    /// What was done, and where.
    pub(crate) what: String,
    /// What came of it.
    pub(crate) result: T,
}

impl<T> Mutant<T> {
    fn new(what: impl Into<String>, result: T) -> Self {
        Self {
            what: what.into(),
            result,
        }
    }
}
