//! What is remembered of a running network.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host_action::HostAction;
use crate::installed::{Installed, Placement};
use crate::network::{Network, UnknownEstablished};
use crate::network_owner::NetworkOwner;

/// A running network, and what was installed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words")]
pub struct Record {
    /// The network as it was defined, and as its placement says when packets of known flows are
    /// accepted.
    pub network: Network,
    /// On whose behalf it runs.
    pub owner: NetworkOwner,
    /// By whom and where its rules were installed.
    pub placement: Placement,
    /// Why it was placed there, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Since when it runs as it does.
    pub since: Timestamp,
    /// Its rank in the order in which networks were started: later ones have higher numbers.
    pub order: u64,
    /// What was installed, and nothing else will be taken away with it.
    pub installed: Vec<Installed>,
    /// What is done on the host for it beside rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<HostAction>,
}

/// A record as it is written: when packets of known flows are accepted, the placement says alone.
#[derive(Deserialize)]
struct Words {
    network: Network,
    #[serde(default)]
    owner: NetworkOwner,
    placement: Placement,
    #[serde(default)]
    why: String,
    since: Timestamp,
    order: u64,
    installed: Vec<Installed>,
    #[serde(default)]
    actions: Vec<HostAction>,
}

impl TryFrom<Words> for Record {
    type Error = UnknownEstablished;

    fn try_from(words: Words) -> Result<Self, UnknownEstablished> {
        Ok(Self {
            network: words
                .network
                .with_established(words.placement.established()?),
            owner: words.owner,
            placement: words.placement,
            why: words.why,
            since: words.since,
            order: words.order,
            installed: words.installed,
            actions: words.actions,
        })
    }
}

/// A record in JSON without white space: for the journal and for the record's own file, so that it
/// is put into words once.
#[derive(Debug)]
pub struct Written<'r> {
    /// The record.
    pub record: &'r Record,
    pub(crate) json: String,
}

impl<'r> Written<'r> {
    /// Puts it into JSON.
    ///
    /// # Errors
    /// If that cannot be done, as it can for all of ours.
    pub fn new(record: &'r Record) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(record)?;
        Ok(Self { record, json })
    }
}
