//! Watching the ruleset: what others do to our rules is told as it happens, and put back.
//!
//! nf_tables tells of each commit; of the tables of legacy iptables, which tell nothing, those that
//! networks are in are looked at every two seconds. The lock is held only while something is put
//! back or looked at, so that commands work beside a watch. While one of them is at work, a watch
//! waits: what it does is not recorded yet.

mod meaning;
mod notice;
mod pace;

use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use palisade_core::backend::Discrepancy;
use palisade_core::engine::EngineError;
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::Name;
use palisade_core::state::Record;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::{SocketError, TransportError, Waited};
use palisade_nft::events::{Commit, Events, Silence};
use thiserror::Error;

use crate::firewall::{Firewall, OpenError};
use crate::options::Options;
use meaning::Meaning;
use pace::Pace;

pub use notice::{Change, Notice, Process, now};

/// The tables that report no changes.
const SILENT: Location = Location::SharedTables(Subsystem::IpTables);
/// How often tables that tell nothing are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long to wait after a repair that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long to wait for another process of ours.
const FOR_OURS: Duration = Duration::from_millis(20);

/// What to do about what others broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heal {
    /// It is told.
    #[default]
    Never,
    /// It is put back, at once.
    AtOnce,
}

/// Why watching ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The firewall could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The kernel lets nobody listen.
    #[error(transparent)]
    Listen(#[from] SocketError),
    /// The state, when watching began.
    #[error(transparent)]
    State(#[from] EngineError),
    /// The kernel cannot be heard any more.
    #[error("changes to the ruleset cannot be heard: {0}")]
    Heard(#[from] TransportError),
}

impl Hint for WatchError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) => error.kind(),
            Self::Listen(error) => error.kind(),
            Self::State(error) => error.kind(),
            Self::Heard(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Listen(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::Heard(error) => error.hint(),
        }
    }
}

/// A watch over the ruleset of one network namespace.
pub struct Watch {
    events: Events,
    firewall: Firewall,
    heal: Heal,
    pace: Pace,
    /// The records that were last seen: what goes is known by them.
    records: Vec<Record>,
    /// Those before them, and when others were read. A state that somebody deletes is empty before it is gone.
    lately: Option<(Instant, Vec<Record>)>,
    /// Commits that may be about networks and were not told yet.
    heard: Vec<Commit>,
    /// What others did before our jumps: it is told where it turns out that something differs.
    suspected: Vec<Change>,
    /// Whether something may stand otherwise than it is recorded.
    in_doubt: bool,
    /// When to look at tables that tell nothing.
    next_look: Instant,
    /// What differed when it was last told, so that it is told once.
    told: Vec<Discrepancy>,
    /// What was not in effect on the host at the last look.
    told_of_host: Vec<Discrepancy>,
    /// Whether it was told that the state vanished.
    has_vanished: bool,
}

/// Why a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waking {
    /// Somebody woke us.
    Woken,
    /// Something happened, or the time is over: what there is to tell.
    Notices(Vec<Notice>),
}

impl Watch {
    /// Begins to watch. What differs already counts as a change: it is told, or healed, by the first
    /// [`wait`](Self::wait).
    ///
    /// # Errors
    /// If the firewall cannot be opened, or listening is not allowed.
    pub fn open(options: &Options, heal: Heal) -> Result<Self, WatchError> {
        // First the ears: what happens while the rest is opened is not missed.
        let events = Events::listen(options.namespace.as_deref())?;
        let mut firewall = Firewall::open(options)?;
        let records = firewall.running()?;
        Ok(Self {
            events,
            firewall,
            heal,
            pace: Pace::default(),
            records,
            lately: None,
            heard: Vec::new(),
            suspected: Vec::new(),
            in_doubt: true,
            next_look: Instant::now(),
            told: Vec::new(),
            told_of_host: Vec::new(),
            has_vanished: false,
        })
    }

    /// Counts everything as changed: the next [`wait`](Self::wait) looks at all that is recorded.
    pub fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// Waits until there is something to tell, or `wake` has something to read; two seconds at most.
    /// What is to be put back, is, before this returns.
    ///
    /// # Errors
    /// If the kernel cannot be heard any more. Whatever else goes wrong is a notice.
    pub fn wait(&mut self, wake: BorrowedFd<'_>) -> Result<Waking, WatchError> {
        let has_work = self.in_doubt || !self.heard.is_empty();
        let retry = self.pace.next().filter(|_| has_work);
        let until = match retry {
            Some(retry) => retry.min(self.next_look),
            None if has_work => Instant::now(),
            None => self.next_look,
        };
        if self.events.wait(wake, Some(until))? == Waited::Woken {
            return Ok(Waking::Woken);
        }
        let mut notices = Vec::new();
        self.catch_up(&mut notices)?;
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + LOOK_EVERY;
            self.refresh(&mut notices)?;
            self.look_at_the_silent(&mut notices);
            self.look_at_the_host(&mut notices);
        }
        if self.in_doubt {
            self.resolve(&mut notices)?;
        }
        Ok(Waking::Notices(notices))
    }

    /// Hears what the kernel told since, and tells it; whether there was anything.
    fn catch_up(&mut self, notices: &mut Vec<Notice>) -> Result<bool, WatchError> {
        self.hear(notices)?;
        let has_heard = !self.heard.is_empty();
        if has_heard {
            self.understand(notices);
        }
        Ok(has_heard)
    }

    /// What the kernel told since.
    fn hear(&mut self, notices: &mut Vec<Notice>) -> Result<(), WatchError> {
        let (commits, silence) = self.events.heard()?;
        let meaning = Meaning::new(&self.firewall, &[], &self.records);
        for commit in commits {
            if meaning.may_tell(&commit) {
                self.heard.push(commit);
            } else if meaning.may_concern(&commit) {
                self.in_doubt = true;
                self.suspected.extend(meaning.before_ours(&commit));
            }
        }
        if matches!(silence, Silence::Overrun) {
            notices.push(Notice::Overrun);
            self.in_doubt = true;
        }
        Ok(())
    }

    /// Tells commits that were heard, once no process of ours is at work: only then the records say
    /// what it did, and who did it.
    fn understand(&mut self, notices: &mut Vec<Notice>) {
        let records = match self.firewall.running_at_rest() {
            Ok(Some(records)) => records,
            Ok(None) => {
                self.pace.wait_until(Instant::now() + FOR_OURS);
                return;
            }
            Err(error) => {
                self.failed(&error, notices);
                self.records.clone()
            }
        };
        let before = self.remember(records);
        let ours = self.firewall.processes();
        let meaning = Meaning::new(&self.firewall, &before, &self.records);
        for commit in std::mem::take(&mut self.heard) {
            let Some(mut change) = meaning.of(&commit) else {
                self.in_doubt |= meaning.may_concern(&commit);
                self.suspected.extend(meaning.before_ours(&commit));
                continue;
            };
            let process = change.process.as_ref().map(|process| process.id);
            change.own |= process.is_some_and(|process| ours.contains(&process));
            // A saved ruleset that somebody loads has a marker too: only what this process did needs
            // no second look.
            self.in_doubt |= !(change.own && process == Some(std::process::id()));
            notices.push(Notice::Changed(change));
        }
    }

    /// Reads the records again, and takes back what nobody confirmed in time.
    fn refresh(&mut self, notices: &mut Vec<Notice>) -> Result<(), WatchError> {
        match self.firewall.undo_due() {
            Ok(Some(report)) => notices.push(Notice::TakenBack(report)),
            Ok(None) => {}
            Err(error) => self.failed(&error, notices),
        }
        if !self.heard.is_empty() {
            return Ok(()); // What they did is told by the records from before it.
        }
        let read = self.firewall.running();
        // What the records say was told before they were written, perhaps a moment ago.
        if self.catch_up(notices)? {
            return Ok(());
        }
        match read {
            Ok(records) => {
                // Somebody records networks again: what they are is looked at.
                self.in_doubt |= std::mem::take(&mut self.has_vanished);
                self.remember(records);
            }
            Err(error) => self.failed(&error, notices),
        }
        Ok(())
    }

    /// Looks at the networks whose tables tell nothing of changes.
    fn look_at_the_silent(&mut self, notices: &mut Vec<Notice>) {
        let silent: Vec<Name> = self
            .records
            .iter()
            .filter(|record| self.firewall.location(&record.placement) == Some(SILENT))
            .map(|record| record.network.name().clone())
            .collect();
        if silent.is_empty() || self.in_doubt {
            return;
        }
        match self.firewall.verify_at_rest(&silent) {
            Ok(None) => {}
            Ok(Some(differences)) if differences.is_empty() => self.told.clear(),
            Ok(Some(differences)) => {
                self.in_doubt = true;
                // Nothing else says what it is that is put back.
                if self.heal == Heal::AtOnce && differences != self.told {
                    self.told.clone_from(&differences);
                    notices.push(Notice::Differs(differences));
                }
            }
            Err(error) => self.failed(&error, notices),
        }
    }

    /// Looks at what is done on the host for networks beside rules: of that, no event tells.
    fn look_at_the_host(&mut self, notices: &mut Vec<Notice>) {
        let has_actions = |record: &Record| !record.actions.is_empty();
        if self.in_doubt || !self.records.iter().any(has_actions) {
            return;
        }
        match self.firewall.verify_actions_at_rest() {
            Ok(None) => {}
            Ok(Some(found)) => {
                let is_new = found != self.told_of_host;
                self.in_doubt = match self.heal {
                    Heal::Never => is_new,
                    Heal::AtOnce => !found.is_empty(),
                };
                // Nothing else says what it is that is put back.
                if self.heal == Heal::AtOnce && is_new && !found.is_empty() {
                    notices.push(Notice::Differs(found.clone()));
                }
                self.told_of_host = found;
            }
            Err(error) => self.failed(&error, notices),
        }
    }

    /// Who made something differ, where that was not in our chains.
    fn tell_suspected(&mut self, notices: &mut Vec<Notice>) {
        let ours = self.firewall.processes();
        for change in std::mem::take(&mut self.suspected) {
            let process = change.process.as_ref().map(|process| process.id);
            if !process.is_some_and(|process| ours.contains(&process)) {
                notices.push(Notice::Changed(change));
            }
        }
    }

    /// Puts back what differs, or tells it.
    fn resolve(&mut self, notices: &mut Vec<Notice>) -> Result<(), WatchError> {
        match self.heal {
            Heal::Never => self.tell(notices),
            Heal::AtOnce => self.put_back(notices),
        }
    }

    fn tell(&mut self, notices: &mut Vec<Notice>) -> Result<(), WatchError> {
        let now = Instant::now();
        if !self.pace.allows(now) {
            return Ok(());
        }
        let found = match self.firewall.verify_at_rest(&[]) {
            Ok(None) => {
                self.pace.wait_until(now + FOR_OURS);
                return Ok(());
            }
            Ok(Some(differences)) => Some(differences),
            Err(error) => {
                self.failed(&error, notices);
                None
            }
        };
        self.in_doubt = false;
        // Who made something different is told before it.
        self.catch_up(notices)?;
        match found {
            Some(differences) if differences != self.told => {
                self.tell_suspected(notices);
                self.told.clone_from(&differences);
                notices.push(Notice::Differs(differences));
            }
            // What was heard meanwhile is looked at next.
            Some(_) if !self.in_doubt => self.suspected.clear(),
            _ => {}
        }
        Ok(())
    }

    fn put_back(&mut self, notices: &mut Vec<Notice>) -> Result<(), WatchError> {
        let now = Instant::now();
        if !self.pace.allows(now) {
            if let Some(pause) = self.pace.rest(now) {
                notices.push(Notice::Restless { pause });
            }
            return Ok(());
        }
        match self.firewall.repair(&[]) {
            Ok(report) => {
                self.in_doubt = false;
                if report.changes.is_empty() && report.notes.is_empty() {
                    self.suspected.clear();
                } else {
                    self.pace.healed(now);
                    self.told.clear();
                    // What was put back may have come after all that was heard.
                    self.hear(notices)?;
                    self.tell_suspected(notices);
                    notices.push(Notice::Healed(report));
                }
            }
            Err(error) => {
                self.pace.wait_until(now + AFTER_FAILURE);
                self.failed(&error, notices);
                // Nobody knows what to put back until somebody records networks again.
                self.in_doubt &= !self.has_vanished;
            }
        }
        Ok(())
    }

    /// Takes the records as they are now; returns those before.
    fn remember(&mut self, records: Vec<Record>) -> Vec<Record> {
        let before = std::mem::replace(&mut self.records, records);
        if before != self.records {
            self.lately = Some((Instant::now(), before.clone()));
        }
        before
    }

    /// Tells what went wrong; that the state vanished, once.
    fn failed(&mut self, error: &EngineError, notices: &mut Vec<Notice>) {
        if !matches!(error, EngineError::State(error) if error.has_vanished()) {
            notices.push(Notice::failed(error));
        } else if !std::mem::replace(&mut self.has_vanished, true) {
            // What becomes of rules that no record names is told by those of a moment ago.
            if let Some((read, before)) = self.lately.take()
                && read.elapsed() < 2 * LOOK_EVERY
                && before.len() > self.records.len()
            {
                self.records = before;
            }
            notices.push(Notice::vanished(error, &self.records));
        }
    }
}
