//! The backends of this build: a file and a row for each.

#[cfg(feature = "iptables")]
mod iptables;
mod kind;
mod nftables;
mod none;
#[cfg(feature = "iptables")]
mod unprinted;

use std::path::Path;

use palisade_core::backend::{Backend, Placement};
use palisade_core::evaluate::Ground;
use palisade_core::network::{Family, Network};
#[cfg(feature = "iptables")]
use palisade_iptables::Iptables;
use palisade_netlink::Transport;
use palisade_nft::backend::Nftables;

use crate::choice::{BackendChoice, Choice};

pub(crate) use kind::BackendKind;

/// All of them.
static ALL: &[&dyn BackendKind] = &[
    DEFAULT,
    #[cfg(feature = "iptables")]
    &iptables::Kind,
    &none::Kind,
];
/// The one that is meant where none is chosen.
const DEFAULT: &dyn BackendKind = &nftables::Kind;

/// The backends of a network namespace, which `transport` leads to.
pub(crate) fn open(
    transport: Box<dyn Transport>,
    #[cfg_attr(not(feature = "iptables"), expect(unused_variables))] namespace: Option<&Path>,
) -> Vec<Box<dyn Backend>> {
    vec![
        Box::new(Nftables::new(transport)),
        #[cfg(feature = "iptables")]
        Box::new(iptables::open(namespace)),
        Box::new(none::NoRules),
    ]
}

/// The backend that is chosen; none if that is left to palisade.
pub(crate) fn chosen(choice: BackendChoice) -> Option<&'static dyn BackendKind> {
    ALL.iter().copied().find(|kind| kind.choice() == choice)
}

/// The backend that is chosen, or the default.
pub(crate) fn chosen_or_default(choice: &Choice) -> &'static dyn BackendKind {
    choice.backend.and_then(chosen).unwrap_or(DEFAULT)
}

/// The backend of a placement.
pub(crate) fn of(placement: &Placement) -> Option<&'static dyn BackendKind> {
    ALL.iter()
        .copied()
        .find(|kind| kind.id() == placement.backend)
}

/// Whether something was chosen that means another backend than the one of this placement.
pub(crate) fn is_ignored(choice: &Choice, placement: &Placement) -> bool {
    let is_other = |kind: &&dyn BackendKind| kind.id() != placement.backend;
    let mut others = ALL.iter().copied().filter(is_other);
    others.any(|kind| kind.is_meant_by(choice))
}

/// Whether packets come to a backend's chains from this chain of the kernel.
pub(crate) fn is_parent_chain(table: &str, chain: &str) -> bool {
    ALL.iter().any(|kind| kind.is_parent_chain(table, chain))
}

/// The rules that networks should have at their placements, as packets of a family meet them.
#[must_use]
pub fn expected(placed: &[(&Network, &Placement)], family: Family) -> Ground<'static> {
    let of_kind = |kind: &dyn BackendKind| {
        let its = placed.iter().filter(|(_, at)| at.backend == kind.id());
        let its: Vec<(&Network, &Placement)> = its.copied().collect();
        kind.expected(&its, family)
    };
    Ground::new(ALL.iter().copied().flat_map(of_kind))
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
#[cfg(feature = "iptables")]
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
            #[cfg(feature = "iptables")]
            iptables: Some("legacy".parse().unwrap()),
            layout: Some("flat".parse().unwrap()),
            established: Some("first".parse().unwrap()),
            ..Choice::default()
        };
        for &kind in ALL {
            let placement = kind.placement(&choice);
            let found = of(&placement).unwrap();
            assert_eq!(found.choice(), kind.choice());
            let recorded = kind.recorded(&placement).unwrap();
            assert_eq!(kind.placement(&recorded), placement);
        }
    }
}
