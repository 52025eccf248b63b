//! Which backend holds a network's rules, and what it installed for them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backend_id::BackendId;
use crate::identity::Identity;
use crate::network::{Established, Family, UnknownEstablished};

/// By whom and where a network's rules are installed. What beside the backend's name belongs to
/// it (a layout, a table) is known to the backend alone; but for one setting, which every backend
/// has since it is about the rules themselves: [`Established`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Placement {
    /// The backend.
    pub backend: BackendId,
    /// Its settings, by name.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
}

impl Placement {
    /// The name of the setting that says when packets of known flows are accepted.
    pub const ESTABLISHED: &str = "established";

    /// A setting, if it was made.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// When packets of known flows are accepted here. What stands as it always did is not written
    /// down, so that builds that knew nothing else go on reading it.
    ///
    /// # Errors
    /// If what is written is no such time.
    pub fn established(&self) -> Result<Established, UnknownEstablished> {
        let written = self.setting(Self::ESTABLISHED);
        written.map_or(Ok(Established::default()), str::parse)
    }

    /// The same placement, with packets of known flows accepted then.
    #[must_use]
    pub fn with_established(mut self, established: Established) -> Self {
        let name = Self::ESTABLISHED.to_owned();
        match established {
            Established::InTurn => self.settings.remove(&name),
            Established::First => self.settings.insert(name, established.to_string()),
        };
        self
    }
}

/// One rule or element that a backend installed for a network: it is removed with the network, whatever
/// a later build would install.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Installed {
    /// The family of packets that it is about.
    pub family: Family,
    /// The table that it is in.
    pub table: String,
    /// The chain or set of that table.
    pub place: String,
    /// What identifies it there.
    pub item: Identity,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.backend)?;
        for (name, value) in &self.settings {
            write!(f, ", {name} {value}")?;
        }
        Ok(())
    }
}
