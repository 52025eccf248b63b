//! Where networks are placed by this backend: with which family of programs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use palisade_core::backend::{BackendId, Placement};
use palisade_core::network::UnknownEstablished;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::run::{Programs, UnknownPrograms};

/// The backend.
pub const ID: BackendId = BackendId::new("iptables");
const PROGRAMS: &str = "programs";

/// A family of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Settings {
    /// Which programs install rules, and remove them again.
    pub programs: Programs,
}

/// A placement that is none of this backend's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Of another backend.
    #[error("backend `{0}` is not iptables")]
    Backend(BackendId),
    /// No such programs.
    #[error(transparent)]
    Programs(#[from] UnknownPrograms),
    /// No time at which packets of known flows are accepted.
    #[error(transparent)]
    Established(#[from] UnknownEstablished),
    /// A setting that this build does not know.
    #[error("iptables has no setting `{0}`")]
    Unknown(String),
}

impl Hint for SettingsError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::State
    }

    fn hint(&self) -> Cow<'_, str> {
        "see `palisade list` for where networks are".into()
    }
}

impl From<&Settings> for Placement {
    fn from(settings: &Settings) -> Self {
        let programs = settings.programs.to_string();
        Self {
            backend: ID,
            settings: BTreeMap::from([(PROGRAMS.to_owned(), programs)]),
        }
    }
}

impl TryFrom<&Placement> for Settings {
    type Error = SettingsError;

    fn try_from(placement: &Placement) -> Result<Self, SettingsError> {
        if placement.backend != ID {
            return Err(SettingsError::Backend(placement.backend.clone()));
        }
        let mut settings = Self::default();
        for (name, value) in &placement.settings {
            match name.as_str() {
                PROGRAMS => settings.programs = value.parse()?,
                // It is about the network's rules, and the network has it.
                Placement::ESTABLISHED => drop(placement.established()?),
                _ => return Err(SettingsError::Unknown(name.clone())),
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_read_as_they_are_written() {
        for programs in ["auto", "legacy", "nft"] {
            let settings = Settings {
                programs: programs.parse().unwrap(),
            };
            let placement = Placement::from(&settings);
            assert_eq!(placement.setting("programs"), Some(programs));
            assert_eq!(Settings::try_from(&placement), Ok(settings));
        }
        let other = |backend: &'static str, name: &str| Placement {
            backend: BackendId::new(backend),
            settings: BTreeMap::from([(name.to_owned(), "nft".to_owned())]),
        };
        assert!(Settings::try_from(&other("nftables", "programs")).is_err());
        assert!(Settings::try_from(&other("iptables", "layout")).is_err());
    }
}
