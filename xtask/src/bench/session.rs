//! A run of the bench: what it is made with, and what it found.

use std::path::Path;

use super::arguments::{Arguments, Bench};
use super::case::Case;
use super::contestant::Contestant;
use super::measure::alternate;
use super::progress::Progress;
use super::report::{Cell, Report};
use super::scratch::Scratch;

pub(super) struct Session<'a> {
    /// Our command.
    pub(super) command: &'a Path,
    pub(super) arguments: &'a Arguments,
    pub(super) report: Report,
}

impl Session<'_> {
    /// Lets contestants run in turn; `cells` are all of their bench, which share its time.
    pub(super) fn cell(
        &mut self,
        (bench, part): (Bench, &str),
        cells: usize,
        contestants: &mut [Box<dyn Contestant + '_>],
    ) -> Result<(), String> {
        let title = match part {
            "" => bench.to_string(),
            part => format!("{bench}: {part}"),
        };
        let budget = self.arguments.budget(bench, cells);
        let rows = alternate(contestants, &budget, &Progress::new(title))?;
        let cell = Cell {
            bench,
            part: part.to_owned(),
            rows,
        };
        print!("{cell}");
        self.report.cells.push(cell);
        Ok(())
    }

    /// What `measure` does with a case of so many networks.
    pub(super) fn with_case(
        &mut self,
        size: u16,
        measure: impl FnOnce(&mut Self, &Case<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let scratch = Scratch::new()?;
        let case = Case::new(&scratch, self.command, size)?;
        measure(self, &case)
    }
}
