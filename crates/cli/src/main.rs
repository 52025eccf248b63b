//! The command `palisade`: arguments in, library calls, text or JSON out.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod notify;
mod output;

use std::process::ExitCode;

use arguments::Arguments;
use output::Format;

fn main() -> ExitCode {
    let arguments = match Arguments::of_this_process() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return failure::print_usage(&error),
        Err(help) => help.exit(),
    };
    output::set_up(&arguments.global);
    if let Err(error) = arguments.check() {
        return failure::print_usage(&error);
    }
    let format = arguments.global.format;
    match commands::run(&arguments) {
        Ok(outcome) => output::print(&outcome, format),
        Err(failure) => failure::print(&failure, matches!(format, Format::Json)),
    }
}
