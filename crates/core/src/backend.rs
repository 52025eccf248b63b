//! What a backend is: whoever makes the kernel enforce rules.
//!
//! A backend plans a [`Change`] into [`Step`]s, each of which happens as a whole or not at all,
//! and then runs them. What a step's bytes are is its own affair: a netlink batch, or the input of
//! `iptables-restore`. Between planning and running, the engine writes down what will stand.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::error::Error;
use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::evaluate::Ground;
use crate::hint::Hint;
use crate::location::Location;
use crate::network::{Family, Name, Network};
use crate::record::Record;
use crate::rules::{Matches, Rule, RuleKind};
use crate::storage::Lock;
use crate::unrecorded::Unrecorded;
use crate::uses::Uses;

pub use crate::backend_id::BackendId;
pub use crate::counted::Counted;
pub use crate::installed::{Installed, Placement};

/// What shall become different.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// Running networks that stay, and are not looked at: for a backend that asks for them
    /// ([`Backend::looks_at_kept`]), otherwise none.
    pub keep: Vec<&'a Record>,
    /// What is recorded for all of those, by place.
    pub kept: Uses,
    /// Running networks that stay: what is missing of them is put back, and what is recorded
    /// beyond what they need goes.
    pub restore: Vec<&'a Record>,
    /// Networks of which exactly what is recorded goes.
    pub remove: Vec<&'a Record>,
    /// Networks that come, in the order in which they start.
    pub add: Vec<Addition<'a>>,
    /// The ruleset's generation, if it is still the one in which our last change left it: what is
    /// recorded stands then, and need not be looked for.
    pub left_at: Option<u64>,
    /// What becomes of what others put where only ours belongs.
    pub foreign: Foreign,
    /// The name of the transaction that this is a part of: it marks the steps.
    pub transaction: String,
}

impl Change<'_> {
    /// Whether nothing shall become different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.restore.is_empty() && self.remove.is_empty() && self.add.is_empty()
    }
}

/// What becomes of rules of others in our chains, and of elements in our sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Foreign {
    /// They stay.
    #[default]
    Keep,
    /// They go from where the networks to [restore](Change::restore) have rules, and what is ours
    /// stands there in the order in which it was recorded.
    Remove,
}

/// A network that comes.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// The network.
    pub network: &'a Network,
    /// Where its rules go.
    pub placement: &'a Placement,
    /// Its rank among all networks, as its record will have it.
    pub order: u64,
}

/// A change, made ready.
#[derive(Debug, Default)]
pub struct Plan {
    /// What to do, in this order. Empty if all is as it shall be.
    pub steps: Vec<Step>,
    /// What will stand for each network of [`Change::add`], in that order.
    pub added: Vec<Vec<Installed>>,
    /// What will stand for each network of [`Change::restore`], in that order; none for those that
    /// stand as they shall.
    pub restored: Vec<Option<Vec<Installed>>>,
    /// The networks of which something was broken, where others are put back with them.
    pub broken: Option<BTreeSet<Name>>,
    /// What people should know: somebody's own rules that stay.
    pub notes: Vec<String>,
    /// What the steps do, as values: they are printed only for those who look.
    pub operations: Vec<Box<dyn Operations>>,
    /// The generation of the ruleset that was looked at.
    pub generation: Option<u64>,
}

/// Operations of a backend, as they are sent.
pub trait Operations: fmt::Debug {
    /// Each operation, as the backend's usual program would print it, in the order in which they are sent.
    fn lines(&self) -> Vec<Line>;
}

/// A rule, an element or an object that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The network that it is of; none where it serves all of them.
    #[serde(skip)]
    pub network: Option<Name>,
    /// Whether it comes or goes.
    pub sign: Sign,
    /// What it is, in the words of the backend's usual program.
    pub text: String,
}

/// Whether something comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Sign {
    /// It comes.
    #[serde(rename = "+")]
    Comes,
    /// It goes.
    #[serde(rename = "-")]
    Goes,
}

/// What happens as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, in a few words for people.
    pub what: String,
    /// What to do, in the backend's own form.
    pub payload: Vec<u8>,
    /// What takes it back, in the same form. Empty where that takes a new plan: back to the records
    /// from before.
    pub undo: Vec<u8>,
}

/// What a backend did.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// The ruleset's generation after it, if nobody else can have moved it meanwhile.
    pub generation: Option<u64>,
    /// The process that the kernel did it for, where what it did bears no mark of the transaction's.
    pub process: Option<u32>,
}

/// A rule or an element as it stands in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The family of packets that it sees.
    pub family: Family,
    /// The chain or set that it is in.
    pub place: String,
    /// What it is for, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<RuleKind>,
    /// What it says, in the words of the backend's usual program.
    pub text: String,
    /// What it counted; none where nothing counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<Counted>,
    /// Whether it is recorded and missing in the kernel.
    pub missing: bool,
    /// What it matches, if it is installed for a [forward](RuleKind::is_of_forward).
    #[serde(skip)]
    pub forwarded: Option<Box<Matches>>,
}

/// A rule or an element that a network has at a placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedItem {
    /// The rule or element.
    pub installed: Installed,
    /// Whether the network runs without it where the kernel refuses it.
    pub is_optional: bool,
}

/// The rules of networks at a placement, of one family of packets, as they are installed.
#[derive(Default)]
pub struct InstalledRules {
    /// The rules of networks alone, as if no other program had any.
    pub own: Ground<'static>,
    /// The same with the rules of other programs that packets meet before in the same base chains,
    /// where there are any.
    pub shared: Option<Ground<'static>>,
    /// Why some of them could not be read, if so.
    pub unread: Option<String>,
}

/// Something that stands otherwise than it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// The network that it is about, if it is about one.
    pub network: Option<Name>,
    /// The table, chain, set or rule.
    pub object: String,
    /// In which way it differs.
    pub kind: DiscrepancyKind,
    /// More about it, in words.
    pub detail: String,
}

/// In which way something differs from what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiscrepancyKind {
    /// It is recorded and not there.
    Missing,
    /// It is there and says something else.
    Changed,
    /// It is where only ours belongs, and not ours.
    Foreign,
    /// It stands at another place among the others.
    Order,
    /// It is of a kind that this build does not know.
    Unreadable,
}

impl fmt::Display for DiscrepancyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Foreign => "foreign",
            Self::Order => "out of order",
            Self::Unreadable => "unreadable",
        })
    }
}

/// Whoever makes the kernel enforce rules.
pub trait Backend: Send {
    /// The id by which records know it.
    fn id(&self) -> BackendId;

    /// The rules that a network needs at one of this backend's placements, of whichever of them it
    /// [omits](Self::omission).
    fn rules(&self, network: &Network, placement: &Placement) -> Vec<Rule>;

    /// Where in the kernel the rules of a placement are; none if the placement is not valid for
    /// this backend.
    fn location(&self, placement: &Placement) -> Option<Location>;

    /// Why a rule of a running network is not installed, if it is not.
    fn omission(&self, record: &Record, rule: &Rule) -> Option<&'static str>;

    /// Whether planning this change takes the records of networks that stay and are not looked at.
    /// Without them, a change costs the same however many there are.
    fn looks_at_kept(&self, change: &Change<'_>) -> bool {
        let _ = change;
        true
    }

    /// The generation of the ruleset, if the kernel counts it: everybody's changes move it.
    ///
    /// # Errors
    /// If the kernel does not answer.
    fn generation(&mut self) -> Result<Option<u64>, BackendError>;

    /// Makes a change ready: looks at the kernel as far as needed, changes nothing.
    ///
    /// # Errors
    /// If the kernel cannot be read, or holds what is not ours where ours should be.
    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError>;

    /// Does one step of a plan: its payload, or its undo.
    ///
    /// # Errors
    /// If it did not happen, or it is not known whether it happened.
    ///
    /// Programs that it starts hold the `lock` too, until they end.
    fn run(&mut self, payload: &[u8], lock: &Lock) -> Result<Done, RunError>;

    /// Whether a step has happened, of which a process that died knows no more: seen from the
    /// kernel.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn has_landed(&mut self, step: &Step) -> Result<bool, BackendError>;

    /// What stands otherwise than it is recorded, where one of the networks `asked` for has rules:
    /// what is about another network may be told too. `records` are all networks of this backend,
    /// in the order in which they were started.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn verify(
        &mut self,
        records: &[&Record],
        asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError>;

    /// What carries palisade's marks or names at places where none of these networks, which are all of
    /// this backend, has rules: a lost or an old state directory leaves such rules. `recorded` are the
    /// networks of all backends.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn unclaimed(
        &mut self,
        records: &[&Record],
        recorded: &HashSet<&Name>,
    ) -> Result<Vec<Discrepancy>, BackendError> {
        let _ = (records, recorded);
        Ok(Vec::new())
    }

    /// The networks whose rules are installed and that none of these records names, which are all of this
    /// backend: in the order in which they were started, as far as that can be seen.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn unrecorded(&mut self, records: &[&Record]) -> Result<Vec<Unrecorded>, BackendError> {
        let _ = records;
        Ok(Vec::new())
    }

    /// What is installed for a network at a placement of this backend.
    fn items(&self, network: &Network, placement: &Placement) -> Vec<PlacedItem> {
        let _ = (network, placement);
        Vec::new()
    }

    /// Takes out of the records what the kernel refused of the last change although it is recorded
    /// as installed: what is optional. Whether there was any.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn note_refused(&mut self, records: &mut [Record]) -> Result<bool, BackendError> {
        let _ = records;
        Ok(false)
    }

    /// What stands in the kernel for each of these networks, seen in one look at each table.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError>;

    /// The rules of networks where a placement puts them, as packets of a family meet them.
    ///
    /// # Errors
    /// If the kernel cannot be read, or the placement is not valid for this backend.
    fn installed(
        &mut self,
        placement: &Placement,
        family: Family,
    ) -> Result<InstalledRules, BackendError>;

    /// Everything that stands where one of these placements puts rules, as text of the backend's
    /// usual program. Empty if nothing does.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    fn listing(&mut self, placements: &[&Placement]) -> Result<String, BackendError>;
}

/// A failure of a backend.
#[derive(Debug)]
pub struct BackendError {
    /// The backend.
    pub backend: BackendId,
    /// What happened.
    pub source: Box<dyn Hint + Send + Sync>,
}

impl BackendError {
    /// An error of a backend.
    pub fn new(backend: BackendId, source: impl Hint + Send + Sync + 'static) -> Self {
        let source = Box::new(source);
        Self { backend, source }
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.backend, self.source)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl Hint for BackendError {
    fn kind(&self) -> ErrorKind {
        self.source.kind()
    }

    fn hint(&self) -> Cow<'_, str> {
        self.source.hint()
    }
}

/// Why a step was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Somebody changed the ruleset after the plan was made: nothing happened.
    #[error("the ruleset changed while the change was made ready")]
    Stale,
    /// It failed as a whole.
    #[error(transparent)]
    Failed(BackendError),
    /// It is not known whether it happened: the kernel can be asked.
    #[error(transparent)]
    Unknown(BackendError),
}

impl Hint for RunError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Stale => ErrorKind::Busy,
            Self::Failed(error) | Self::Unknown(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Stale => "try `palisade recover` when other programs rest".into(),
            Self::Failed(error) | Self::Unknown(error) => error.hint(),
        }
    }
}
