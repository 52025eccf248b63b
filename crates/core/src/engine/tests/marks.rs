//! A kind of action on a host in memory: a mark on a bridge.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::host_action::{Effect, HostAction, HostActionError, HostActionId, HostActionKind, Need};
use crate::storage::memory::{Fate, Step as How};

pub(super) const ID: HostActionId = HostActionId::new("mark");
const OF: &str = "of";

/// The marked bridges, and the networks with subnets that they are marked for.
pub(super) type Marked = Arc<Mutex<BTreeMap<String, String>>>;

/// Marks the bridges of networks whose rules are at the backend `one`.
pub(super) struct Marks {
    pub(super) marked: Marked,
    pub(super) fate: Fate,
    pub(super) is_optional: bool,
}

#[derive(Debug, Error)]
#[error("the host refuses")]
struct Refused;

impl Hint for Refused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }

    fn hint(&self) -> Cow<'_, str> {
        "".into()
    }
}

/// The mark that an action makes.
pub(super) fn mark(action: &HostAction) -> (String, String) {
    let of = action.setting(OF).unwrap().to_owned();
    (action.bridge.to_string(), of)
}

impl Marks {
    fn change(
        &self,
        action: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Result<(), HostActionError> {
        let how = self.fate.next();
        if matches!(how, How::Work | How::Late) {
            action(&mut self.marked.lock().unwrap());
        }
        match how {
            How::Work => Ok(()),
            _ => Err(HostActionError::new(Refused)),
        }
    }
}

impl HostActionKind for Marks {
    fn id(&self) -> HostActionId {
        ID
    }

    fn is_optional(&self) -> bool {
        self.is_optional
    }

    fn needed(&mut self, need: Need<'_>) -> Result<Option<HostAction>, HostActionError> {
        let name = need.network.name().as_str();
        if need.is_start && name == "unmarkable" {
            return Err(HostActionError::new(Refused));
        }
        let recorded = need.recorded.filter(|recorded| recorded.omitted.is_none());
        if let (Some(recorded), false) = (recorded, need.is_start) {
            return Ok(Some(recorded.clone()));
        }
        let is_needed = need.placement.backend.name() == "one";
        let bridge = need.network.bridge().unwrap().clone();
        let of = format!("{name} {:?}", need.network.subnets());
        Ok(is_needed.then(|| HostAction::new(ID, bridge).with(OF, &of)))
    }

    fn effect(&mut self, action: &HostAction) -> Result<Effect, HostActionError> {
        let (bridge, of) = mark(action);
        let is_there = self.marked.lock().unwrap().get(&bridge) == Some(&of);
        Ok(if is_there {
            Effect::Present
        } else {
            Effect::Missing
        })
    }

    fn apply(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        let (bridge, of) = mark(action);
        self.change(|marked| {
            marked.insert(bridge, of);
        })
    }

    fn undo(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        let (bridge, of) = mark(action);
        self.change(|marked| {
            if marked.get(&bridge) == Some(&of) {
                marked.remove(&bridge);
            }
        })
    }

    fn words(&self, action: &HostAction) -> String {
        format!("a mark on {}", action.bridge)
    }

    fn line(&self, action: &HostAction) -> String {
        let (bridge, of) = mark(action);
        format!("mark {bridge} {of}")
    }
}
