//! From networks to a goal: where each of them is chosen to be.

use std::collections::{HashMap, HashSet};

use palisade_core::backend::Placement;
use palisade_core::engine::{EngineError, Goal, Wish};
use palisade_core::network::{Name, Network};
use palisade_core::state::Record;

use super::Firewall;
use crate::options::Choice;
use crate::usual::{self, Usual};
use crate::{no_rules, rights};

impl Firewall {
    /// The goal of running these networks, each where it is chosen to be.
    ///
    /// # Errors
    /// If nobody chose for a new network, and no backend works here.
    pub(super) fn goal<'n>(
        &self,
        networks: &'n [Network],
        goal: fn(Vec<Wish>) -> Goal,
    ) -> Result<impl FnOnce(&[Record]) -> Goal + use<'n>, EngineError> {
        let (choice, configured) = (self.choice.clone(), self.configured.clone());
        if rights::are_missing(self.namespace.as_deref()) && self.wants_rules(networks)? {
            return Err(EngineError::NotAllowed);
        }
        let usual = self.usual_for(networks)?;
        let namespace = self.namespace.clone();
        Ok(move |records: &[Record]| {
            let running: HashMap<&Name, &Record> = records
                .iter()
                .map(|record| (record.network.name(), record))
                .collect();
            let mut ignored = false;
            // Most networks go to one place: what `auto` means there is found out once.
            let mut settled: HashMap<Placement, Placement> = HashMap::new();
            let mut wish = |network: &Network| {
                let running = running.get(network.name()).copied();
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
            goal(wishes)
        })
    }

    /// Whether any of these networks goes to a backend that installs rules.
    fn wants_rules(&self, networks: &[Network]) -> Result<bool, EngineError> {
        let records = self.state.records(None)?;
        let running: HashMap<&Name, &Placement> = records
            .iter()
            .map(|record| (record.network.name(), &record.placement))
            .collect();
        let mut placements = networks.iter().map(|network| {
            let running = running.get(network.name()).copied();
            self.choice
                .placement(running, &self.configured, Choice::default)
        });
        Ok(placements.any(|placement| placement.backend != no_rules::NAME))
    }

    /// What to do with new networks for which nobody chose a backend; none if there are none.
    fn usual_for(&self, networks: &[Network]) -> Result<Option<Usual>, EngineError> {
        let asked = self.choice.or(&self.configured);
        if self.choice.is_of_backend() || self.configured.is_of_backend() {
            return Ok(None);
        }
        let records = self.state.records(None)?;
        let running: HashSet<&Name> = records.iter().map(|r| r.network.name()).collect();
        if networks
            .iter()
            .all(|network| running.contains(network.name()))
        {
            return Ok(None);
        }
        usual::usual(self.namespace.as_deref(), &asked).map(Some)
    }
}
