//! The index: of each running network what a change of another one must know, in memory and in one
//! file that is read at once.
//!
//! It is never the truth: it is made of the records, and says in which version of their folder. A
//! folder of another version, or a file that is not whole, and it is made anew.
//!
//! A command asks a few questions and ends, so that what it reads stays a row for each network, all
//! names in one text, and each question is answered by looking at all rows: with 10,000 networks
//! a tenth of the time that maps of them took to make. Who asks more gets a [`Lookup`].

mod file;
mod lookup;

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, HashSet};

use super::digest::{Digest, Secret};
use super::{Record, Uses};
use crate::backend::Placement;
use crate::network::{Forward, InterfaceName, Name, Network, Subnet};

use file::Noted;
use lookup::{Found, Lookup};

/// So many questions are answered by looking at all rows.
const FEW: u32 = 16;

/// The running networks, by what others can conflict with.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: Vec<Row>,
    /// Names of networks and bridges, one behind the other.
    texts: String,
    subnets: Vec<Subnet>,
    lookup: OnceCell<Lookup>,
    asked: Cell<u32>,
    /// By backend.
    uses: BTreeMap<String, Uses>,
    /// The rulesets' generations after our last changes, by backend.
    generations: BTreeMap<String, u64>,
    /// Where networks are placed. Most are at one place.
    placements: Vec<Placement>,
    secret: Secret,
    /// The networks whose records are in memory because they were written just now.
    fresh: Vec<Name>,
    next_order: u64,
    /// How long the file was when it was written as a whole, and how much was added to it since.
    written: usize,
    added: usize,
}

/// A running network.
#[derive(Debug)]
pub(super) struct Row {
    name: Slice,
    bridge: Option<Slice>,
    owns_bridge: bool,
    subnets: Slice,
    order: u64,
    /// Its place among [`Index::placements`].
    place: u32,
    digest: Digest,
    /// It does not run any more.
    is_gone: bool,
    /// Its name, read when it is first asked for.
    known: OnceCell<Name>,
    /// Its record, read when it is first asked for.
    pub(super) record: OnceCell<Box<Record>>,
}

/// A part of [`Index::texts`] or [`Index::subnets`].
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: usize,
    end: usize,
}

fn owns_bridge(network: &Network) -> bool {
    !matches!(network.forward(), Forward::Unmanaged(_))
}

impl Row {
    /// Its rank in the order in which networks were started.
    pub(super) fn order(&self) -> u64 {
        self.order
    }
}

impl Index {
    pub(super) fn of(records: Vec<Record>) -> Self {
        let mut index = Self::default();
        for record in records {
            index.put(record);
        }
        index
    }

    pub(super) fn get(&self, name: &Name) -> Option<&Row> {
        self.rows.get(self.find(name)?)
    }

    fn find(&self, name: &Name) -> Option<usize> {
        match self.lookup() {
            Some(lookup) => lookup.get(name),
            None => self
                .rows
                .iter()
                .position(|row| !row.is_gone && self.text(row.name) == name.as_str()),
        }
    }

    /// The maps, if more than a few questions were asked.
    fn lookup(&self) -> Option<&Lookup> {
        let asked = self.asked.get();
        if asked < FEW {
            self.asked.set(asked + 1);
            return None;
        }
        Some(self.lookup.get_or_init(|| {
            let mut lookup = Lookup::default();
            for (place, row) in self.rows.iter().enumerate().filter(|(_, r)| !r.is_gone) {
                if let Some(found) = self.found(row) {
                    lookup.put(place, &found);
                }
            }
            lookup
        }))
    }

    /// Where a network is placed.
    pub(super) fn placement(&self, row: &Row) -> Option<&Placement> {
        self.placements.get(usize::try_from(row.place).ok()?)
    }

    /// Whether this is the network that runs. If not, only its record says for sure.
    pub(super) fn is(&self, row: &Row, network: &Network) -> bool {
        row.digest == self.secret.digest(network)
    }

    /// All names, in the order in which the networks were started.
    pub(super) fn names(&self) -> Vec<&Name> {
        let mut rows: Vec<(u64, &Name)> = self
            .running()
            .filter_map(|row| Some((row.order, self.name(row)?)))
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, name)| name).collect()
    }

    /// One of the networks that run.
    pub(super) fn any(&self) -> Option<&Name> {
        self.running().find_map(|row| self.name(row))
    }

    fn running(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_gone)
    }

    /// The rank of the next network that starts.
    pub(super) fn next_order(&self) -> u64 {
        self.next_order
    }

    pub(super) fn uses(&self, backend: &str) -> Option<&Uses> {
        self.uses.get(backend)
    }

    pub(super) fn generation(&self, backend: &str) -> Option<u64> {
        self.generations.get(backend).copied()
    }

    /// Notes what is known of the rulesets' generations; whether that is new.
    pub(super) fn note_generations(&mut self, generations: &[(&str, Option<u64>)]) -> bool {
        let mut is_new = false;
        for &(backend, generation) in generations {
            if self.generation(backend) == generation {
                continue;
            }
            is_new = true;
            match generation {
                Some(generation) => self.generations.insert(backend.to_owned(), generation),
                None => self.generations.remove(backend),
            };
        }
        is_new
    }

    /// The networks whose records were put since this was asked.
    pub(super) fn take_fresh(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.fresh)
    }

    /// A record need not be in memory any more.
    pub(super) fn forget_record(&mut self, name: &Name) {
        if let Some(row) = self.find(name).and_then(|place| self.rows.get_mut(place)) {
            row.record.take();
        }
    }
}

/// Networks that come and go.
impl Index {
    /// A network comes, or is another now.
    pub(super) fn put(&mut self, record: Record) {
        let name = record.network.name().clone();
        self.drop(&name);
        let backend = &record.placement.backend;
        if !self.uses.contains_key(backend) {
            self.uses.insert(backend.clone(), Uses::default());
        }
        if let Some(uses) = self.uses.get_mut(backend) {
            uses.extend(&record.installed);
        }
        let place = self.place(&record.placement);
        let network = &record.network;
        let row = Row {
            name: self.add_text(name.as_str()),
            bridge: network.bridge().map(|b| self.add_text(b.as_str())),
            owns_bridge: owns_bridge(network),
            subnets: self.add_subnets(network.subnets().iter().copied()),
            order: record.order,
            place,
            digest: self.secret.digest(network),
            is_gone: false,
            known: OnceCell::from(name.clone()),
            record: OnceCell::from(Box::new(record)),
        };
        self.fresh.push(name);
        self.push(row);
    }

    /// A network of the file. None if it says what cannot be.
    fn note(&mut self, noted: &Noted<'_>) -> Option<()> {
        let start = self.subnets.len();
        for &(address, prefix) in &noted.subnets {
            self.subnets.push(Subnet::new(address, prefix).ok()?);
        }
        let row = Row {
            name: self.add_text(noted.name),
            bridge: noted.bridge.map(|bridge| self.add_text(bridge)),
            owns_bridge: noted.owns_bridge,
            subnets: Slice {
                start,
                end: self.subnets.len(),
            },
            order: noted.order,
            place: noted.place,
            digest: noted.digest,
            is_gone: false,
            known: OnceCell::new(),
            record: OnceCell::new(),
        };
        self.push(row);
        Some(())
    }

    fn push(&mut self, row: Row) {
        let place = self.rows.len();
        self.next_order = self.next_order.max(row.order + 1);
        self.rows.push(row);
        self.amend_lookup(place, Lookup::put);
    }

    /// A network goes. Its record has been read.
    pub(super) fn drop(&mut self, name: &Name) {
        let Some(place) = self.find(name) else {
            return;
        };
        self.amend_lookup(place, Lookup::drop);
        let Some(row) = self.rows.get_mut(place) else {
            return;
        };
        row.is_gone = true;
        if let Some(record) = row.record.take()
            && let Some(uses) = self.uses.get_mut(&record.placement.backend)
        {
            uses.take_all(&record.installed);
        }
    }

    fn amend_lookup(&mut self, place: usize, amend: impl Fn(&mut Lookup, usize, &Found<'_>)) {
        let Some(mut lookup) = self.lookup.take() else {
            return;
        };
        if let Some(found) = self.rows.get(place).and_then(|row| self.found(row)) {
            amend(&mut lookup, place, &found);
        }
        self.lookup = OnceCell::from(lookup);
    }

    /// Lets go of the rows of networks that do not run any more.
    fn sweep(&mut self) {
        if !self.rows.iter().any(|row| row.is_gone) {
            return;
        }
        let mut swept = Self::default();
        for row in std::mem::take(&mut self.rows) {
            if row.is_gone {
                continue;
            }
            let row = Row {
                name: swept.add_text(self.text(row.name)),
                bridge: row.bridge.map(|bridge| swept.add_text(self.text(bridge))),
                subnets: swept.add_subnets(self.subnets(&row).iter().copied()),
                ..row
            };
            swept.rows.push(row);
        }
        self.lookup.take();
        (self.rows, self.texts, self.subnets) = (swept.rows, swept.texts, swept.subnets);
    }

    fn place(&mut self, placement: &Placement) -> u32 {
        let known = self.placements.iter().position(|p| p == placement);
        let place = known.unwrap_or_else(|| {
            self.placements.push(placement.clone());
            self.placements.len() - 1
        });
        // As many as no machine holds are none, and the record says.
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn add_text(&mut self, text: &str) -> Slice {
        let start = self.texts.len();
        self.texts.push_str(text);
        let end = self.texts.len();
        Slice { start, end }
    }

    fn add_subnets(&mut self, subnets: impl Iterator<Item = Subnet>) -> Slice {
        let start = self.subnets.len();
        self.subnets.extend(subnets);
        let end = self.subnets.len();
        Slice { start, end }
    }
}

/// What rows say.
impl Index {
    fn text(&self, slice: Slice) -> &str {
        self.texts.get(slice.start..slice.end).unwrap_or_default()
    }

    fn subnets(&self, row: &Row) -> &[Subnet] {
        let Slice { start, end } = row.subnets;
        self.subnets.get(start..end).unwrap_or_default()
    }

    /// None if the file says what is no name, as none of ours does.
    fn name<'i>(&'i self, row: &'i Row) -> Option<&'i Name> {
        if let Some(known) = row.known.get() {
            return Some(known);
        }
        let name = self.text(row.name).parse().ok()?;
        Some(row.known.get_or_init(|| name))
    }

    fn found<'i>(&'i self, row: &'i Row) -> Option<Found<'i>> {
        Some(Found {
            name: self.name(row)?,
            bridge: row.bridge.map(|bridge| self.text(bridge)),
            subnets: self.subnets(row),
        })
    }

    /// Whether a network that comes has what a running one has that does not leave: cheap, and the
    /// same as [`conflicts`](crate::network::conflicts) finds among all of them.
    pub(super) fn conflicts_with(&self, network: &Network, leaving: &HashSet<&Name>) -> bool {
        let bridge = network.bridge().map(InterfaceName::as_str);
        let owns = owns_bridge(network);
        let shares = |row: &Row| {
            let is_on_bridge = || row.bridge.map(|of| self.text(of)) == bridge;
            let overlaps = |subnet: &Subnet| {
                let mut own = network.subnets().iter();
                own.any(|own| own.overlaps(*subnet))
            };
            bridge.is_some() && (owns || row.owns_bridge) && is_on_bridge()
                || self.subnets(row).iter().any(overlaps)
        };
        let stays = |row: &Row| !self.name(row).is_some_and(|name| leaving.contains(name));
        match self.lookup() {
            Some(lookup) => {
                let mut near = lookup
                    .near(network)
                    .filter_map(|place| self.rows.get(place));
                near.any(|row| shares(row) && stays(row))
            }
            None => self.running().any(|row| shares(row) && stays(row)),
        }
    }
}

#[cfg(test)]
mod tests;
