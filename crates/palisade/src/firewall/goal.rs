//! From networks to a goal: where each of them is chosen to be.

use std::sync::Arc;

use palisade_core::backend::Placement;
use palisade_core::engine::{Desired, EngineError, Goal};
use palisade_core::network::Network;
use palisade_core::state::Running;

use super::Firewall;
use crate::choice::Choice;
use crate::{backends, usual};

/// Where a network goes, and why.
type Settled = (Arc<Placement>, Arc<str>);

impl Firewall {
    /// The goal of running these networks, each where it is chosen to be.
    pub(super) fn goal<'n, G: Fn(Vec<Desired>) -> Goal>(
        &self,
        networks: &'n [Network],
        goal: G,
    ) -> impl Fn(&Running<'_>) -> Result<Goal, EngineError> + use<'n, G> {
        let owner = self.owner.clone();
        let (choice, configured) = (self.choice.clone(), self.configured.clone());
        let namespace = self.namespace.clone();
        let found = self.usual.clone();
        move |running: &Running<'_>| {
            // What to do with new networks for which nobody chose a backend. It is tried out once.
            let is_chosen = choice.is_of_backend() || configured.is_of_backend();
            let mut networks_of_none = networks
                .iter()
                .filter(|network| !is_chosen && running.placement(network.name()).is_none());
            let usual = match (networks_of_none.next(), found.get()) {
                (None, _) => None,
                (Some(_), Some(usual)) => Some(usual),
                (Some(_), None) => {
                    let asked = choice.or(&configured);
                    let usual = usual::usual(namespace.as_deref(), &asked, running.any().as_ref())?;
                    Some(found.get_or_init(|| usual))
                }
            };
            let mut ignored = false;
            let mut settle = |running: Option<&Placement>| {
                let usual_choice = || usual.map_or_else(Choice::default, |u| u.choice.clone());
                let placement = choice.placement(running, &configured, usual_choice);
                let placement = usual::settled(namespace.as_deref(), placement);
                ignored |= backends::is_ignored(&choice, &placement);
                let why = match usual {
                    _ if choice.is_of_backend() => "chosen explicitly",
                    _ if configured.is_of_backend() => "configured",
                    Some(usual) => usual.why.as_str(),
                    None => "",
                };
                (Arc::new(placement), Arc::from(why))
            };
            // Most networks are at one place and go to one place: it is settled once.
            let mut settled: Vec<(Option<&Placement>, Settled)> = Vec::new();
            let of_running = running;
            let mut desire = |network: &Network| {
                let running = running.placement(network.name());
                let is_known = |(of, _): &&(Option<&Placement>, Settled)| match (of, running) {
                    (Some(of), Some(running)) => std::ptr::eq(*of, running),
                    (of, running) => of.is_none() && running.is_none(),
                };
                let (placement, why) = match settled.iter().find(is_known) {
                    Some((_, known)) => known.clone(),
                    None => {
                        let new = settle(running);
                        settled.push((running, new.clone()));
                        new
                    }
                };
                let desired = Desired::new(network, &owner, placement, why);
                let network = of_running.with_blocked(desired.network)?;
                Ok::<_, EngineError>(Desired { network, ..desired })
            };
            let desired = networks.iter().map(&mut desire).collect::<Result<_, _>>()?;
            if ignored {
                log::warn!(
                    "a layout or a table is for nftables, programs are for iptables: what was \
                     chosen for the other one says nothing here"
                );
            }
            Ok(goal(desired))
        }
    }
}
