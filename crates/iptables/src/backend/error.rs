//! Why the iptables backend could not do what the engine asked for.

use std::borrow::Cow;

use palisade_core::backend::BackendError;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::envelope::StepError;
use super::settings::{ID, SettingsError};
use crate::run::RestoreError;

/// Why a plan could not be made, or not be carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IptablesError {
    /// A program.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// A record or a choice that is none of this backend's.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A step that is none of this backend's.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl Hint for IptablesError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Restore(error) => error.kind(),
            Self::Settings(error) => error.kind(),
            Self::Step(_) => ErrorKind::State,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Restore(error) => error.hint(),
            Self::Settings(error) => error.hint(),
            Self::Step(_) => "the build that planned it can finish it".into(),
        }
    }
}

impl From<IptablesError> for BackendError {
    fn from(error: IptablesError) -> Self {
        Self::new(ID, error)
    }
}
