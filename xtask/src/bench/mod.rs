//! How long we take, beside others that do the same.
//!
//! What a machine does in a millisecond says little about another one, and little about itself an
//! hour later. So nothing is measured alone: in each case all contestants run in turn, A B C A B C,
//! and what counts is how their medians compare. One contestant is the floor: the bytes that we
//! would send, made before, sent again. Another is `nft -f`, which others would use.
//!
//! Each run has a network namespace of its own, or the same one to return to; state and definitions
//! are on a tmpfs, so that no disk is measured.

mod amount;
mod apply;
mod arguments;
mod case;
mod chart;
mod contestant;
mod encode;
mod ground;
mod machine;
mod measure;
mod memory;
mod namespace;
mod networks;
mod no_change;
mod one;
mod packets;
mod progress;
mod read_back;
mod record;
mod release;
mod report;
mod rustables;
mod scratch;
mod session;
mod site;
mod start;
mod target;
mod text;

use std::path::Path;
use std::process::ExitCode;

use crate::program::is_root;
use arguments::{Arguments, Asked, Bench};
use machine::Machine;
use report::Report;
use session::Session;

pub(crate) fn main(words: &[&str]) -> ExitCode {
    if let Some(code) = memory::held() {
        return code;
    }
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
    let mut session = Session {
        command,
        arguments,
        report: Report::new(machine),
    };
    for bench in arguments.benches() {
        match bench {
            Bench::Encode => encode::measure(&mut session),
            Bench::Apply => apply::measure(&mut session),
            Bench::AddOne => one::measure_add(&mut session),
            Bench::RemoveOne => one::measure_remove(&mut session),
            Bench::NoChange => no_change::measure(&mut session),
            Bench::ReadBack => read_back::measure(&mut session),
            Bench::Packets => packets::measure(&mut session),
            Bench::Start => start::measure(&mut session),
            Bench::Memory => memory::measure(&mut session),
        }
        .map_err(|reason| format!("{bench}: {reason}"))?;
    }
    let report = session.report;
    println!("\n{}", report::LEGEND);
    print!("{}", target::table(&report.cells));
    if let Some(path) = &arguments.json {
        let targets = target::json(&report.cells);
        write(path, &format!("{:#}\n", report.json(&targets)))?;
    }
    if let Some(folder) = &arguments.curves {
        for (name, picture) in chart::all(&report.cells) {
            write(&folder.join(name), &picture)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
