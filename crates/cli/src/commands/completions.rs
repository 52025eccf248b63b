//! `completions`: for shells, what can be said to palisade.

use clap::CommandFactory;
use clap_complete::{Shell as Known, generate};
use serde_json::json;

use crate::arguments::{Arguments, Shell};
use crate::output::Outcome;

pub(super) fn completions(shell: Shell) -> Outcome {
    let shell = match shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "palisade", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "text": text });
    Outcome::new(text, &json)
}
