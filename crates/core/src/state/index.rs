//! The index: of each running network what a change of another one must know, in memory and in one
//! file that is read at once.
//!
//! It is never the truth: it is made of the records, and says in which version of their folder. A
//! folder of another version, or a file that is not whole, and it is made anew.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Secret};
use super::{Record, Uses};
use crate::backend::Placement;
use crate::frame::{self, Form};
use crate::network::{Forward, InterfaceName, Name, Network, Subnet};
use crate::storage::Version;

const FORM: Form = Form {
    magic: *b"PLSI",
    schema: 2,
};
/// How much longer the file may grow than what it says, before it is written anew.
const SLACK: usize = 64 * 1024;

/// The running networks, by what others can conflict with.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<Name, Entry>,
    bridges: HashMap<InterfaceName, Vec<Name>>,
    /// They share no addresses: each is alone between its first address and the next one's.
    subnets: BTreeMap<IpAddr, (Subnet, Name)>,
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
pub(super) struct Entry {
    noted: Noted,
    /// Its record, read when it is first asked for.
    pub(super) record: OnceCell<Box<Record>>,
}

/// What the file says of a network.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noted {
    name: Name,
    order: u64,
    bridge: Option<InterfaceName>,
    /// Whether the bridge is the network's own, and no other's.
    owns_bridge: bool,
    subnets: Vec<(IpAddr, u8)>,
    /// Its place among [`Index::placements`].
    place: u32,
    digest: Digest,
}

/// What one transaction changes in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Frame {
    gone: Vec<Name>,
    came: Vec<Noted>,
    uses: BTreeMap<String, Uses>,
    generations: BTreeMap<String, u64>,
    /// Backends and their settings: as a record has them, only a form that describes itself could
    /// be read.
    placements: Vec<(String, BTreeMap<String, String>)>,
    secret: Secret,
    /// The version of the folder of records when all this was so.
    records: Option<Version>,
}

fn owns_bridge(network: &Network) -> bool {
    !matches!(network.forward(), Forward::Unmanaged(_))
}

impl Entry {
    /// Its rank in the order in which networks were started.
    pub(super) fn order(&self) -> u64 {
        self.noted.order
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

    /// What a file says, if it can be believed: it is whole, and of this version of the records.
    pub(super) fn read(bytes: &[u8], records: Version) -> Option<Self> {
        let decoded = frame::decode::<Frame>(FORM, bytes);
        let is_whole = decoded.broken.is_none();
        if !is_whole || decoded.entries.last()?.records != Some(records) {
            return None;
        }
        let mut index = Self::default();
        for frame in decoded.entries {
            for name in &frame.gone {
                index.drop_entry(name);
            }
            index.entries.reserve(frame.came.len());
            for noted in frame.came {
                index.note(noted, OnceCell::new())?;
            }
            index.uses = frame.uses;
            index.generations = frame.generations;
            let placement = |(backend, settings)| Placement { backend, settings };
            index.placements = frame.placements.into_iter().map(placement).collect();
            index.secret = frame.secret;
        }
        index.written = bytes.len();
        Some(index)
    }

    /// The bytes of a whole file.
    pub(super) fn file(&mut self, records: Option<Version>) -> Option<Vec<u8>> {
        let came = self.entries.values().map(|entry| entry.noted.clone());
        let frame = self.frame(Vec::new(), came.collect(), records);
        let bytes = frame::encode(FORM, [&frame])?;
        (self.written, self.added) = (bytes.len(), 0);
        Some(bytes)
    }

    /// The bytes to add to the file after these networks went and came; none if it is time to write
    /// it as a whole.
    pub(super) fn addition(
        &mut self,
        gone: &[&Name],
        came: &[&Name],
        records: Option<Version>,
    ) -> Option<Vec<u8>> {
        let came = came.iter().filter_map(|name| self.entries.get(*name));
        let came = came.map(|entry| entry.noted.clone()).collect();
        let gone = gone.iter().map(|&name| name.clone()).collect();
        let frame = self.frame(gone, came, records);
        let bytes = frame::encode(FORM, [&frame])?;
        self.added += bytes.len();
        (self.added <= self.written + SLACK).then_some(bytes)
    }

    fn frame(&self, gone: Vec<Name>, came: Vec<Noted>, records: Option<Version>) -> Frame {
        let placements = self.placements.iter().cloned();
        Frame {
            gone,
            came,
            uses: self.uses.clone(),
            generations: self.generations.clone(),
            placements: placements.map(|p| (p.backend, p.settings)).collect(),
            secret: self.secret,
            records,
        }
    }

    pub(super) fn get(&self, name: &Name) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Where a network is placed.
    pub(super) fn placement(&self, entry: &Entry) -> Option<&Placement> {
        self.placements
            .get(usize::try_from(entry.noted.place).ok()?)
    }

    /// Whether this is the network that runs. If not, only its record says for sure.
    pub(super) fn is(&self, entry: &Entry, network: &Network) -> bool {
        entry.noted.digest == self.secret.digest(network)
    }

    /// All names, in the order in which the networks were started.
    pub(super) fn names(&self) -> Vec<&Name> {
        let mut entries: Vec<&Noted> = self.entries.values().map(|entry| &entry.noted).collect();
        entries.sort_by_key(|noted| (noted.order, &noted.name));
        entries.into_iter().map(|noted| &noted.name).collect()
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

    pub(super) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// A network comes, or is another now.
    pub(super) fn put(&mut self, record: Record) {
        self.drop(record.network.name());
        let backend = &record.placement.backend;
        if !self.uses.contains_key(backend) {
            self.uses.insert(backend.clone(), Uses::default());
        }
        if let Some(uses) = self.uses.get_mut(backend) {
            uses.extend(&record.installed);
        }
        let noted = self.noted(&record);
        self.fresh.push(noted.name.clone());
        let _ = self.note(noted, OnceCell::from(Box::new(record)));
    }

    fn noted(&mut self, record: &Record) -> Noted {
        let network = &record.network;
        let known = self.placements.iter().position(|p| *p == record.placement);
        let place = known.unwrap_or_else(|| {
            self.placements.push(record.placement.clone());
            self.placements.len() - 1
        });
        let subnets = network.subnets().iter();
        Noted {
            name: network.name().clone(),
            order: record.order,
            bridge: network.bridge().cloned(),
            owns_bridge: owns_bridge(network),
            subnets: subnets.map(|s| (s.network(), s.prefix())).collect(),
            // As many as no machine holds are none, and the record says.
            place: u32::try_from(place).unwrap_or(u32::MAX),
            digest: self.secret.digest(network),
        }
    }

    /// The networks whose records were put since this was asked.
    pub(super) fn take_fresh(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.fresh)
    }

    /// A record need not be in memory any more.
    pub(super) fn forget_record(&mut self, name: &Name) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.record.take();
        }
    }

    /// A network goes. Its record has been read.
    pub(super) fn drop(&mut self, name: &Name) {
        let Some(record) = self.drop_entry(name).and_then(|e| e.record.into_inner()) else {
            return;
        };
        if let Some(uses) = self.uses.get_mut(&record.placement.backend) {
            uses.take_all(&record.installed);
        }
    }

    /// None if it says what cannot be.
    fn note(&mut self, noted: Noted, record: OnceCell<Box<Record>>) -> Option<()> {
        self.drop_entry(&noted.name);
        for &(address, prefix) in &noted.subnets {
            let subnet = Subnet::new(address, prefix).ok()?;
            self.subnets.insert(address, (subnet, noted.name.clone()));
        }
        if let Some(bridge) = &noted.bridge {
            match self.bridges.get_mut(bridge) {
                Some(names) => names.push(noted.name.clone()),
                None => {
                    let names = vec![noted.name.clone()];
                    self.bridges.insert(bridge.clone(), names);
                }
            }
        }
        self.next_order = self.next_order.max(noted.order + 1);
        let entry = Entry { noted, record };
        self.entries.insert(entry.noted.name.clone(), entry);
        Some(())
    }

    fn drop_entry(&mut self, name: &Name) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        for (address, _) in &entry.noted.subnets {
            // Another network may have it by now.
            if self.subnets.get(address).is_some_and(|(_, of)| of == name) {
                self.subnets.remove(address);
            }
        }
        if let Some(bridge) = &entry.noted.bridge
            && let Some(names) = self.bridges.get_mut(bridge)
        {
            names.retain(|of| of != name);
            if names.is_empty() {
                self.bridges.remove(bridge);
            }
        }
        Some(entry)
    }

    /// Whether a network that comes has what a running one has that does not leave: cheap, and the
    /// same as [`conflicts`](crate::network::conflicts) finds among all of them.
    pub(super) fn conflicts_with(&self, network: &Network, leaving: &HashSet<&Name>) -> bool {
        let stays = |name: &Name| !leaving.contains(name);
        let on_bridge = network.bridge().and_then(|bridge| self.bridges.get(bridge));
        let mut sharing = on_bridge.into_iter().flatten().filter(|name| stays(name));
        let owns = owns_bridge(network);
        let owner = |name: &Name| self.entries.get(name).is_none_or(|e| e.noted.owns_bridge);
        if sharing.any(|name| owns || owner(name)) {
            return true;
        }
        let overlaps = |&subnet: &Subnet| {
            let first = subnet.network();
            // One that holds it, or begins within it.
            let below = self.subnets.range(..=first).next_back();
            let within = self.subnets.range(first..);
            let within = within.take_while(|(_, (other, _))| other.overlaps(subnet));
            let mut near = below.into_iter().chain(within);
            near.any(|(_, (other, name))| other.overlaps(subnet) && stays(name))
        };
        network.subnets().iter().any(overlaps)
    }
}
