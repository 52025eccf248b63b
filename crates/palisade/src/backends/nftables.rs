//! The nftables backend, to choose from.

use std::path::Path;

use palisade_core::backend::{BackendId, Placement};
use palisade_core::evaluate::Member;
use palisade_core::network::{Family, Network};
use palisade_netlink::Socket;
use palisade_nft::backend::{ID, Nftables, Settings, expected};
use palisade_nft::layout::Layout;
use palisade_nft::program::Program;

use super::kind::{BackendKind, Works};
use crate::choice::{BackendChoice, Choice};

pub(super) struct Kind;

impl BackendKind for Kind {
    fn id(&self) -> BackendId {
        ID
    }

    fn choice(&self) -> BackendChoice {
        BackendChoice::Nftables
    }

    fn placement(&self, choice: &Choice) -> Placement {
        let established = choice.established.unwrap_or_default();
        Placement::from(&choice.settings()).with_established(established)
    }

    fn recorded(&self, placement: &Placement) -> Option<Choice> {
        let settings = Settings::try_from(placement).ok()?;
        Some(Choice {
            layout: Some(settings.layout),
            table: Some(settings.table),
            established: placement.established().ok(),
            ..Choice::default()
        })
    }

    fn is_meant_by(&self, choice: &Choice) -> bool {
        choice.layout.is_some() || choice.table.is_some()
    }

    fn render(&self, networks: &[Network], choice: &Choice, family: Option<Family>) -> String {
        let settings = choice.settings();
        let layout = settings.layout;
        let placed: Vec<(Layout, &Network)> = networks.iter().map(|n| (layout, n)).collect();
        let families = Family::BOTH.into_iter();
        let programs = families
            .filter(|it| family.is_none_or(|family| family == *it))
            .filter_map(|family| Program::of(&settings.table, family, &placed));
        programs.map(|program| format!("{program:#}")).collect()
    }

    fn expected(&self, placed: &[(&Network, &Placement)], family: Family) -> Vec<Member<'static>> {
        expected(placed, family)
    }

    fn first(&self, asked: &Choice) -> Option<Works> {
        Some(works(asked.layout.unwrap_or_default()))
    }

    fn probe(&self, namespace: Option<&Path>, asked: &Choice) -> Result<Works, Vec<String>> {
        let socket = Socket::open_in(namespace).map_err(|error| vec![error.to_string()])?;
        let mut nftables = Nftables::new(Box::new(socket));
        let layouts = match asked.layout {
            Some(layout) => vec![layout],
            None => Layout::ALL.to_vec(),
        };
        let mut tried = Vec::new();
        for layout in layouts {
            match nftables.probe(layout) {
                Ok(()) => {
                    return Ok(Works {
                        tried,
                        ..works(layout)
                    });
                }
                Err(error) => tried.push(error.to_string()),
            }
        }
        Err(tried)
    }
}

fn works(layout: Layout) -> Works {
    Works {
        choice: Choice {
            backend: Some(BackendChoice::Nftables),
            layout: Some(layout),
            ..Choice::default()
        },
        what: format!("nftables with layout {layout}"),
        tried: Vec::new(),
    }
}
