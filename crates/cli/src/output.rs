//! Where results go, and how.

use std::io::{self, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, TableStyle};
use log::LevelFilter;
use palisade::words::in_words;
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::arguments::{Color, Global, OutputFormat};
use crate::failure::{self, Failure};
use crate::interrupt::INTERRUPTED;
use crate::messages;
use palisade::ErrorKind;

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For people. Styled: escapes are taken out where there is no colour.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: serde_json::Value,
    /// For scripts: 0, 3 where something was found, 130 if interrupted.
    code: u8,
}

impl Outcome {
    pub(crate) fn new(text: String, json: &impl Serialize) -> Self {
        // Our types have text keys and finite numbers: there is nothing that JSON cannot say.
        let json = serde_json::to_value(json).unwrap_or_default();
        Self {
            text,
            json,
            code: 0,
        }
    }

    /// Everything was said already, as it came.
    pub(crate) fn silent() -> Self {
        Self::new(String::new(), &())
    }

    /// An interrupted command adds nothing to what it printed.
    pub(crate) fn interrupted() -> Self {
        Self::silent().with_code(INTERRUPTED)
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Colour and log level, for the whole process.
pub(crate) fn set_up(global: &Global) {
    let choice = match global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    messages::listen(level, global.format);
}

/// Whether somebody still reads what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// As far as is known.
    There,
    /// A reader that went away has heard enough.
    Gone,
}

/// Prints what a command has to say, which ends with it.
pub(crate) fn print(outcome: &Outcome, format: OutputFormat) -> ExitCode {
    match write(outcome, format, |json| format!("{json:#}\n")) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = Failure::new(
                ErrorKind::System,
                format!("cannot write the result: {}", in_words(&error)),
                "see to the place that standard output goes to",
            );
            failure::print(&failure, format == OutputFormat::Json)
        }
        _ => {
            messages::flush();
            ExitCode::from(outcome.code)
        }
    }
}

/// Shows what a command has to say so far. In JSON, each time is a line.
pub(crate) fn show(outcome: &Outcome, format: OutputFormat) -> Reader {
    messages::flush();
    match write(outcome, format, |json| format!("{json}\n")) {
        Err(error) => {
            log::debug!("nobody reads: {error}");
            Reader::Gone
        }
        Ok(()) => Reader::There,
    }
}

fn write(
    outcome: &Outcome,
    format: OutputFormat,
    json: impl Fn(&serde_json::Value) -> String,
) -> io::Result<()> {
    match format {
        OutputFormat::Text => {
            let mut output = anstream::stdout();
            output.write_all(outcome.text.as_bytes())?;
            output.flush()
        }
        // A command that said all before has nothing to add.
        OutputFormat::Json if outcome.json.is_null() => Ok(()),
        OutputFormat::Json => io::stdout().write_all(json(&outcome.json).as_bytes()),
        OutputFormat::Prometheus
        | OutputFormat::Dot
        | OutputFormat::Mermaid
        | OutputFormat::Svg => io::stdout().write_all(outcome.text.as_bytes()),
    }
}

/// A table that fits the terminal; where there is none, one line for each row.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    // The terminal that is written to, which need not be the one that the process belongs to.
    if let Some((Width(width), _)) = terminal_size_of(io::stdout()) {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    filled(table, head, rows)
}

/// A table with one line for each row, as wide as it gets.
pub(crate) fn wide_table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    filled(Table::new(), head, rows)
}

fn filled(mut table: Table, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table
        .load_style(TableStyle::new())
        .set_header(head.iter().copied());
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

/// A text in lines that fit the terminal, each but the first behind so many spaces; where there is
/// no terminal, in one line.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    match terminal_size_of(io::stdout()) {
        Some((Width(width), _)) => wrapped_to(text, indent, usize::from(width)),
        None => text.to_owned(),
    }
}

fn wrapped_to(text: &str, indent: usize, width: usize) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut column = indent;
    for word in text.split(' ') {
        let len = word.chars().count();
        if lines.is_empty() {
            column = indent + len;
        } else if column + 1 + len > width {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent + len;
        } else {
            lines.push(' ');
            column += 1 + len;
        }
        lines.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_where_words_do() {
        assert_eq!(wrapped_to("one two three", 2, 9), "one two\n  three");
        assert_eq!(wrapped_to("one two", 0, 7), "one two");
        assert_eq!(wrapped_to("seventeen", 4, 5), "seventeen");
        assert_eq!(wrapped_to("", 4, 5), "");
    }
}
