//! Explains what becomes of one packet, and why: by the rules that are installed, or by those that
//! definitions would install.

mod conclusion;
mod dnat;
mod error;
mod explanation;
mod host_address;
mod live;
mod question;
mod reasons;
mod reply;
mod resolve;
mod surroundings;

use palisade::{Choice, RenderError, backends};
use palisade_core::network::{Network, conflicts};

pub use conclusion::Conclusion;
pub use dnat::Dnat;
use dnat::Scenery;
pub use error::ExplainError;
pub use explanation::{Explanation, Ours, Refusal, TableVerdict};
pub(crate) use live::Live;
pub use question::{Endpoint, EndpointError, Question, Who};
pub use reply::Reply;
pub use resolve::ResolveError;

/// What would become of a packet if these networks ran, started in this order, where nothing else
/// stands. No kernel is asked.
///
/// # Errors
/// If the networks cannot run side by side, or there is no such packet.
pub fn explain(
    networks: &[Network],
    choice: &Choice,
    question: &Question,
) -> Result<Explanation, ExplainError> {
    let conflicts = conflicts(networks);
    if !conflicts.is_empty() {
        return Err(RenderError::Conflicts(conflicts).into());
    }
    let resolved = resolve::resolve(question, networks, None)?;
    let ground = backends::planned(networks, choice, resolved.packet.family());
    let scenery = Scenery {
        ground: &ground,
        networks,
        routing: None,
    };
    Ok(Explanation::of(scenery, resolved)?)
}
