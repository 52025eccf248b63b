//! In place of firewalld, where this build leaves it out: a zone that a network needs is an error.

use std::borrow::Cow;
use std::convert::Infallible;
use std::path::Path;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

pub(super) struct Firewalld;

/// What cannot be asked for here.
pub(super) trait Zones {
    fn zones(&mut self) -> Result<Vec<String>, FirewalldError>;
    fn policies(&mut self) -> Result<Vec<String>, FirewalldError>;
    fn zone_of(&mut self, interface: &str) -> Result<Option<String>, FirewalldError>;
    fn put(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError>;
    fn take_out(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError>;
}

impl Firewalld {
    pub(super) fn of(_namespace: Option<&Path>) -> Self {
        Self
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // As with firewalld.
    pub(super) fn running(&mut self) -> Result<Option<Infallible>, FirewalldError> {
        Ok(None)
    }
}

impl Zones for Infallible {
    fn zones(&mut self) -> Result<Vec<String>, FirewalldError> {
        match *self {}
    }

    fn policies(&mut self) -> Result<Vec<String>, FirewalldError> {
        match *self {}
    }

    fn zone_of(&mut self, _interface: &str) -> Result<Option<String>, FirewalldError> {
        match *self {}
    }

    fn put(&mut self, _interface: &str, _zone: &str) -> Result<(), FirewalldError> {
        match *self {}
    }

    fn take_out(&mut self, _interface: &str, _zone: &str) -> Result<(), FirewalldError> {
        match *self {}
    }
}

/// Why a bridge is not in its zone.
#[derive(Debug, Error)]
pub(super) enum FirewalldError {
    #[error("the bridge must be in zone `{zone}`, and this build cannot speak with firewalld")]
    Absent { zone: String },
    #[error("firewalld has no zone `{zone}`")]
    Unknown { zone: String, known: Vec<String> },
}

impl Hint for FirewalldError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Absent { .. } => {
                "build with the feature `firewalld`, or take the zone out of the definition".into()
            }
            Self::Unknown { known, .. } => format!("it has {}", known.join(", ")).into(),
        }
    }
}
