//! The command `palisade`: arguments in, library calls, text or JSON out.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod fitted;
mod interrupt;
mod messages;
mod notify;
mod output;
mod usage;

use std::process::ExitCode;

use arguments::{Asked, OutputFormat};

fn main() -> ExitCode {
    let asked = match Asked::of_this_process() {
        Ok(asked) => asked,
        Err(error) if error.use_stderr() => return usage::print(&error),
        Err(help) => help.exit(),
    };
    output::set_up(asked.global());
    interrupt::hold_back();
    let format = asked.global().format;
    match commands::run(&asked) {
        Ok(outcome) => output::print(&outcome, format),
        Err(failure) => failure::print(&failure, matches!(format, OutputFormat::Json)),
    }
}
