//! Variables of the environment that stand for options.

use std::env;

use clap::Arg;
use clap::builder::Resettable;

/// A value that came from the environment is not blamed on an option that nobody gave.
pub(super) fn blaming_variable(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(blamed)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let argument = command.get_arguments().find(|a| a.to_string() == *blamed);
    let Some(argument) = argument.filter(|argument| !is_given(argument)) else {
        return error;
    };
    let variable = argument
        .get_env()
        .filter(|name| env::var_os(name).is_some());
    if let Some(variable) = variable {
        let variable = format!("{} in the environment", variable.to_string_lossy());
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// An environment variable that is empty counts as unset, as shells' users expect, and so does one
/// whose option is on the command line: clap would read it, and stumble over what nobody asked for.
pub(super) fn without_idle_variable(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(env::var_os);
    match value {
        Some(value) if value.is_empty() || is_given(&argument) => argument.env(Resettable::Reset),
        _ => argument,
    }
}

/// Whether the command line has an option.
fn is_given(argument: &Arg) -> bool {
    let Some(long) = argument.get_long() else {
        return false;
    };
    env::args_os().any(|word| {
        let word = word.to_string_lossy();
        let rest = word
            .strip_prefix("--")
            .and_then(|word| word.strip_prefix(long));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}
