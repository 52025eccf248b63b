//! The firewall of one network namespace.

mod adopt;
mod after;
mod allowed;
mod beside;
mod block;
mod confirm;
mod counters;
mod error;
mod goal;
mod show;
mod usable;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use palisade_core::NetworkOwner;
use palisade_core::backend::{Backend, BackendError, Discrepancy, InstalledRules, Placement};
use palisade_core::engine::{
    Adoption, Desired, Engine, EngineError, Extent, Goal, Recovered, Report,
};
use palisade_core::host_action::HostActionKind;
use palisade_core::location::Location;
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::Rule;
use palisade_core::state::{Record, Running, State, StateError};
use palisade_core::storage::PATIENCE;
use palisade_netlink::conntrack::Conntrack;
use palisade_netlink::{Socket, Transport};

use crate::choice::Choice;
use crate::flows::{Flows, came, named};
use crate::options::Options;
use crate::usual::{self, Usual};
use crate::{backends, folder, host, rights};

pub use error::OpenError;
pub use show::ShowError;

/// Installs and removes the rules of virtual networks in one network namespace, and remembers what
/// it installed. It holds its netlink sockets open for as long as it lives.
pub struct Firewall {
    state: State,
    /// The state directory, where it is a plain user's usual one.
    own_state: Option<PathBuf>,
    backends: Vec<Box<dyn Backend>>,
    host_actions: Vec<Box<dyn HostActionKind>>,
    flows: Flows,
    owner: NetworkOwner,
    choice: Choice,
    configured: Choice,
    namespace: Option<PathBuf>,
    /// Whether the host is the one of the rules: not where the transport is the caller's.
    looks_at_host: bool,
    /// Who installs rules where nobody chose, once that was found out.
    usual: Arc<OnceLock<Usual>>,
}

impl Firewall {
    /// Opens the firewall of a network namespace. Nothing is changed.
    ///
    /// # Errors
    /// If there is no such namespace, or no way to netfilter in it.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let socket = Socket::open_in(options.namespace.as_deref())?;
        let cookie = socket.namespace_cookie().map_err(OpenError::Cookie)?;
        let conntrack = Conntrack::open(options.namespace.as_deref())?;
        Ok(Self {
            flows: Flows::of(conntrack),
            host_actions: host::open(options.namespace.as_deref()),
            looks_at_host: true,
            ..Self::over(Box::new(socket), cookie, options)
        })
    }

    /// The firewall of the network namespace with this cookie, which `transport` leads to: one that
    /// counts, times or records what goes over it. The namespace in `options` is not looked at, and
    /// flows that began before their NAT rules came are left alone. On the host, nothing is done beside
    /// rules.
    #[must_use]
    pub fn over(transport: Box<dyn Transport>, cookie: u64, options: &Options) -> Self {
        let directory = match &options.state_directory {
            Some(directory) => directory.clone(),
            None => folder::usual(),
        };
        let is_own = options.state_directory.is_none() && directory != Path::new(folder::SYSTEM);
        Self {
            state: State::of(&directory, cookie),
            own_state: is_own.then_some(directory),
            backends: backends::open(transport, options.namespace.as_deref()),
            namespace: options.namespace.clone(),
            host_actions: Vec::new(),
            looks_at_host: false,
            flows: Flows::default(),
            usual: Arc::default(),
            owner: options.owner.clone(),
            choice: options.choice.clone(),
            configured: options.configured.clone(),
        }
    }

    /// Starts or replaces networks, in the order given, and leaves all others alone. All or
    /// nothing: the rules of all of them change in one batch.
    ///
    /// # Errors
    /// If the networks contradict one another or those that run, or the kernel refuses: nothing
    /// has changed then.
    pub fn apply(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.check_rights_for(EngineError::NotAllowed, networks)?;
        self.reach(networks, Goal::Run)
    }

    /// Makes these networks the running ones, and no others of this [owner](Options::owner). All or nothing.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply), and if there are no networks: [`remove_all`](Self::remove_all) removes all.
    pub fn sync(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        if networks.is_empty() {
            return Err(EngineError::SyncToNothing);
        }
        self.check_rights_for(EngineError::NotAllowed, networks)?;
        // What vanished is found again in the kernel.
        self.state.begin_anew();
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        self.reach(networks, self.exactly())
    }

    /// Removes networks: exactly what is recorded as installed for them.
    ///
    /// # Errors
    /// If one of them does not run, or the kernel refuses: nothing has changed then.
    pub fn remove(&mut self, names: &[Name]) -> Result<Report, EngineError> {
        self.check_rights(EngineError::NotAllowed, |record| {
            names.contains(record.network.name())
        })?;
        self.change_running(|_| Ok(Goal::Gone(names.to_vec())), came)
    }

    /// Removes all networks of this [owner](Options::owner).
    ///
    /// # Errors
    /// If the kernel refuses: nothing has changed then.
    pub fn remove_all(&mut self) -> Result<Report, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        let goal = self.exactly();
        self.change_running(|_| Ok(goal(Vec::new())), came)
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
        self.check_rights_for(EngineError::NotReadable, networks)?;
        self.recover_if_idle()?;
        let goal = self.goal(networks, Goal::Run);
        self.foresee(networks, goal)
    }

    /// What [`sync`](Self::sync) would change.
    ///
    /// # Errors
    /// As for `sync`, as far as can be seen without doing it.
    pub fn plan_sync(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        if networks.is_empty() {
            return Err(EngineError::SyncToNothing);
        }
        self.plan_exactly(networks)
    }

    /// What [`remove_all`](Self::remove_all) would change.
    ///
    /// # Errors
    /// As for `remove_all`, as far as can be seen without doing it.
    pub fn plan_remove_all(&mut self) -> Result<Report, EngineError> {
        self.plan_exactly(&[])
    }

    fn plan_exactly(&mut self, networks: &[Network]) -> Result<Report, EngineError> {
        self.check_rights_for(EngineError::NotReadable, networks)?;
        self.check_rights(EngineError::NotReadable, |_| true)?;
        self.recover_if_idle()?;
        let goal = self.goal(networks, self.exactly());
        self.foresee(networks, goal)
    }

    /// The differences between the kernel and the records of these networks, or of all if none is
    /// named.
    ///
    /// ```no_run
    /// # let mut firewall = palisade::Firewall::open(&palisade::Options::default())?;
    /// use palisade::DiscrepancyKind;
    ///
    /// for difference in firewall.verify(&[])? {
    ///     if difference.kind == DiscrepancyKind::Missing {
    ///         firewall.repair(&[])?;
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If one of them does not run, or the state or the kernel cannot be read.
    pub fn verify(&mut self, names: &[Name]) -> Result<Vec<Discrepancy>, EngineError> {
        self.check_can_look()?;
        self.recover_if_idle()?;
        let extent = self.extent(names);
        self.engine().verify(extent)
    }

    /// The same, between changes of ours: none while another process is at work, whose changes are
    /// not recorded yet.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub(crate) fn verify_at_rest(
        &mut self,
        names: &[Name],
    ) -> Result<Option<Vec<Discrepancy>>, EngineError> {
        let extent = self.extent(names);
        self.engine().verify_at_rest(extent)
    }

    /// The differences between the kernel and the records of all running networks. Unlike
    /// [`verify`](Self::verify) it recovers nothing: there are none while another process is at work.
    ///
    /// # Errors
    /// If the state or the kernel cannot be read.
    pub fn differences(&mut self) -> Result<Vec<Discrepancy>, EngineError> {
        let found = self.engine().verify_at_rest(Extent::Recorded)?;
        Ok(found.unwrap_or_default())
    }

    /// Where differences are looked for: without names, everywhere.
    fn extent<'n>(&self, names: &'n [Name]) -> Extent<'n> {
        match names {
            // Whoever may not read rules did not install any.
            [] if rights::are_missing(self.namespace.as_deref()) => Extent::Recorded,
            [] => Extent::Everywhere,
            names => Extent::Of(names),
        }
    }

    /// The actions on the host that are recorded and not in effect, between changes of ours.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub(crate) fn verify_actions_at_rest(
        &mut self,
    ) -> Result<Option<Vec<Discrepancy>>, EngineError> {
        self.engine().verify_actions_at_rest()
    }

    /// The [running networks](Self::running) between changes of ours: none while another process is
    /// at work, whose changes are not recorded yet.
    ///
    /// # Errors
    /// As for [`running`](Self::running).
    pub(crate) fn running_at_rest(&mut self) -> Result<Option<Vec<Record>>, EngineError> {
        self.engine().records_at_rest()
    }

    /// The processes that changed the ruleset for us and left no mark in it.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.state.processes()
    }

    /// Makes what stands as it is recorded, of these networks or of all. What others put where they
    /// have rules, and only ours belong, goes; the report says what that was. Where rules of a network
    /// stand that no record names, nothing goes.
    ///
    /// # Errors
    /// If one of them does not run, or the kernel refuses: nothing has changed then.
    pub fn repair(&mut self, names: &[Name]) -> Result<Report, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        self.check_can_look()?;
        // It adopts no network, and names those without a record.
        let is_meant = self.chosen_table();
        let adoption = Self::adoption(&[], &is_meant);
        let goal = |_: &Running<'_>| Ok(Goal::Repaired(names.to_vec()));
        if let Some(report) = self.engine().reach_nothing(goal, Some(&adoption))? {
            return Ok(report);
        }
        // Flows are mended too, where they could not be when the NAT rules came.
        match self.change_after(adoption, goal, named) {
            Err(EngineError::State(StateError::Older { .. })) => {
                let lock = self.state.lock(PATIENCE)?;
                self.state.renew(&lock)?;
                drop(lock);
                // What an earlier build recorded is rebuilt as a whole.
                let goal = |_: &Running<'_>| Ok(Goal::Repaired(Vec::new()));
                self.change_after(adoption, goal, named)
            }
            result => result,
        }
    }

    /// Moves all running networks to where this choice puts them. All or nothing, and with no
    /// moment without rules. They keep their order, and since when they run.
    ///
    /// # Errors
    /// If the kernel refuses: all networks are where they were then.
    pub fn migrate(&mut self, to: &Choice) -> Result<Report, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        let namespace = self.namespace.clone();
        let goal = |running: &Running<'_>| {
            let moved = |record: &Record| {
                let running = Some(&record.placement);
                let placement = to.placement(running, &Choice::default(), Choice::default);
                let placement = usual::settled(namespace.as_deref(), placement);
                let why = "moved here by `migrate`";
                Desired::new(&record.network, &record.owner, placement.into(), why.into())
            };
            Ok(Goal::Moved(running.all()?.into_iter().map(moved).collect()))
        };
        self.change_running(goal, came)
    }

    /// Finishes or undoes what an interrupted process left. Everything that changes networks does
    /// so by itself.
    ///
    /// # Errors
    /// If that fails; it can be tried again.
    pub fn recover(&mut self) -> Result<Recovered, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        let recovered = self.engine().recover()?;
        self.tell_flows_of(recovered);
        Ok(recovered)
    }

    fn reach(
        &mut self,
        networks: &[Network],
        goal: impl Fn(Vec<Desired>) -> Goal,
    ) -> Result<Report, EngineError> {
        let goal = self.goal(networks, goal);
        if networks.is_empty() {
            return self.change_running(goal, came);
        }
        let mut report = self.change(networks, goal, came)?;
        self.note_shortcomings(&mut report);
        Ok(report)
    }

    /// The goal of running networks, and no others of this owner.
    fn exactly(&self) -> impl Fn(Vec<Desired>) -> Goal + use<> {
        let owner = self.owner.clone();
        move |desired| Goal::Exactly {
            desired,
            owner: owner.clone(),
        }
    }

    /// The same for what brings no network: where none ever ran, nothing is made to find that out.
    fn change_running(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        looked_at: fn(&Report) -> Vec<Name>,
    ) -> Result<Report, EngineError> {
        let is_meant = self.chosen_table();
        let adoption = Self::adoption(&[], &is_meant);
        match self.engine().reach_nothing(&goal, Some(&adoption))? {
            Some(report) => Ok(report),
            None => self.change(&[], goal, looked_at),
        }
    }

    /// Adopts networks whose records were lost, these by their definitions, and reaches a goal.
    fn change(
        &mut self,
        networks: &[Network],
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        looked_at: fn(&Report) -> Vec<Name>,
    ) -> Result<Report, EngineError> {
        let is_meant = self.chosen_table();
        let adoption = Self::adoption(networks, &is_meant);
        self.change_after(adoption, goal, looked_at)
    }

    /// Adopts networks and reaches a goal. Then ends the flows of those networks of the report that
    /// `looked_at` names which began before the NAT rules came; what is to be said of them is a note in the
    /// report.
    fn change_after(
        &mut self,
        adoption: Adoption<'_>,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        looked_at: fn(&Report) -> Vec<Name>,
    ) -> Result<Report, EngineError> {
        // The engine would do so by itself, but not tell.
        let lock = self.state.lock(PATIENCE)?;
        let recovered = self.engine().recover_under(&lock)?;
        let notes = self.end_flows_of(recovered);
        let mut report = self.engine().reach_under(goal, Some(&adoption), &lock)?;
        drop(lock);
        report.notes.extend(notes);
        self.see_after(&mut report, looked_at);
        Ok(report)
    }

    /// Sees to what an interrupted process left, before something is read.
    fn recover_if_idle(&mut self) -> Result<(), EngineError> {
        let recovered = self.engine().recover_if_idle()?;
        self.tell_flows_of(recovered);
        Ok(())
    }

    /// The rules that a recorded network needs, of whichever of them its backend omits. Empty if this
    /// build does not have that backend.
    #[must_use]
    pub fn rules(&self, record: &Record) -> Vec<Rule> {
        let placement = &record.placement;
        let backend = self.backend(placement);
        backend.map_or_else(Vec::new, |b| b.rules(&record.network, placement))
    }

    /// Where in the kernel the rules of a placement are; none if this build cannot read the
    /// placement.
    #[must_use]
    pub fn location(&self, placement: &Placement) -> Option<Location> {
        self.backend(placement)?.location(placement)
    }

    /// The rules of networks where a placement puts them, as packets of a family meet them.
    ///
    /// # Errors
    /// If the kernel cannot be read, or this build cannot read the placement.
    pub fn installed(
        &mut self,
        placement: &Placement,
        family: Family,
    ) -> Result<InstalledRules, BackendError> {
        let mut backends = self.backends.iter_mut();
        match backends.find(|backend| backend.id() == placement.backend) {
            Some(backend) => backend.installed(placement, family),
            None => Ok(InstalledRules::default()),
        }
    }

    fn backend(&self, placement: &Placement) -> Option<&dyn Backend> {
        let mut backends = self.backends.iter();
        let found = backends.find(|backend| backend.id() == placement.backend);
        found.map(|backend| &**backend)
    }

    /// The network namespace, as a file; none for the caller's.
    #[must_use]
    pub fn namespace(&self) -> Option<&Path> {
        self.namespace.as_deref()
    }

    /// The state directory: the records of the running networks, and what an interrupted change
    /// left. Nothing is recovered.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    fn engine(&mut self) -> Engine<'_> {
        Engine {
            state: &self.state,
            backends: &mut self.backends,
            host_actions: &mut self.host_actions,
        }
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
