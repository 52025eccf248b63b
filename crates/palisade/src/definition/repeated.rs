//! One network in several files.

use std::collections::HashMap;

use palisade_core::Network;
use palisade_core::network::Name;
use thiserror::Error;

use super::error::DefinitionError;
use super::source::Source;

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
pub(super) fn repeated(read: &[(Source, Vec<Network>)]) -> Vec<DefinitionError> {
    let mut places: HashMap<&Name, Vec<&Source>> = HashMap::new();
    let mut names = Vec::new();
    for (source, networks) in read {
        for network in networks {
            let files = places.entry(network.name()).or_insert_with(|| {
                names.push(network.name());
                Vec::new()
            });
            if !files.contains(&source) {
                files.push(source);
            }
        }
    }
    let error = |name: &Name| match places.get(name).map(Vec::as_slice) {
        Some([first, others @ ..]) if !others.is_empty() => Some(DefinitionError::whole(
            first,
            Repeated {
                name: name.clone(),
                others: others.iter().map(|&source| source.clone()).collect(),
            },
        )),
        _ => None,
    };
    names.into_iter().filter_map(error).collect()
}
