//! From networks to a goal: where each of them is chosen to be.

use std::collections::HashMap;

use palisade_core::backend::Placement;
use palisade_core::engine::{EngineError, Goal, Wish};
use palisade_core::network::Network;
use palisade_core::state::Running;

use super::Firewall;
use crate::options::Choice;
use crate::usual;

impl Firewall {
    /// The goal of running these networks, each where it is chosen to be.
    pub(super) fn goal<'n>(
        &self,
        networks: &'n [Network],
        goal: fn(Vec<Wish>) -> Goal,
    ) -> impl Fn(&Running<'_>) -> Result<Goal, EngineError> + use<'n> {
        let (choice, configured) = (self.choice.clone(), self.configured.clone());
        let namespace = self.namespace.clone();
        let found = self.usual.clone();
        move |running: &Running<'_>| {
            // What to do with new networks for which nobody chose a backend. It is tried out once.
            let is_chosen = choice.is_of_backend() || configured.is_of_backend();
            let mut networks_of_none = networks
                .iter()
                .filter(|network| !is_chosen && running.get(network.name()).is_none());
            let usual = match (networks_of_none.next(), found.get()) {
                (None, _) => None,
                (Some(_), Some(usual)) => Some(usual),
                (Some(_), None) => {
                    let usual = usual::usual(namespace.as_deref(), &choice.or(&configured))?;
                    Some(found.get_or_init(|| usual))
                }
            };
            let mut ignored = false;
            // Most networks go to one place: what `auto` means there is found out once.
            let mut settled: HashMap<Placement, Placement> = HashMap::new();
            let mut wish = |network: &Network| {
                let running = running.get(network.name());
                let placement =
                    choice.placement(running.map(|record| &record.placement), &configured, || {
                        usual
                            .as_ref()
                            .map_or_else(Choice::default, |usual| usual.choice.clone())
                    });
                let settle = || usual::settled(namespace.as_ref(), placement.clone());
                let placement = settled
                    .entry(placement.clone())
                    .or_insert_with(settle)
                    .clone();
                ignored |= choice.is_ignored_by(&placement);
                let why = match (running, &usual) {
                    (Some(record), _) if record.placement == placement => record.why.clone(),
                    _ if choice.is_of_backend() => "chosen explicitly".to_owned(),
                    _ if configured.is_of_backend() => "configured".to_owned(),
                    (_, Some(usual)) => usual.why.clone(),
                    (_, None) => String::new(),
                };
                Wish {
                    network: network.clone(),
                    placement,
                    why,
                }
            };
            let wishes = networks.iter().map(&mut wish).collect();
            if ignored {
                log::warn!(
                    "a layout or a table is for nftables, programs are for iptables: what was \
                     chosen for the other one says nothing here"
                );
            }
            Ok(goal(wishes))
        }
    }
}
