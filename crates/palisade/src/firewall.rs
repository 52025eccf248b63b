//! The firewall of one network namespace.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use palisade_core::backend::{Backend, BackendError, Discrepancy, Placement};
use palisade_core::engine::{Action, Engine, EngineError, Goal, Recovered, Report, Wish};
use palisade_core::network::{Name, Network};
use palisade_core::rules::{Guard, rules};
use palisade_core::state::{Record, State};
use palisade_core::words::in_words;
use palisade_nft::backend::{Nftables, Settings};
use palisade_nft::conntrack::Conntrack;
use palisade_nft::socket::{self, Socket};
use palisade_nft::transport::Transport;
use thiserror::Error;

use crate::flows::{self, Flows, came, named};
use crate::folder::{self, FolderError};
use crate::libvirt;
use crate::no_rules::NoRules;
use crate::options::{Choice, Options};
use crate::shown::{Shown, omitted};
use crate::usual::{self, Usual};

/// Installs and removes the rules of virtual networks in one network namespace, and remembers what
/// it installed. It holds its netlink sockets open for as long as it lives.
pub struct Firewall {
    state: State,
    backends: Vec<Box<dyn Backend>>,
    flows: Flows,
    choice: Choice,
    configured: Choice,
    namespace: Option<PathBuf>,
    /// Reads what others have in nf_tables; opened when it is first needed.
    inspector: Option<Nftables>,
}

/// Why a firewall could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no state directory.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Socket(#[from] socket::OpenError),
    /// The kernel does not say which network namespace it is.
    #[error("this kernel cannot tell network namespaces apart (SO_NETNS_COOKIE, Linux 5.14): {}", in_words(.0))]
    Cookie(io::Error),
}

impl OpenError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Cookie(_) => "palisade needs Linux 5.14 or later",
        }
    }
}

/// Why a network cannot be shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShowError {
    /// The state directory, or what an interrupted process left there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No such network.
    #[error("no network named `{0}` is running")]
    Unknown(Name),
    /// The kernel could not be read.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl ShowError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Unknown(_) => "`palisade list` names those that run".to_owned(),
            Self::Backend(error) => error.hint(),
        }
    }
}

impl Firewall {
    /// Opens the firewall of a network namespace. Nothing is changed.
    ///
    /// # Errors
    /// If there is no such namespace, or no way to netfilter in it.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let socket = socket_in(options.namespace.as_deref())?;
        let cookie = socket.namespace_cookie().map_err(OpenError::Cookie)?;
        let conntrack = Conntrack::open(options.namespace.as_deref())?;
        Ok(Self {
            flows: Flows::of(conntrack),
            ..Self::over(Box::new(socket), cookie, options)?
        })
    }

    /// The firewall of the network namespace with this cookie, which `transport` leads to: one that
    /// counts, times or records what goes over it. The namespace in `options` is not looked at, and
    /// flows that began before their NAT rules came are left alone.
    ///
    /// # Errors
    /// If there is no state directory.
    pub fn over(
        transport: Box<dyn Transport>,
        cookie: u64,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let directory = match &options.state_directory {
            Some(directory) => directory.clone(),
            None => folder::usual()?,
        };
        Ok(Self {
            state: State::of(&directory, cookie),
            backends: vec![
                Box::new(Nftables::new(transport)),
                Box::new(usual::programs(options.namespace.as_deref())),
                Box::new(NoRules),
            ],
            namespace: options.namespace.clone(),
            flows: Flows::default(),
            inspector: None,
            choice: options.choice.clone(),
            configured: options.configured.clone(),
        })
    }

    /// Starts or replaces networks, in the order given, and leaves all others alone. All or
    /// nothing: the rules of all of them change in one batch.
    ///
    /// # Errors
    /// If the networks contradict one another or those that run, or the kernel refuses: nothing
    /// has changed then.
    pub fn apply(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.reach(networks, Goal::Run)
    }

    /// Makes these networks the running ones, and no others. All or nothing.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn sync(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.reach(networks, Goal::Exactly)
    }

    /// Removes networks: exactly what is recorded as installed for them.
    ///
    /// # Errors
    /// If one of them does not run, or the kernel refuses: nothing has changed then.
    pub fn remove(&mut self, names: &[Name]) -> Result<Report, EngineError> {
        self.change(|_| Goal::Gone(names.to_vec()), came)
    }

    /// Removes all networks.
    ///
    /// # Errors
    /// If the kernel refuses: nothing has changed then.
    pub fn remove_all(&mut self) -> Result<Report, EngineError> {
        self.change(|_| Goal::Exactly(Vec::new()), came)
    }

    /// The running networks, in the order in which they were started. What an interrupted process
    /// left is seen to first, unless another one is at work.
    ///
    /// # Errors
    /// If the state directory cannot be read, or recovering fails.
    pub fn running(&mut self) -> Result<Vec<Record>, EngineError> {
        self.recover_if_idle()?;
        Ok(self.state.records(None)?)
    }

    /// What [`apply`](Self::apply) would change.
    ///
    /// # Errors
    /// As for `apply`, as far as can be seen without doing it.
    pub fn plan_apply(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.recover_if_idle()?;
        let goal = self.goal(networks, Goal::Run)?;
        self.engine().foresee(goal)
    }

    /// What [`sync`](Self::sync) would change.
    ///
    /// # Errors
    /// As for `sync`, as far as can be seen without doing it.
    pub fn plan_sync(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.recover_if_idle()?;
        let goal = self.goal(networks, Goal::Exactly)?;
        self.engine().foresee(goal)
    }

    /// What stands otherwise than it is recorded: for these networks, or for all if none is named.
    ///
    /// # Errors
    /// If one of them does not run, or the state or the kernel cannot be read.
    pub fn verify(&mut self, names: &[Name]) -> Result<Vec<Discrepancy>, EngineError> {
        self.recover_if_idle()?;
        self.engine().verify(names)
    }

    /// Makes what stands as it is recorded. With names, what is missing of those networks is put
    /// back; without, what others put where only ours belongs goes too.
    ///
    /// # Errors
    /// If one of them does not run, or the kernel refuses: nothing has changed then.
    pub fn repair(&mut self, names: &[Name]) -> Result<Report, EngineError> {
        // Flows are mended too, where they could not be when the NAT rules came.
        self.change(|_| Goal::Mended(names.to_vec()), named)
    }

    /// Moves all running networks to where this choice puts them. All or nothing, and with no
    /// moment without rules.
    ///
    /// # Errors
    /// If the kernel refuses: all networks are where they were then.
    pub fn migrate(&mut self, to: &Choice) -> Result<Report, EngineError> {
        let namespace = self.namespace.clone();
        let goal = |records: &[Record]| {
            let wish = |record: &Record| {
                let running = Some(&record.placement);
                let placement = to.placement(running, &Choice::default(), Choice::default);
                Wish {
                    network: record.network.clone(),
                    placement: usual::settled(namespace.as_ref(), placement),
                    why: "moved here by `migrate`".to_owned(),
                }
            };
            Goal::Run(records.iter().map(wish).collect())
        };
        self.change(goal, came)
    }

    /// Finishes or undoes what an interrupted process left. Everything that changes networks does
    /// so by itself.
    ///
    /// # Errors
    /// If that fails; it can be tried again.
    pub fn recover(&mut self) -> Result<Recovered, EngineError> {
        let recovered = self.engine().recover()?;
        self.end_unnatted_of(recovered);
        Ok(recovered)
    }

    /// One running network, with what stands in the kernel for it.
    ///
    /// # Errors
    /// If there is no such network, or the kernel cannot be read.
    pub fn show(&mut self, name: &Name) -> Result<Shown, ShowError> {
        let records = self.running()?;
        let record = records
            .into_iter()
            .find(|record| record.network.name() == name)
            .ok_or_else(|| ShowError::Unknown(name.clone()))?;
        let guard = Settings::try_from(&record.placement)
            .map_or(Guard::AsDefined, |settings| settings.layout.guard());
        let asked = rules(&record.network, guard);
        let mut shown = Shown {
            record,
            standing: Vec::new(),
            omitted: Vec::new(),
        };
        let backend = &shown.record.placement.backend;
        if let Some(backend) = self.backends.iter_mut().find(|b| b.name() == backend) {
            shown.standing = backend.standing(&shown.record)?;
            shown.omitted = omitted(backend.as_ref(), &shown.record, &asked);
        }
        Ok(shown)
    }

    /// Everything that stands in the tables of these networks, as text of the usual program of
    /// their backend (`nft list table`), with counters. Empty if nothing does.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn listing(&mut self, records: &[Record]) -> Result<String, BackendError> {
        let mut text = String::new();
        for backend in &mut self.backends {
            let placements = records.iter().map(|record| &record.placement);
            let its: Vec<&Placement> = placements.filter(|p| p.backend == backend.name()).collect();
            text.push_str(&backend.listing(&its)?);
        }
        Ok(text)
    }

    fn reach(
        &mut self,
        networks: &[Network],
        goal: fn(Vec<Wish>) -> Goal,
    ) -> Result<Report, EngineError> {
        let goal = self.goal(networks, goal)?;
        self.change(goal, came)
    }

    /// Reaches a goal. Then ends the flows of those networks of the report that `looked_at` names
    /// which began before the NAT rules came; what is to be said of them is a note in the report.
    fn change(
        &mut self,
        goal: impl FnOnce(&[Record]) -> Goal,
        looked_at: fn(&Report) -> Vec<Name>,
    ) -> Result<Report, EngineError> {
        // The engine would do so by itself, but not tell.
        let recovered = self.engine().recover()?;
        let note = self.end_unnatted_of(recovered);
        let mut report = self.engine().reach(goal)?;
        report.notes.extend(note);
        let networks = looked_at(&report);
        report.notes.extend(self.end_unnatted(Some(&networks)));
        report.notes.extend(self.notice_libvirt(&report));
        Ok(report)
    }

    /// What is to be said of libvirt's rules for the bridges of networks that came.
    fn notice_libvirt(&mut self, report: &Report) -> Vec<String> {
        let comes = |action| matches!(action, Action::Add | Action::Replace);
        let changes = report.changes.iter().filter(|change| comes(change.action));
        let names: HashSet<&Name> = changes.map(|change| &change.network).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let records = self.state.records(None).unwrap_or_default();
        let came = records
            .iter()
            .filter(|record| names.contains(record.network.name()));
        let bridges: Vec<_> = came.filter_map(|r| r.network.ruled_bridge()).collect();
        let namespace = self.namespace.as_deref();
        let inspector = match &mut self.inspector {
            Some(inspector) => inspector,
            closed => match socket_in(namespace) {
                Ok(socket) => closed.insert(Nftables::new(Box::new(socket))),
                Err(error) => {
                    log::debug!("{error}");
                    return Vec::new();
                }
            },
        };
        match libvirt::notices(&mut inspector.reader(), namespace, &bridges) {
            Ok(notices) => notices,
            Err(error) => {
                log::debug!("libvirt's rules were not looked for: {error}");
                Vec::new()
            }
        }
    }

    /// Sees to what an interrupted process left, before something is read.
    fn recover_if_idle(&mut self) -> Result<(), EngineError> {
        let recovered = self.engine().recover_if_idle()?;
        self.end_unnatted_of(recovered);
        Ok(())
    }

    /// Ends flows as after any change: NAT rules may have come with what was recovered, and it does
    /// not say for which networks.
    fn end_unnatted_of(&mut self, recovered: Recovered) -> Option<String> {
        match recovered {
            Recovered::Nothing => None,
            Recovered::Finished | Recovered::Undone => self.end_unnatted(None),
        }
    }

    /// Ends flows of these networks, or of all that run.
    fn end_unnatted(&mut self, networks: Option<&[Name]>) -> Option<String> {
        if networks.is_some_and(<[Name]>::is_empty) {
            return None;
        }
        let records = match self.state.records(None) {
            Ok(records) => records,
            Err(error) => return Some(flows::failed(&error, error.hint())),
        };
        let is_meant = |record: &&Record| {
            networks.is_none_or(|networks| networks.contains(record.network.name()))
        };
        let subnets = flows::natted(records.iter().filter(is_meant), &self.backends);
        self.flows.end_unnatted(&subnets)
    }

    /// The goal of running these networks, each where it is chosen to be.
    ///
    /// # Errors
    /// If nobody chose for a new network, and no backend works here.
    fn goal<'n>(
        &self,
        networks: &'n [Network],
        goal: fn(Vec<Wish>) -> Goal,
    ) -> Result<impl FnOnce(&[Record]) -> Goal + use<'n>, EngineError> {
        let (choice, configured) = (self.choice.clone(), self.configured.clone());
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

    fn engine(&mut self) -> Engine<'_> {
        Engine {
            state: &self.state,
            backends: &mut self.backends,
        }
    }
}

fn socket_in(namespace: Option<&Path>) -> Result<Socket, socket::OpenError> {
    match namespace {
        Some(path) => Socket::open_in(path.to_owned()),
        None => Socket::open(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A daemon opens it on one thread and uses it on another. That this compiles is the test.
    #[test]
    fn can_be_sent_to_another_thread() {
        fn is_sent<T: Send>() {}
        is_sent::<Firewall>();
    }
}
