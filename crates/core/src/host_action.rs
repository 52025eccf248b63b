//! What palisade does on the host for a network, beside its rules.
//!
//! A [`HostAction`] is a value with an identity, its kind and its bridge, and it is part of the
//! network's record. Each kind of action is one implementation of [`HostActionKind`]. The engine
//! decides with it before anything changes, writes the actions into the journal with the records,
//! does them after the rules, and takes them back with the rules.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backend::Placement;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::network::{InterfaceName, Network};

/// The id of a kind of action, as records have it: also that of a kind that this build lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostActionId(Cow<'static, str>);

impl HostActionId {
    /// The kind of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl fmt::Display for HostActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Something that palisade does on the host for one network. A bridge has at most one action of a
/// kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAction {
    /// Its kind.
    pub kind: HostActionId,
    /// The bridge that it is done to.
    pub bridge: InterfaceName,
    /// What its kind must know to do it and to undo it exactly, by name.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
    /// Why it is not in effect although the network needs it, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<String>,
}

impl HostAction {
    /// An action without settings.
    #[must_use]
    pub fn new(kind: HostActionId, bridge: InterfaceName) -> Self {
        Self {
            kind,
            bridge,
            settings: BTreeMap::new(),
            omitted: None,
        }
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same, not done for this reason.
    #[must_use]
    pub fn omitted(mut self, reason: String) -> Self {
        self.omitted = Some(reason);
        self
    }

    /// A setting, if it was made.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// Whether both are of one kind and one bridge: at most one of them can be in effect.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.kind, &self.bridge) == (&other.kind, &other.bridge)
    }
}

/// Whether an action is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is.
    Present,
    /// It is not, although it could be.
    Missing,
    /// There is nothing to do it to: no such bridge, or no such service.
    Moot,
}

/// For which network an action is considered, and when.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The network.
    pub network: &'a Network,
    /// Where its rules go.
    pub placement: &'a Placement,
    /// The action of this kind that is recorded for its bridge.
    pub recorded: Option<&'a HostAction>,
    /// Whether the network starts. What a network that runs needs must not fail for what the host
    /// has lost since.
    pub is_start: bool,
}

/// A kind of action on the host.
pub trait HostActionKind: Send {
    /// The id by which records know it.
    fn id(&self) -> HostActionId;

    /// Whether a network may run without it. Then a failure is reported, and the reason recorded.
    fn is_optional(&self) -> bool;

    /// The action that a network needs, made ready; none if it needs none. Nothing changes.
    ///
    /// # Errors
    /// If the network needs it and the host cannot do it, or does not answer.
    fn needed(&mut self, need: Need<'_>) -> Result<Option<HostAction>, HostActionError>;

    /// Whether an action is in effect.
    ///
    /// # Errors
    /// If the host does not answer.
    fn effect(&mut self, action: &HostAction) -> Result<Effect, HostActionError>;

    /// Does it. Nothing changes if it is done already.
    ///
    /// # Errors
    /// If the host refuses.
    fn apply(&mut self, action: &HostAction) -> Result<(), HostActionError>;

    /// Undoes it, and nothing that others did. Nothing changes if it is not in effect.
    ///
    /// # Errors
    /// If the host refuses.
    fn undo(&mut self, action: &HostAction) -> Result<(), HostActionError>;

    /// What an action brings about, for people: `DHCP checksums recomputed on virbr0`.
    fn words(&self, action: &HostAction) -> String;

    /// The same in one line, in the words of the usual program.
    fn line(&self, action: &HostAction) -> String;
}

/// Why an action was not done.
#[derive(Debug)]
pub struct HostActionError(Box<dyn Hint + Send + Sync>);

impl HostActionError {
    /// An error of a kind of action.
    pub fn new(source: impl Hint + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl fmt::Display for HostActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for HostActionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl Hint for HostActionError {
    fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    fn hint(&self) -> Cow<'_, str> {
        self.0.hint()
    }
}
