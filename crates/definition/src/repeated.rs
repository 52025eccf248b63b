//! One network in several files.

use std::collections::HashMap;

use palisade_core::network::Name;
use thiserror::Error;

use super::draft::Drawn;
use super::error::DefinitionError;
use super::place::Placed;
use super::source::{Source, Text};

/// How many other files are named.
const FEW: usize = 3;

/// A network that more than one file defines.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("network `{name}` is defined here and in {}", listed(.others))]
pub struct Repeated {
    /// Its name.
    pub name: Name,
    /// The other files.
    pub others: Vec<Source>,
}

impl Repeated {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "rename one, or give the definition only once"
    }
}

fn listed(files: &[Source]) -> String {
    let named: Vec<String> = files.iter().take(FEW).map(ToString::to_string).collect();
    let named = named.join(", ");
    match files.len().saturating_sub(FEW) {
        0 => named,
        1 => format!("{named} and 1 more"),
        more => format!("{named} and {more} more"),
    }
}

/// Each name that several of these files have, as an error of the first of them. What stands twice
/// in one file is no matter of files.
pub(super) fn repeated(read: &[(Text, Vec<Drawn>)]) -> Vec<DefinitionError> {
    let mut places: HashMap<&Name, Vec<(&Text, &Drawn)>> = HashMap::new();
    let mut names = Vec::new();
    for (text, networks) in read {
        for drawn in networks {
            let name = drawn.network.name();
            let files = places.entry(name).or_insert_with(|| {
                names.push(name);
                Vec::new()
            });
            if !files.iter().any(|(other, _)| other.source == text.source) {
                files.push((text, drawn));
            }
        }
    }
    let error = |name: &Name| match places.get(name).map(Vec::as_slice) {
        Some([(first, drawn), others @ ..]) if !others.is_empty() => {
            let repeated = Repeated {
                name: name.clone(),
                others: others.iter().map(|(text, _)| text.source.clone()).collect(),
            };
            Some(DefinitionError::within(first, repeated.at(drawn.name)))
        }
        _ => None,
    };
    names.into_iter().filter_map(error).collect()
}
