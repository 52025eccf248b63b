//! Wrong usage, in two lines where clap takes six: what, and how it would be right.

use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::arguments::Arguments;
use crate::failure::{self, Failure};

/// Tells on standard error how a command line is wrong.
pub(crate) fn print(error: &clap::Error) -> ExitCode {
    let wrong = Failure::new(palisade::ErrorKind::Usage, what(error), way_out(error));
    failure::print(&wrong, asks_for_json())
}

fn what(error: &clap::Error) -> String {
    let said = |kind| error.get(kind).map(text);
    let arguments = || said(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidValue => match said(ContextKind::InvalidValue).unwrap_or_default() {
            none if none.is_empty() => format!("{} needs a value", arguments()),
            value => format!("{}: `{value}` is not one of its values", arguments()),
        },
        ErrorKind::ValueValidation => {
            let value = said(ContextKind::InvalidValue).unwrap_or_default();
            let why = std::error::Error::source(error);
            match why.map(ToString::to_string).unwrap_or_default() {
                why if why.starts_with('`') || why.contains(&value) => {
                    format!("{}: {why}", arguments())
                }
                why => format!("{}: `{value}`: {why}", arguments()),
            }
        }
        ErrorKind::UnknownArgument => format!("unexpected argument `{}`", arguments()),
        ErrorKind::InvalidSubcommand => {
            let name = said(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no command `{name}`")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command is named".to_owned()
        }
        ErrorKind::MissingRequiredArgument => format!("missing: {}", arguments()),
        ErrorKind::ArgumentConflict if !arguments().is_empty() => {
            match said(ContextKind::PriorArg).unwrap_or_default() {
                prior if prior == arguments() => format!("{prior} is given twice"),
                prior => format!("{} and {prior} exclude one another", arguments()),
            }
        }
        _ => plain(error),
    }
}

/// What clap says, up to its advice.
fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    text.strip_prefix("error: ").unwrap_or(text).to_owned()
}

fn way_out(error: &clap::Error) -> String {
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        return format!("write {}", either(values));
    }
    let suggested = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let suggested = suggested.into_iter().find_map(|kind| error.get(kind));
    if let Some(suggested) = suggested {
        return format!("did you mean `{}`?", text(suggested));
    }
    if let Some(usage) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.split_whitespace().collect::<Vec<_>>().join(" ");
        let usage = without_global(usage.strip_prefix("Usage: ").unwrap_or(&usage));
        if !usage.contains("<COMMAND>") {
            return format!("usage: {usage}");
        }
    }
    match command() {
        Some(command) => format!("`palisade {command} --help` tells more"),
        None => "`palisade --help` names all commands and options".to_owned(),
    }
}

/// Options that hold everywhere, and may come from the environment, are not what is wrong.
fn without_global(usage: &str) -> String {
    let mut all = Arguments::command();
    all.build();
    let global = all
        .get_arguments()
        .filter(|argument| argument.is_global_set());
    global.fold(usage.to_owned(), |usage, argument| {
        usage.replace(&format!(" {argument}"), "")
    })
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(all) => all.join(", "),
        other => other.to_string(),
    }
}

fn either(values: &[String]) -> String {
    match values {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        values => values.join(", "),
    }
}

/// The command that the command line names.
fn command() -> Option<String> {
    let all = Arguments::command();
    std::env::args().skip(1).find(|word| {
        let mut commands = all.get_subcommands();
        commands.any(|command| command.get_name() == word)
    })
}

/// Whether the command line, wrong as it is, asks for JSON.
fn asks_for_json() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let apart = arguments
        .windows(2)
        .any(|pair| pair == ["--format", "json"]);
    apart || arguments.iter().any(|argument| argument == "--format=json")
}
