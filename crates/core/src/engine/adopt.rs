//! Networks whose rules are installed and that no record names are recorded again. Nothing in the kernel
//! changes.
//!
//! A network is adopted only if palisade would install for its definition exactly what is installed in
//! its name. Where the definition is given, what differs is recorded as it is found, and the change that
//! follows replaces it.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::adopted::{Adopted, Left, Reason};
use super::error::EngineError;
use super::parts::Engine;
use crate::backend::{Backend, BackendError, PlacedItem};
use crate::host_action::{Effect, HostAction, Need};
use crate::installed::{Installed, Placement};
use crate::network::{Established, Name, Network};
use crate::network_owner::NetworkOwner;
use crate::record::{Record, Written};
use crate::rules::read_back;
use crate::state::{Aside, Running};
use crate::storage::{Lock, PATIENCE};
use crate::unrecorded::Unrecorded;

/// Why an adopted network is where it is, for people.
const WHY: &str = "found there, without a record";

/// Which networks without a record are adopted.
#[derive(Clone, Copy)]
pub struct Adoption<'a> {
    /// Definitions, which count before what rules say.
    pub definitions: &'a [Network],
    /// Whether networks without a definition here are adopted too: they may be those of another state directory.
    pub takes_others: bool,
    /// Whether backends that cannot be read are passed over: what they hold is not known.
    pub passes_over: bool,
    /// Whether networks at a placement are meant.
    pub is_meant: &'a dyn Fn(&Placement) -> bool,
}

/// What is found of networks without a record.
#[derive(Default)]
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    pub(super) adopted: Adopted,
}

impl Engine<'_> {
    /// Records networks again whose rules are installed and that no record names.
    ///
    /// # Errors
    /// If the kernel cannot be read, or the state not be written.
    pub fn adopt(&mut self, adoption: &Adoption<'_>) -> Result<Adopted, EngineError> {
        self.state.begin_anew();
        if self.state.is_untouched() {
            // Whoever finds nothing makes nothing.
            let found = self.found(&[], adoption)?;
            if found.records.is_empty() {
                return Ok(found.adopted);
            }
        }
        let lock = self.state.lock(PATIENCE)?;
        self.see_to(&lock)?;
        let records = self.state.records(Some(&lock))?;
        self.adopt_beside(&records, adoption, &lock)
    }

    /// The records beside which networks are adopted before a change, and which: all where nothing is
    /// recorded, as after the state directory was lost; else those that are defined and of which a record
    /// is missing. None where no network can be without a record, or none that the change is about.
    pub(super) fn lost<'a>(
        &mut self,
        running: &Running<'_>,
        adoption: &Adoption<'a>,
    ) -> Result<Option<(Vec<Record>, Adoption<'a>)>, EngineError> {
        if running.is_empty() {
            return Ok(Some((Vec::new(), *adoption)));
        }
        let is_recorded = |network: &Network| running.placement(network.name()).is_some();
        if !adoption.definitions.is_empty() && adoption.definitions.iter().all(is_recorded) {
            return Ok(None);
        }
        for backend in self.backends.iter_mut() {
            let known = running.generation(&backend.id());
            let found = match unrecorded_since(backend.as_mut(), known) {
                Err(error) if adoption.passes_over => {
                    log::debug!("{error}");
                    continue;
                }
                read => read?,
            };
            let is_lost = |found: &Unrecorded| running.placement(&found.network).is_none();
            if found.iter().any(is_lost) {
                let records = self.state.records(None)?;
                let adoption = Adoption {
                    takes_others: false,
                    ..*adoption
                };
                return Ok(Some((records, adoption)));
            }
        }
        Ok(None)
    }

    pub(super) fn adopt_beside(
        &mut self,
        records: &[Record],
        adoption: &Adoption<'_>,
        _lock: &Lock,
    ) -> Result<Adopted, EngineError> {
        let Found {
            records: new,
            adopted,
        } = self.found(records, adoption)?;
        if !new.is_empty() {
            let written: Result<Vec<Written<'_>>, _> = new.iter().map(Written::new).collect();
            self.state
                .stage(&written.map_err(EngineError::Unwritable)?)?;
            // A process that dies here leaves some networks for the next to adopt.
            self.state.put_in_place(&new)?;
            self.state.forget_index()?;
            // Records of the same networks that could not be believed count no more.
            self.state.settle(Aside::Of(&adopted.networks))?;
        }
        Ok(adopted)
    }

    /// The networks to adopt beside those that are recorded.
    pub(super) fn found(
        &mut self,
        records: &[Record],
        adoption: &Adoption<'_>,
    ) -> Result<Found, EngineError> {
        let definitions = adoption.definitions.iter().map(|it| (it.name(), it));
        let definitions: HashMap<&Name, &Network> = definitions.collect();
        let mut taken: HashSet<Name> = records.iter().map(|r| r.network.name().clone()).collect();
        let mut ranks = Ranks::of(records);
        let mut found = Found::default();
        let now = Timestamp::now();
        for backend in 0..self.backends.len() {
            let id = self.backends[backend].id();
            let its = records.iter().filter(|it| it.placement.backend == id);
            let its: Vec<&Record> = its.collect();
            let read = match self.backends[backend].unrecorded(&its) {
                Err(error) if adoption.passes_over => {
                    log::debug!("{error}");
                    continue;
                }
                read => read?,
            };
            for unrecorded in read {
                let definition = definitions.get(&unrecorded.network).copied();
                let reason = match definition {
                    _ if taken.contains(&unrecorded.network) => Some(Reason::NameTaken),
                    _ if !(adoption.is_meant)(&unrecorded.placement) => Some(Reason::Elsewhere),
                    None if !adoption.takes_others => Some(Reason::NotNamed),
                    _ => None,
                };
                let adopted = match (reason, definition) {
                    (Some(reason), _) => Err(reason),
                    (None, Some(definition)) => {
                        Ok(self.defined_or_installed(backend, &unrecorded, definition)?)
                    }
                    (None, None) => self
                        .as_installed(backend, &unrecorded)?
                        .ok_or(Reason::NotWhole),
                };
                match adopted {
                    Ok((network, actions)) => {
                        let order = ranks.next(unrecorded.above.as_ref());
                        let established = network.established();
                        taken.insert(unrecorded.network.clone());
                        found.adopted.networks.push(unrecorded.network);
                        found.records.push(Record {
                            network,
                            owner: NetworkOwner::default(),
                            placement: unrecorded.placement.with_established(established),
                            why: WHY.to_owned(),
                            since: now,
                            order,
                            installed: unrecorded.installed,
                            actions,
                        });
                    }
                    Err(reason) => found.adopted.left.push(Left {
                        network: unrecorded.network,
                        placement: unrecorded.placement,
                        reason,
                    }),
                }
            }
        }
        Ok(found)
    }

    /// The network of a definition, where its rules are installed or parts of them; the network that is installed, where
    /// that is another, which the change that follows replaces.
    fn defined_or_installed(
        &mut self,
        backend: usize,
        found: &Unrecorded,
        definition: &Network,
    ) -> Result<(Network, Vec<HostAction>), EngineError> {
        let defined = self.as_defined(backend, found, definition);
        if self.lacking(backend, found, &defined).is_none()
            && let Some(installed) = self.as_installed(backend, found)?
        {
            return Ok(installed);
        }
        Ok((defined, Vec::new()))
    }

    /// A definition, with what the installed rules say beside definitions: which guests are blocked, and
    /// when established connections are accepted.
    fn as_defined(&self, backend: usize, found: &Unrecorded, definition: &Network) -> Network {
        let read = read_back(&found.network, &found.rules);
        let blocked = read.first().map(|read| read.blocked().clone());
        let definition = definition
            .clone()
            .with_more_blocked(blocked.unwrap_or_default());
        let variants = Established::ALL.map(|at| definition.clone().with_established(at));
        let mut whole = variants
            .iter()
            .filter(|network| self.lacking(backend, found, network).is_some());
        let whole = whole.next().or_else(|| {
            let at = read.first().map(Network::established);
            variants
                .iter()
                .find(|network| Some(network.established()) == at)
        });
        whole.unwrap_or(&definition).clone()
    }

    /// The network that the installed rules say, and what is done for it on the host; none if they are
    /// those of no network.
    fn as_installed(
        &mut self,
        backend: usize,
        found: &Unrecorded,
    ) -> Result<Option<(Network, Vec<HostAction>)>, EngineError> {
        let mut best: Option<(usize, Network, Vec<HostAction>)> = None;
        for network in read_back(&found.network, &found.rules) {
            let Some(lacking) = self.lacking(backend, found, &network) else {
                continue;
            };
            if best.as_ref().is_some_and(|(least, ..)| *least <= lacking) {
                continue;
            }
            if let Some(actions) = self.actions_in_effect(&network, &found.placement)? {
                best = Some((lacking, network, actions));
            }
        }
        Ok(best.map(|(_, network, actions)| (network, actions)))
    }

    /// How many of a network's items are not installed, of those that it can do without; none if what is
    /// installed is not that network.
    fn lacking(&self, backend: usize, found: &Unrecorded, network: &Network) -> Option<usize> {
        let placement = found.placement.clone();
        let placement = placement.with_established(network.established());
        let items = self.backends[backend].items(network, &placement);
        let wanted: HashSet<&Installed> = items.iter().map(|item| &item.installed).collect();
        let installed: HashSet<&Installed> = found.installed.iter().collect();
        let lacks = |item: &&PlacedItem| !installed.contains(&item.installed);
        let lacking: Vec<&PlacedItem> = items.iter().filter(lacks).collect();
        let is_it = installed.is_subset(&wanted) && lacking.iter().all(|item| item.is_optional);
        is_it.then_some(lacking.len())
    }

    /// The actions on the host that a network needs, if all of them are in effect.
    fn actions_in_effect(
        &mut self,
        network: &Network,
        placement: &Placement,
    ) -> Result<Option<Vec<HostAction>>, EngineError> {
        let mut actions = Vec::new();
        for kind in self.host_actions.iter_mut() {
            let needed = kind.needed(Need {
                network,
                placement,
                recorded: None,
                is_start: false,
            })?;
            let Some(action) = needed else {
                continue;
            };
            if action.omitted.is_some() || kind.effect(&action)? != Effect::Present {
                return Ok(None);
            }
            actions.push(action);
        }
        Ok(Some(actions))
    }
}

/// Ranks, those of recorded networks among them.
struct Ranks<'r> {
    recorded: HashMap<&'r Name, u64>,
    used: BTreeSet<u64>,
    /// The last rank that was given right above a recorded network's, or without one.
    given: HashMap<Option<u64>, u64>,
}

impl<'r> Ranks<'r> {
    fn of(records: &'r [Record]) -> Self {
        let recorded = records.iter().map(|it| (it.network.name(), it.order));
        Self {
            recorded: recorded.collect(),
            used: records.iter().map(|it| it.order).collect(),
            given: HashMap::new(),
        }
    }

    /// The rank right above a recorded network, if it is free as the lost record left it, else above all;
    /// without such a network the lowest that is free.
    fn next(&mut self, above: Option<&Name>) -> u64 {
        let below = above.and_then(|name| self.recorded.get(name)).copied();
        let last = self.given.get(&below).copied().or(below);
        let mut rank = last.map_or(0, |last| last.saturating_add(1));
        if below.is_none() {
            while self.used.contains(&rank) {
                rank += 1;
            }
        } else if self.used.contains(&rank) {
            let highest = self.used.last().copied().unwrap_or_default();
            rank = highest.saturating_add(1);
        }
        self.given.insert(below, rank);
        self.used.insert(rank);
        rank
    }
}

/// What is installed without a record, unless the ruleset is as palisade left it. What has no generations is
/// always looked at.
fn unrecorded_since(
    backend: &mut dyn Backend,
    known: Option<u64>,
) -> Result<Vec<Unrecorded>, BackendError> {
    match backend.generation()? {
        Some(now) if known == Some(now) => Ok(Vec::new()),
        _ => backend.unrecorded(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend_id::BackendId;
    use crate::network::{Description, Forward};

    fn record(name: &str, order: u64) -> Record {
        let forward = Forward::Open;
        let description = Description::new(name.parse().unwrap(), None, forward);
        Record {
            owner: NetworkOwner::default(),
            network: Network::new(description).unwrap(),
            placement: Placement {
                backend: BackendId::new("none"),
                settings: std::collections::BTreeMap::new(),
            },
            why: String::new(),
            since: Timestamp::UNIX_EPOCH,
            order,
            installed: Vec::new(),
            actions: Vec::new(),
        }
    }

    #[test]
    fn lost_records_get_the_ranks_that_they_left() {
        let records = [record("b", 1), record("e", 4)];
        let name = |text: &str| -> Name { text.parse().unwrap() };
        let mut ranks = Ranks::of(&records);
        assert_eq!(ranks.next(None), 0);
        assert_eq!(ranks.next(Some(&name("b"))), 2);
        assert_eq!(ranks.next(Some(&name("b"))), 3);
        // There is none left between.
        assert_eq!(ranks.next(Some(&name("b"))), 5);
        assert_eq!(ranks.next(Some(&name("e"))), 6);
        let mut ranks = Ranks::of(&records);
        assert_eq!([0, 2, 3, 5].map(|_| ranks.next(None)), [0, 2, 3, 5]);
        let mut ranks = Ranks::of(&[]);
        assert_eq!([ranks.next(None), ranks.next(None)], [0, 1]);
    }
}
