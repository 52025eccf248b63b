//! The backends of this build, and what the facade knows of each: one file and one row for each.

mod iptables;
mod nftables;
mod none;
mod unprinted;

use std::path::Path;

use palisade_core::backend::{Backend, BackendId, Placement};
use palisade_core::evaluate::{Ground, Member};
use palisade_core::network::{Family, Network};
use palisade_iptables::Iptables;
use palisade_netlink::Transport;
use palisade_nft::backend::Nftables;

use crate::options::{BackendChoice, Choice};

/// All of them.
static ALL: [&dyn BackendKind; 3] = [DEFAULT, &iptables::Kind, &none::Kind];
/// The one that is meant where none is chosen.
const DEFAULT: &dyn BackendKind = &nftables::Kind;

/// A backend that can be chosen: from choices to placements and back.
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

    /// The networks as text of the backend's usual program, family after family.
    fn render(&self, networks: &[Network], choice: &Choice, families: &[Family]) -> String;

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

/// The backends of a network namespace, which `transport` leads to.
pub(crate) fn open(
    transport: Box<dyn Transport>,
    namespace: Option<&Path>,
) -> Vec<Box<dyn Backend>> {
    vec![
        Box::new(Nftables::new(transport)),
        Box::new(iptables::open(namespace)),
        Box::new(none::NoRules),
    ]
}

/// The backend that is chosen; none if that is left to palisade.
pub(crate) fn chosen(choice: BackendChoice) -> Option<&'static dyn BackendKind> {
    ALL.into_iter().find(|kind| kind.choice() == choice)
}

/// The backend that is chosen, or the default.
pub(crate) fn chosen_or_default(choice: &Choice) -> &'static dyn BackendKind {
    choice.backend.and_then(chosen).unwrap_or(DEFAULT)
}

/// The backend of a placement.
pub(crate) fn of(placement: &Placement) -> Option<&'static dyn BackendKind> {
    ALL.into_iter().find(|kind| kind.id() == placement.backend)
}

/// Whether something was chosen that means another backend than the one of this placement.
pub(crate) fn is_ignored(choice: &Choice, placement: &Placement) -> bool {
    let is_other = |kind: &&dyn BackendKind| kind.id() != placement.backend;
    let mut others = ALL.into_iter().filter(is_other);
    others.any(|kind| kind.is_meant_by(choice))
}

/// The rules that networks should have at their placements, as packets of a family meet them.
#[must_use]
pub fn expected(placed: &[(&Network, &Placement)], family: Family) -> Ground<'static> {
    let of_kind = |kind: &dyn BackendKind| {
        let its = placed.iter().filter(|(_, at)| at.backend == kind.id());
        let its: Vec<(&Network, &Placement)> = its.copied().collect();
        kind.expected(&its, family)
    };
    Ground::new(ALL.into_iter().flat_map(of_kind))
}

/// The rules that networks would have by this choice where none runs yet, as packets of a family meet
/// them.
#[must_use]
pub fn planned(networks: &[Network], choice: &Choice, family: Family) -> Ground<'static> {
    let placement = chosen_or_default(choice).placement(choice);
    let networks = choice.applied_to(networks);
    let placed: Vec<(&Network, &Placement)> = networks.iter().map(|n| (n, &placement)).collect();
    expected(&placed, family)
}

/// The iptables backend of a network namespace; none for the caller's.
#[must_use]
pub fn iptables(namespace: Option<&Path>) -> Iptables {
    iptables::open(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_are_found_by_their_backend() {
        let choice = Choice {
            iptables: Some("legacy".parse().unwrap()),
            layout: Some("flat".parse().unwrap()),
            established: Some("first".parse().unwrap()),
            ..Choice::default()
        };
        for kind in ALL {
            let placement = kind.placement(&choice);
            let found = of(&placement).unwrap();
            assert_eq!(found.choice(), kind.choice());
            let recorded = kind.recorded(&placement).unwrap();
            assert_eq!(kind.placement(&recorded), placement);
        }
    }
}
