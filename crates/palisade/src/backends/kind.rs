//! What the facade needs of a backend.

use std::path::Path;

use palisade_core::backend::{BackendId, Placement};
use palisade_core::evaluate::Member;
use palisade_core::network::{Family, Network};

use crate::choice::{BackendChoice, Choice};

/// What the facade needs of a backend beside the trait of the engine: choices to placements and back.
pub(crate) trait BackendKind: Sync {
    /// The backend.
    fn id(&self) -> BackendId;

    /// The choice of this backend.
    fn choice(&self) -> BackendChoice;

    /// The placement that a choice means here, with the defaults where nothing was chosen.
    fn placement(&self, choice: &Choice) -> Placement;

    /// The choice, beside that of the backend, that means one of its placements; none if the
    /// placement is not valid.
    fn recorded(&self, placement: &Placement) -> Option<Choice>;

    /// Whether something was chosen that means this backend and no other.
    fn is_meant_by(&self, choice: &Choice) -> bool;

    /// The networks as text of the backend's usual program, of one family or both.
    fn render(&self, networks: &[Network], choice: &Choice, family: Option<Family>) -> String;

    /// The tables that networks should have at placements of this backend, in a family of packets.
    fn expected(&self, placed: &[(&Network, &Placement)], family: Family) -> Vec<Member<'static>> {
        let _ = (placed, family);
        Vec::new()
    }

    /// The choice that is tried first where no backend is chosen, if that it worked for one network
    /// says that it works for others.
    fn first(&self, asked: &Choice) -> Option<Works> {
        let _ = asked;
        None
    }

    /// The first choice that works in a network namespace, beside what was `asked` for.
    ///
    /// # Errors
    /// Everything that was tried, and why it does not work.
    fn probe(&self, namespace: Option<&Path>, asked: &Choice) -> Result<Works, Vec<String>> {
        let _ = (namespace, asked);
        Err(vec![format!("`{}` is no backend to try", self.choice())])
    }

    /// Whether packets come to this backend's chains from this chain of the kernel, which other
    /// programs use too.
    fn is_parent_chain(&self, table: &str, chain: &str) -> bool {
        let _ = (table, chain);
        false
    }

    /// The placement with everything settled that may mean something else later.
    fn settled(&self, namespace: Option<&Path>, placement: Placement) -> Placement {
        let _ = namespace;
        placement
    }
}

/// A choice that works, or would.
pub(crate) struct Works {
    pub(crate) choice: Choice,
    /// In words.
    pub(crate) what: String,
    /// Choices that were tried before it, and why they do not work.
    pub(crate) tried: Vec<String>,
}
