//! The networks of an index, in memory.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::file::File;
use super::lookup::Lookup;
use super::row::Row;
use crate::backend_id::BackendId;
use crate::installed::Placement;
use crate::network::{Claim, Name, Network};
use crate::record::Record;
use crate::state::digest::Secret;
use crate::uses::Uses;

/// So many questions are answered by looking at all rows.
pub(super) const WITHOUT_MAPS: u32 = 16;
/// So many are looked at for one that runs, whichever.
const SOME: usize = 8;

/// The running networks, by what others can conflict with.
#[derive(Debug, Default)]
pub(in crate::state) struct Index {
    /// Those that were read, at the first places.
    pub(super) file: File,
    /// Those that came since, at the places behind.
    pub(super) came: Vec<Row>,
    /// The places of those that do not run any more.
    pub(super) gone: HashSet<usize>,
    /// Made of all others when it is first needed.
    pub(super) lookup: OnceCell<Lookup>,
    pub(super) asked: Cell<u32>,
    /// By backend.
    pub(super) uses: BTreeMap<BackendId, Uses>,
    /// The rulesets' generations after our last changes, by backend.
    pub(super) generations: BTreeMap<BackendId, u64>,
    /// Where networks are placed. Most are at one place.
    pub(super) placements: Vec<Placement>,
    pub(super) secret: Secret,
    /// The networks whose records are in memory because they were written just now.
    pub(super) fresh: Vec<Name>,
    pub(super) next_order: u64,
    /// How long the first frame of the file is, about, and how much was added to it since.
    pub(super) written: usize,
    pub(super) added: usize,
}

impl Index {
    pub(in crate::state) fn of(records: Vec<Record>) -> Self {
        let mut index = Self::default();
        for record in records {
            index.put(record);
        }
        index
    }

    pub(in crate::state) fn get(&self, name: &Name) -> Option<&Row> {
        self.row(self.find(name)?)
    }

    /// Where a network is placed.
    pub(in crate::state) fn placement(&self, row: &Row) -> Option<&Placement> {
        self.placements.get(usize::try_from(row.place).ok()?)
    }

    /// Whether this is the network that runs. If not, only its record says for sure.
    pub(in crate::state) fn is(&self, row: &Row, network: &Network) -> bool {
        row.digest == self.secret.digest(network)
    }

    /// All names, in the order in which the networks were started.
    pub(in crate::state) fn names(&self) -> Vec<&Name> {
        let mut rows: Vec<&Row> = self.running().collect();
        rows.sort_unstable_by_key(|row| (row.order, &row.name));
        rows.into_iter().map(|row| &row.name).collect()
    }

    /// Whether a network that comes has what a running one has that does not leave: cheap, and the
    /// same as [`conflicts`](crate::network::conflicts) finds among all of them.
    pub(in crate::state) fn conflicts_with(
        &self,
        network: &Network,
        leaving: &HashSet<&Name>,
    ) -> bool {
        let claims: Vec<Claim<'_>> = network.claims().collect();
        let is_conflict = |place: usize| {
            let row = self.row(place).filter(|_| !self.gone.contains(&place));
            row.is_some_and(|row| row.is_shared_by(&claims) && !leaving.contains(&row.name))
        };
        match self.lookup() {
            Some(lookup) => claims
                .iter()
                .flat_map(|claim| lookup.near(claim))
                .any(is_conflict),
            None => {
                let shared = self.file.shared_by(&claims);
                shared.chain(self.places_since()).any(is_conflict)
            }
        }
    }

    pub(in crate::state) fn uses(&self, backend: &BackendId) -> Option<&Uses> {
        self.uses.get(backend)
    }

    pub(in crate::state) fn generation(&self, backend: &BackendId) -> Option<u64> {
        self.generations.get(backend).copied()
    }

    /// Notes what is known of the rulesets' generations; whether that is new.
    pub(in crate::state) fn note_generations(
        &mut self,
        generations: &[(BackendId, Option<u64>)],
    ) -> bool {
        let mut is_new = false;
        for (backend, generation) in generations {
            if self.generation(backend) == *generation {
                continue;
            }
            is_new = true;
            match generation {
                Some(generation) => self.generations.insert(backend.clone(), *generation),
                None => self.generations.remove(backend),
            };
        }
        is_new
    }

    /// The rank of the next network that starts.
    pub(in crate::state) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// One of the networks that run, if one of the first that are looked at does.
    pub(in crate::state) fn any(&self) -> Option<&Name> {
        // Where most went, it would take long to find one that did not.
        let since = self.places_since().rev();
        let mut some = since.chain(self.file.some()).take(SOME);
        let any = some.find(|place| !self.gone.contains(place))?;
        self.row(any).map(|row| &row.name)
    }

    /// The networks whose records were put since this was asked.
    pub(in crate::state) fn take_fresh(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.fresh)
    }

    /// A record need not be in memory any more.
    pub(in crate::state) fn forget_record(&mut self, name: &Name) {
        if let Some(row) = self.find(name).and_then(|place| self.row_mut(place)) {
            row.record.take();
        }
    }
}

/// Networks that come and go.
impl Index {
    /// A network comes, or is another now.
    pub(in crate::state) fn put(&mut self, record: Record) {
        self.drop(record.network.name());
        let backend = &record.placement.backend;
        if !self.uses.contains_key(backend) {
            self.uses.insert(backend.clone(), Uses::default());
        }
        if let Some(uses) = self.uses.get_mut(backend) {
            uses.extend(&record.installed);
        }
        let row = Row::of(record, self.secret, |placement| {
            let known = self.placements.iter().position(|p| p == placement);
            let place = known.unwrap_or_else(|| {
                self.placements.push(placement.clone());
                self.placements.len() - 1
            });
            // As many as no machine holds are none, and the record says.
            u32::try_from(place).unwrap_or(u32::MAX)
        });
        self.next_order = self.next_order.max(row.order.saturating_add(1));
        self.fresh.push(row.name.clone());
        if let Some(lookup) = self.lookup.get_mut() {
            lookup.put(self.file.len() + self.came.len(), &row);
        }
        self.came.push(row);
    }

    /// A network goes. Its record has been read.
    pub(in crate::state) fn drop(&mut self, name: &Name) {
        let Some(place) = self.find(name) else {
            return;
        };
        self.gone.insert(place);
        let mut lookup = self.lookup.take();
        if let (Some(lookup), Some(row)) = (&mut lookup, self.row(place)) {
            lookup.drop(place, row);
        }
        self.lookup = lookup.map_or_else(OnceCell::new, OnceCell::from);
        let record = self.row_mut(place).and_then(|row| row.record.take());
        if let Some(record) = record
            && let Some(uses) = self.uses.get_mut(&record.placement.backend)
        {
            uses.take_all(&record.installed);
        }
    }
}

/// Where rows are.
impl Index {
    fn find(&self, name: &Name) -> Option<usize> {
        if let Some(lookup) = self.lookup() {
            return lookup.get(name);
        }
        let came = self.came.iter().rposition(|row| row.name == *name);
        let place = match came {
            Some(came) => self.file.len() + came,
            None => self.file.find(name.as_str())?,
        };
        (!self.gone.contains(&place)).then_some(place)
    }

    fn row(&self, place: usize) -> Option<&Row> {
        match place.checked_sub(self.file.len()) {
            Some(came) => self.came.get(came),
            None => self.file.row(place),
        }
    }

    fn row_mut(&mut self, place: usize) -> Option<&mut Row> {
        match place.checked_sub(self.file.len()) {
            Some(came) => self.came.get_mut(came),
            None => self.file.row_mut(place),
        }
    }

    /// The maps, if more than a few questions were asked.
    fn lookup(&self) -> Option<&Lookup> {
        let asked = self.asked.get();
        if asked < WITHOUT_MAPS {
            self.asked.set(asked + 1);
            return None;
        }
        Some(self.lookup.get_or_init(|| {
            let mut lookup = Lookup::default();
            for place in self.places() {
                if let Some(row) = self.row(place) {
                    lookup.put(place, row);
                }
            }
            lookup
        }))
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Row> {
        self.places().filter_map(|place| self.row(place))
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        let all = self.file.all().chain(self.places_since());
        all.filter(|place| !self.gone.contains(place))
    }

    /// The places of those that came since the file was read.
    fn places_since(&self) -> Range<usize> {
        self.file.len()..self.file.len() + self.came.len()
    }
}
