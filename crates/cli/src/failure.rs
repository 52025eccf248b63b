//! Errors, as people and programs see them: what, where, why, and the way out.

use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use palisade::definition::DefinitionError;
use palisade::{ErrorKind, Hint};
use serde_json::{Value, json};

use crate::messages;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Definitions that cannot be used.
    Definitions(Vec<DefinitionError>),
    /// Something else.
    Other {
        /// What programs decide by.
        kind: ErrorKind,
        /// What, where and why.
        message: String,
        /// The way out.
        hint: String,
    },
}

impl Failure {
    pub(crate) fn new(
        kind: ErrorKind,
        message: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> Self {
        Self::Other {
            kind,
            message: message.to_string(),
            hint: hint.into(),
        }
    }

    /// What happened, for the log.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Definitions(errors) => errors.iter().map(DefinitionError::report).collect(),
            Self::Other { message, .. } => message.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Definitions(errors) => {
                let mut all = errors.iter().map(|error| json!(error));
                let mut first = all.next().unwrap_or_default();
                let others: Vec<Value> = all.collect();
                if !others.is_empty() {
                    first["others"] = Value::Array(others);
                }
                json!({ "error": first })
            }
            Self::Other {
                kind,
                message,
                hint,
            } => json!({
                "error": { "kind": kind, "message": message, "hint": hint }
            }),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Definitions(errors) => {
                let reports: Vec<String> = errors
                    .iter()
                    .map(|error| format!("{ERROR}error:{ERROR:#} {}", styled(&error.report())))
                    .collect();
                reports.join("\n")
            }
            Self::Other { message, hint, .. } if hint.is_empty() => {
                format!("{ERROR}error:{ERROR:#} {message}")
            }
            Self::Other { message, hint, .. } => {
                format!("{ERROR}error:{ERROR:#} {message}\n{HINT}hint:{HINT:#} {hint}")
            }
        }
    }
}

/// The hint of a report in its colour.
fn styled(report: &str) -> String {
    match report.rsplit_once("\nhint: ") {
        Some((what, hint)) => format!("{what}\n{HINT}hint:{HINT:#} {hint}"),
        None => report.to_owned(),
    }
}

/// Tells on standard error why a command failed.
pub(crate) fn print(failure: &Failure, as_json: bool) -> ExitCode {
    let text = if as_json {
        let mut json = failure.json();
        let messages = messages::kept();
        if !messages.is_empty() {
            json["messages"] = Value::Array(messages);
        }
        json.to_string()
    } else {
        failure.text()
    };
    // There is nobody left to tell if this fails.
    let _ = writeln!(anstream::stderr(), "{text}");
    match failure {
        Failure::Other {
            kind: ErrorKind::Usage,
            ..
        } => ExitCode::from(2),
        Failure::Definitions(_) | Failure::Other { .. } => ExitCode::FAILURE,
    }
}

impl<E: Hint> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.kind(), &error, error.hint())
    }
}
