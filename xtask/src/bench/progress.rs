//! What is going on, for whoever waits.

use std::io::{IsTerminal, Write, stderr};

use super::contestant::Label;

/// How one cell of the table comes along.
#[derive(Debug)]
pub(super) struct Progress {
    cell: String,
    way: Way,
}

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// On one line of a terminal, always written anew.
    Line,
    /// A line for each cell, for files.
    Once,
    #[cfg(test)]
    Silent,
}

impl Progress {
    pub(super) fn new(cell: String) -> Self {
        let way = if stderr().is_terminal() {
            Way::Line
        } else {
            Way::Once
        };
        let progress = Self { cell, way };
        if way == Way::Once {
            eprintln!("measuring {}", progress.cell);
        }
        progress
    }

    #[cfg(test)]
    pub(super) fn silent() -> Self {
        Self {
            cell: String::new(),
            way: Way::Silent,
        }
    }

    /// Who runs now.
    pub(super) fn tell(&self, round: usize, label: Label) {
        if self.way == Way::Line {
            let cell = &self.cell;
            eprint!("\r\x1b[Kmeasuring {cell}: round {round}, {label}");
            // Nothing depends on it.
            let _ = stderr().flush();
        }
    }

    /// Makes room for the result.
    pub(super) fn end(&self) {
        if self.way == Way::Line {
            eprint!("\r\x1b[K");
        }
    }
}
