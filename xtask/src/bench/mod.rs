//! How long we take, beside others that do the same.
//!
//! What a machine does in a millisecond says little about another one, and little about itself an
//! hour later. So nothing is measured alone: in each case all contestants run in turn, A B C A B C,
//! and what counts is how their medians compare. One contestant is the floor: the bytes that we
//! would send, made before, sent again. Another is `nft -f`, which others would use.
//!
//! Each run has a network namespace of its own, that ends with it; state and definitions are on a
//! tmpfs, so that no disk is measured.

mod apply;
mod arguments;
mod case;
mod contestant;
mod encode;
mod machine;
mod measure;
mod namespace;
mod networks;
mod progress;
mod record;
mod release;
mod report;
mod scratch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::program::is_root;
use arguments::{Arguments, Asked, Bench};
use case::Case;
use machine::Machine;
use measure::alternate;
use progress::Progress;
use report::{Cell, Report};
use scratch::Scratch;

/// How many networks there are in a case.
const SIZES: [usize; 3] = [1, 100, 1_000];

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let arguments = match Arguments::parse(words) {
        Ok(Asked::Run(arguments)) => arguments,
        Ok(Asked::Help) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprint!("bench: {reason}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if !is_root() {
        return Err("needs root, to make network namespaces: sudo cargo xtask bench".to_owned());
    }
    match release::command() {
        Some(command) => measured(arguments, &command),
        None => release::build_and_run(arguments),
    }
}

fn measured(arguments: &Arguments, command: &Path) -> Result<(), String> {
    let machine = Machine::here()?;
    println!("{machine}");
    let mut report = Report::new(machine);
    let benches = arguments.benches();
    let budget = arguments.budget(benches.len() * SIZES.len());
    for size in SIZES {
        let scratch = Scratch::new()?;
        let case = Case::new(&scratch, command, size)?;
        for &bench in &benches {
            let mut contestants = match bench {
                Bench::Encode => encode::contestants(&case),
                Bench::Apply => apply::contestants(&case),
            };
            let progress = Progress::new(format!("{bench}, {}", report::networks(size)));
            let rows = alternate(&mut contestants, &budget, &progress)?;
            let cell = Cell { bench, size, rows };
            print!("{cell}");
            report.cells.push(cell);
        }
    }
    println!("\n{}", report::LEGEND);
    match &arguments.json {
        Some(path) => write(path, &report),
        None => Ok(()),
    }
}

fn write(path: &PathBuf, report: &Report) -> Result<(), String> {
    let text = format!("{:#}\n", report.json());
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
