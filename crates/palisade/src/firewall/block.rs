//! Guests that are cut off, and let in again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use palisade_core::engine::{Desired, EngineError, Goal, Report};
use palisade_core::network::{BlockError, Guest, Name, Network};
use palisade_core::state::Running;

use super::Firewall;
use crate::flows::came;

impl Firewall {
    /// Cuts guests off: what they send is dropped as it comes in, and what they would receive as it
    /// leaves, whoever accepts it elsewhere; their connections end. They stay blocked until they are
    /// [unblocked](Self::unblock), also when their networks are applied again, repaired or moved. Frames
    /// that stay on the bridge do not pass the host's rules: guests of one bridge still reach each other.
    ///
    /// All or nothing. A guest that is blocked already stays so.
    ///
    /// ```no_run
    /// # let mut firewall = palisade::Firewall::open(&palisade::Options::default())?;
    /// let report = firewall.block(&["default/192.168.122.11".parse()?])?;
    /// assert_eq!(report.changes.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a network does not run, has no rules or no subnet with that address, or the kernel refuses:
    /// nothing has changed then.
    pub fn block(&mut self, guests: &[Guest]) -> Result<Report, EngineError> {
        let mut unruled = None;
        let names = guests.iter().map(|guest| &guest.network);
        self.state.recall(names, |record| {
            if !self.has_rules(&record.placement) {
                unruled = Some(record.network.name().clone());
            }
        });
        if let Some(network) = unruled {
            return Err(BlockError::NoRules { network }.into());
        }
        let mut report = self.change_blocked(guests, |_, blocked, guest| {
            blocked.insert(guest);
            Ok(())
        })?;
        let came = |guest: &&Guest| {
            let mut changes = report.changes.iter();
            changes.any(|change| change.network == guest.network)
        };
        let addresses: Vec<IpAddr> = guests
            .iter()
            .filter(came)
            .map(|guest| guest.address)
            .collect();
        report.notes.extend(self.flows.end_of_guests(&addresses));
        Ok(report)
    }

    /// Lets blocked guests in again. All or nothing.
    ///
    /// # Errors
    /// If a network does not run, a guest is not blocked, or the kernel refuses: nothing has changed
    /// then.
    pub fn unblock(&mut self, guests: &[Guest]) -> Result<Report, EngineError> {
        self.change_blocked(guests, |network, blocked, guest| {
            if blocked.remove(&guest) {
                return Ok(());
            }
            Err(BlockError::NotBlocked {
                network: network.name().clone(),
                guest,
            })
        })
    }

    /// Networks keep their ranks, and since when they run.
    fn change_blocked(
        &mut self,
        guests: &[Guest],
        change: impl Fn(&Network, &mut BTreeSet<IpAddr>, IpAddr) -> Result<(), BlockError>,
    ) -> Result<Report, EngineError> {
        let mut by_network: BTreeMap<&Name, BTreeSet<IpAddr>> = BTreeMap::new();
        for Guest { network, address } in guests {
            by_network.entry(network).or_default().insert(*address);
        }
        self.check_rights(EngineError::NotAllowed, |record| {
            by_network.contains_key(record.network.name())
        })?;
        let goal = |running: &Running<'_>| {
            let mut desired = Vec::new();
            for (&name, guests) in &by_network {
                let record = running.get(name)?.ok_or_else(|| EngineError::Unknown {
                    names: vec![name.clone()],
                })?;
                let mut blocked = record.network.blocked().clone();
                for &guest in guests {
                    change(&record.network, &mut blocked, guest)?;
                }
                let network = record.network.clone().with_blocked(blocked)?;
                let placement = record.placement.clone().into();
                let why = record.why.as_str().into();
                desired.push(Desired::new(&network, &record.owner, placement, why));
            }
            Ok(Goal::Moved(desired))
        };
        self.change_running(goal, came)
    }
}
