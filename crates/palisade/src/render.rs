//! What would be installed, as text.

use std::fmt::Write;

use palisade_core::network::{Conflict, Family, Network, conflicts};
use palisade_nft::layout::Layout;
use palisade_nft::program::Program;
use thiserror::Error;

use crate::options::{BackendChoice, Choice};

/// Why nothing can be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The networks cannot run side by side.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Conflicts(Vec<Conflict>),
}

impl RenderError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Conflicts(conflicts) => conflicts.first().map_or("", Conflict::hint),
        }
    }
}

/// What these networks would have installed where nothing of ours runs yet, in the order in which
/// they would be started: text that `nft -f` accepts, and that gives the same ruleset.
///
/// # Errors
/// If the networks cannot run side by side.
pub fn render(networks: &[Network], choice: &Choice) -> Result<String, RenderError> {
    let conflicts = conflicts(networks);
    if !conflicts.is_empty() {
        return Err(RenderError::Conflicts(conflicts));
    }
    let mut text = String::new();
    if choice.backend == Some(BackendChoice::None) {
        return Ok(text);
    }
    let settings = choice.settings();
    let placed: Vec<(Layout, &Network)> = networks
        .iter()
        .map(|network| (settings.layout, network))
        .collect();
    for family in Family::BOTH {
        if let Some(program) = Program::of(&settings.table, family, &placed) {
            let _ = write!(text, "{program:#}"); // Writing to a String does not fail.
        }
    }
    Ok(text)
}
