//! Whether backends and layouts mean the same for given networks: shown for every packet there is,
//! by one of each class of packets that any of their rules tells apart.
//!
//! Each side's rules are laid out from what that side has: from the networks' rules, from the objects
//! of nf_tables, and from tables as `iptables-save` prints them. `docs/equivalence.md` says what is
//! proved by that, and what is not.

mod comparison;
mod sides;

use palisade::RenderError;
use palisade_core::evaluate::Meaning;
use palisade_core::network::{Family, Network, conflicts};

pub use comparison::{CompareError, Comparison, Disagreement, Documented, Side, View};
pub use sides::Sides;

/// Compares what backends and layouts make of these networks, in the order in which they would be
/// started. Touches nothing.
///
/// # Errors
/// If the networks cannot run side by side.
pub fn compare(networks: &[Network]) -> Result<Comparison, CompareError> {
    let conflicts = conflicts(networks);
    if !conflicts.is_empty() {
        return Err(RenderError::Conflicts(conflicts).into());
    }
    let mut comparison = Comparison::default();
    let meaning = Meaning::of(networks);
    for family in Family::BOTH {
        comparison.add(Sides::of(networks, &meaning, family).compare()?);
    }
    Ok(comparison)
}
