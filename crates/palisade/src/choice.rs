//! What a caller can choose for networks.

use std::fmt;
use std::str::FromStr;

use palisade_core::network::{Established, Network};
#[cfg(feature = "iptables")]
use palisade_iptables::run::Programs;
use palisade_nft::backend::Settings;
use palisade_nft::layout::{Layout, TableName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which backend holds a network's rules, and where. What is not chosen is left to the next in line:
/// the record of a running network, the configuration, the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The backend.
    pub backend: Option<BackendChoice>,
    /// How the nftables backend lays them out.
    pub layout: Option<Layout>,
    /// The nftables backend's table.
    pub table: Option<TableName>,
    /// Which family of programs the iptables backend uses.
    #[cfg(feature = "iptables")]
    pub iptables: Option<Programs>,
    /// When packets of established connections are accepted; for any backend.
    pub established: Option<Established>,
}

/// A backend that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum BackendChoice {
    /// The first one that works on this host.
    #[default]
    Auto,
    /// nf_tables, over netlink.
    Nftables,
    /// ip_tables or nf_tables, through `iptables-restore`.
    #[cfg(feature = "iptables")]
    Iptables,
    /// No rules are installed; networks are recorded.
    None,
}

/// Not the name of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no backend: there are `auto`, `nftables`, `iptables` and `none`")]
pub struct UnknownBackend(pub String);

impl BackendChoice {
    const ALL: &[Self] = &[
        Self::Auto,
        Self::Nftables,
        #[cfg(feature = "iptables")]
        Self::Iptables,
        Self::None,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Nftables => "nftables",
            #[cfg(feature = "iptables")]
            Self::Iptables => "iptables",
            Self::None => "none",
        }
    }
}

impl FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        let mut all = Self::ALL.iter().copied();
        all.find(|choice| choice.name() == text)
            .ok_or_else(|| UnknownBackend(text.to_owned()))
    }
}

impl TryFrom<String> for BackendChoice {
    type Error = UnknownBackend;

    fn try_from(text: String) -> Result<Self, UnknownBackend> {
        text.parse()
    }
}

impl From<BackendChoice> for &'static str {
    fn from(choice: BackendChoice) -> Self {
        choice.name()
    }
}

impl fmt::Display for BackendChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Choice {
    /// This choice, completed by another where nothing was chosen.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            backend: self.backend.or(other.backend),
            layout: self.layout.or(other.layout),
            table: self.table.clone().or_else(|| other.table.clone()),
            #[cfg(feature = "iptables")]
            iptables: self.iptables.or(other.iptables),
            established: self.established.or(other.established),
        }
    }

    /// These networks as they would run by this choice if none of them runs yet: packets of
    /// established connections are accepted when the choice says so.
    #[must_use]
    pub fn applied_to(&self, networks: &[Network]) -> Vec<Network> {
        let chosen = |network: &Network| match self.established {
            Some(established) => network.clone().with_established(established),
            None => network.clone(),
        };
        networks.iter().map(chosen).collect()
    }

    /// Whether it names a backend.
    pub(crate) fn is_of_backend(&self) -> bool {
        self.backend
            .is_some_and(|backend| backend != BackendChoice::Auto)
    }

    /// The nftables backend's part, with the defaults where nothing was chosen.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            layout: self.layout.unwrap_or_default(),
            table: self.table.clone().unwrap_or_default(),
        }
    }
}
