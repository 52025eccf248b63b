//! The iptables backend, to choose from.

use std::path::Path;

use palisade_core::backend::{BackendId, Placement};
use palisade_core::evaluate::Member;
use palisade_core::network::{Family, Network};
use palisade_iptables::Iptables;
use palisade_iptables::backend::{ID, Settings, expected, render, render_both};
use palisade_iptables::rule::Table;
use palisade_iptables::run::{Processes, Programs};

use super::kind::{BackendKind, Works};
use super::unprinted::Kernel;
use crate::choice::{BackendChoice, Choice};

pub(super) struct Kind;

impl BackendKind for Kind {
    fn id(&self) -> BackendId {
        ID
    }

    fn choice(&self) -> BackendChoice {
        BackendChoice::Iptables
    }

    fn placement(&self, choice: &Choice) -> Placement {
        let programs = choice.iptables.unwrap_or_default();
        let established = choice.established.unwrap_or_default();
        Placement::from(&Settings { programs }).with_established(established)
    }

    fn recorded(&self, placement: &Placement) -> Option<Choice> {
        let settings = Settings::try_from(placement).ok()?;
        Some(Choice {
            iptables: Some(settings.programs),
            established: placement.established().ok(),
            ..Choice::default()
        })
    }

    fn is_meant_by(&self, choice: &Choice) -> bool {
        matches!(choice.iptables, Some(Programs::Of(_)))
    }

    fn render(&self, networks: &[Network], _: &Choice, family: Option<Family>) -> String {
        match family {
            Some(family) => render(networks, family),
            None => render_both(networks),
        }
    }

    fn is_parent_chain(&self, table: &str, chain: &str) -> bool {
        let parents = Table::from_name(table).map(Table::parents);
        parents.is_some_and(|parents| parents.iter().any(|(parent, _)| *parent == chain))
    }

    fn expected(&self, placed: &[(&Network, &Placement)], family: Family) -> Vec<Member<'static>> {
        let networks: Vec<Network> = placed.iter().map(|&(network, _)| network.clone()).collect();
        expected(&networks, family).into_iter().collect()
    }

    fn probe(&self, namespace: Option<&Path>, asked: &Choice) -> Result<Works, Vec<String>> {
        let programs = asked.iptables.unwrap_or_default();
        let without = open(namespace).probe(programs);
        let without = without.map_err(|error| vec![error.to_string()])?;
        without.iter().for_each(|lack| log::info!("{lack}"));
        Ok(Works {
            choice: Choice {
                backend: Some(BackendChoice::Iptables),
                ..Choice::default()
            },
            what: "iptables".to_owned(),
            tried: Vec::new(),
        })
    }

    /// With the programs named that `auto` means now.
    fn settled(&self, namespace: Option<&Path>, placement: Placement) -> Placement {
        let is_open = Settings::try_from(&placement)
            .is_ok_and(|settings| settings.programs == Programs::Auto);
        if !is_open {
            return placement;
        }
        open(namespace).settle(&placement).unwrap_or_else(|error| {
            // Planning reports it too.
            log::debug!("{error}");
            placement
        })
    }
}

/// The backend in a network namespace.
pub(super) fn open(namespace: Option<&Path>) -> Iptables {
    let programs = match namespace {
        Some(path) => Processes::inside(path.to_owned()),
        None => Processes::new(),
    };
    let kernel = Kernel {
        namespace: namespace.map(Path::to_owned),
    };
    Iptables::new(Box::new(programs)).with(Box::new(kernel))
}
