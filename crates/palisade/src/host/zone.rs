//! The firewalld zone of a bridge: firewalld treats what comes from the bridge as the zone says.

use std::path::Path;

use palisade_core::host_action::{
    Effect, HostAction, HostActionError, HostActionId, HostActionKind, Need,
};
use palisade_core::network::{Forward, Network, Zone};

use super::firewalld::{Firewalld, FirewalldError, Zones};
use crate::BackendChoice;
use crate::backends;

const ID: HostActionId = HostActionId::new("zone");
/// The zone that the bridge is put into.
const ZONE: &str = "zone";
/// The zone that it was in before, if any.
const BEFORE: &str = "before";

/// Zones that libvirt brings, and the policy without which the second means nothing.
const USUAL: &str = "libvirt";
const ROUTED: &str = "libvirt-routed";
const ROUTED_POLICY: &str = "libvirt-routed-out";

/// Puts bridges into zones of firewalld.
pub(super) struct ZoneOfBridge {
    firewalld: Firewalld,
}

impl ZoneOfBridge {
    pub(super) fn new(namespace: Option<&Path>) -> Self {
        Self {
            firewalld: Firewalld::of(namespace),
        }
    }

    /// The zone that a network's bridge must be in; none if firewalld is left alone.
    fn zone(&mut self, need: &Need<'_>) -> Result<Option<String>, FirewalldError> {
        let running = self.firewalld.running()?;
        match (need.network.zone(), running) {
            (None, _) | (Some(Zone::Auto), None) => Ok(None),
            (Some(Zone::Auto), Some(mut running)) => zone_of_libvirt(need.network, &mut running),
            (Some(Zone::Named(zone)), None) => Err(FirewalldError::Absent {
                zone: zone.to_string(),
            }),
            (Some(Zone::Named(zone)), Some(mut running)) => {
                let (zone, known) = (zone.to_string(), running.zones()?);
                match known.contains(&zone) {
                    true => Ok(Some(zone)),
                    false => Err(FirewalldError::Unknown { zone, known }),
                }
            }
        }
    }

    fn needed(&mut self, need: &Need<'_>) -> Result<Option<HostAction>, FirewalldError> {
        // A bridge of the host may serve several networks, and `none` leaves the host alone.
        let is_ruled = backends::of(need.placement)
            .is_some_and(|backend| backend.choice() != BackendChoice::None)
            && !matches!(need.network.forward(), Forward::Unmanaged(_));
        let (Some(bridge), true, true) = (
            need.network.bridge(),
            is_ruled,
            need.network.zone().is_some(),
        ) else {
            return Ok(None);
        };
        if let (Some(recorded), false) = (need.recorded, need.is_start) {
            return Ok(Some(recorded.clone()));
        }
        let Some(zone) = self.zone(need)? else {
            return Ok(None);
        };
        let action = HostAction::new(ID, bridge.clone()).with(ZONE, &zone);
        let is_same = |recorded: &&HostAction| recorded.setting(ZONE) == Some(&zone);
        if let Some(recorded) = need.recorded.filter(is_same) {
            return Ok(Some(recorded.clone()));
        }
        // Where it was before palisade put it elsewhere.
        let before = match (need.recorded, self.firewalld.running()?) {
            (Some(recorded), _) => recorded.setting(BEFORE).map(str::to_owned),
            (None, Some(mut running)) => running.zone_of(bridge.as_str())?,
            (None, None) => None,
        };
        Ok(Some(match before {
            Some(before) => action.with(BEFORE, &before),
            None => action,
        }))
    }

    fn enter(&mut self, action: &HostAction) -> Result<(), FirewalldError> {
        let zone = zone_in(action);
        let Some(mut running) = self.firewalld.running()? else {
            let zone = zone.to_owned();
            return Err(FirewalldError::Absent { zone });
        };
        running.put(action.bridge.as_str(), zone)
    }

    fn leave(&mut self, action: &HostAction) -> Result<(), FirewalldError> {
        let (zone, bridge) = (zone_in(action), action.bridge.as_str());
        let Some(mut running) = self.firewalld.running()? else {
            return Ok(()); // What it does not remember is undone.
        };
        if running.zone_of(bridge)?.as_deref() != Some(zone) {
            return Ok(()); // It is where somebody else put it.
        }
        match action.setting(BEFORE) {
            Some(before) if before == zone => Ok(()),
            Some(before) if running.zones()?.iter().any(|known| known == before) => {
                running.put(bridge, before)
            }
            _ => running.take_out(bridge, zone),
        }
    }

    fn look(&mut self, action: &HostAction) -> Result<Effect, FirewalldError> {
        let Some(mut running) = self.firewalld.running()? else {
            return Ok(Effect::Moot);
        };
        let zone = running.zone_of(action.bridge.as_str())?;
        Ok(match zone.as_deref() == Some(zone_in(action)) {
            true => Effect::Present,
            false => Effect::Missing,
        })
    }
}

/// The zone that libvirt would choose, if there is one.
fn zone_of_libvirt(
    network: &Network,
    running: &mut impl Zones,
) -> Result<Option<String>, FirewalldError> {
    let is_routed = match network.forward() {
        Forward::Nat(_) | Forward::Isolated => false,
        Forward::Route { .. } => true,
        Forward::Open | Forward::Unmanaged(_) => return Ok(None),
    };
    let zones = running.zones()?;
    let has = |zone: &str| zones.iter().any(|known| known == zone);
    let has_policy = |known: Vec<String>| known.iter().any(|known| known == ROUTED_POLICY);
    let zone = match is_routed && has(ROUTED) && has_policy(running.policies()?) {
        true => ROUTED,
        false => USUAL,
    };
    Ok(has(zone).then(|| zone.to_owned()))
}

fn zone_in(action: &HostAction) -> &str {
    action.setting(ZONE).unwrap_or_default()
}

impl HostActionKind for ZoneOfBridge {
    fn id(&self) -> HostActionId {
        ID
    }

    fn is_optional(&self) -> bool {
        false
    }

    fn needed(&mut self, need: Need<'_>) -> Result<Option<HostAction>, HostActionError> {
        Self::needed(self, &need).map_err(HostActionError::new)
    }

    fn effect(&mut self, action: &HostAction) -> Result<Effect, HostActionError> {
        self.look(action).map_err(HostActionError::new)
    }

    fn apply(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        self.enter(action).map_err(HostActionError::new)
    }

    fn undo(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        self.leave(action).map_err(HostActionError::new)
    }

    fn words(&self, action: &HostAction) -> String {
        format!(
            "`{}` in firewalld's zone `{}`",
            action.bridge,
            zone_in(action)
        )
    }

    fn line(&self, action: &HostAction) -> String {
        format!(
            "firewalld zone {} interface {}",
            zone_in(action),
            action.bridge
        )
    }
}
