//! What would be installed, as text.

use std::fmt::Write;

use palisade_core::network::{Conflict, Family, Network, conflicts, told};
use palisade_nft::layout::Layout;
use palisade_nft::program::Program;
use thiserror::Error;

use crate::options::{BackendChoice, Choice};

/// Why nothing can be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The networks cannot run side by side.
    #[error("{}", told(.0))]
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
/// they would be started: text that `nft -f` accepts (or `iptables-restore --noflush`, for one
/// `family`; for both, each stands under a heading), and that gives the same ruleset.
///
/// # Errors
/// If the networks cannot run side by side.
pub fn render(
    networks: &[Network],
    choice: &Choice,
    family: Option<Family>,
) -> Result<String, RenderError> {
    let conflicts = conflicts(networks);
    if !conflicts.is_empty() {
        return Err(RenderError::Conflicts(conflicts));
    }
    let networks = &choice.applied_to(networks);
    let families = || {
        Family::BOTH
            .into_iter()
            .filter(|&of| family.is_none_or(|one| one == of))
    };
    let mut text = String::new();
    match choice.backend {
        Some(BackendChoice::None) => return Ok(text),
        Some(BackendChoice::Iptables) => {
            for of in families() {
                let rendered = palisade_iptables::backend::render(networks, of);
                if family.is_none() && !rendered.is_empty() {
                    let _ = writeln!(text, "# {of}"); // Writing to a String does not fail.
                }
                text.push_str(&rendered);
            }
            return Ok(text);
        }
        _ => {}
    }
    let settings = choice.settings();
    let placed: Vec<(Layout, &Network)> = networks
        .iter()
        .map(|network| (settings.layout, network))
        .collect();
    for family in families() {
        if let Some(program) = Program::of(&settings.table, family, &placed) {
            let _ = write!(text, "{program:#}"); // Writing to a String does not fail.
        }
    }
    Ok(text)
}
