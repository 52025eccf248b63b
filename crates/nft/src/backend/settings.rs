//! Where networks are placed in nf_tables: a layout and a table.

use std::collections::BTreeMap;

use palisade_core::backend::{BackendId, Placement};
use palisade_core::network::UnknownEstablished;
use thiserror::Error;

use crate::layout::{Layout, TableName, TableNameError, UnknownLayout};

/// The backend.
pub const ID: BackendId = BackendId::new("nftables");
const LAYOUT: &str = "layout";
const TABLE: &str = "table";

/// A layout in a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Settings {
    /// How rules are laid out.
    pub layout: Layout,
    /// The table, of the families ip and ip6.
    pub table: TableName,
}

/// A placement that is none of this backend's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Of another backend.
    #[error("backend `{0}` is not nftables")]
    Backend(BackendId),
    /// No such layout.
    #[error(transparent)]
    Layout(#[from] UnknownLayout),
    /// No name for a table.
    #[error(transparent)]
    Table(#[from] TableNameError),
    /// No time at which packets of known flows are accepted.
    #[error(transparent)]
    Established(#[from] UnknownEstablished),
    /// A setting that this build does not know.
    #[error("nftables has no setting `{0}`")]
    Unknown(String),
}

impl From<&Settings> for Placement {
    fn from(settings: &Settings) -> Self {
        Self {
            backend: ID,
            settings: BTreeMap::from([
                (LAYOUT.to_owned(), settings.layout.to_string()),
                (TABLE.to_owned(), settings.table.to_string()),
            ]),
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
                LAYOUT => settings.layout = value.parse()?,
                TABLE => settings.table = value.parse()?,
                // It is about the network's rules, and the network has it.
                Placement::ESTABLISHED => drop(placement.established()?),
                _ => return Err(SettingsError::Unknown(name.clone())),
            }
        }
        Ok(settings)
    }
}
