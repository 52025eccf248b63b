//! What would be installed, as text.

use std::borrow::Cow;

use palisade_core::network::{Conflict, Family, Network, conflicts, told};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::backends;
use crate::choice::Choice;

/// Why nothing can be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The networks cannot run side by side.
    #[error("{}", told(.0))]
    Conflicts(Vec<Conflict>),
}

impl Hint for RenderError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Conflicts(conflicts) => conflicts.first().map_or("".into(), Hint::hint),
        }
    }
}

/// What these networks would have installed where nothing of ours runs yet, in the order in which
/// they would be started: text that gives the same ruleset. `nft -f` accepts it; for iptables, `iptables-restore --noflush`
/// and `ip6tables-restore --noflush` accept what is for both families, and one of them what is for one `family`.
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
    Ok(backends::chosen_or_default(choice).render(networks, choice, family))
}
