//! What became of networks whose rules were installed without a record.

use std::fmt;

use serde::Serialize;

use super::error::EngineError;
use crate::installed::Placement;
use crate::network::Name;

/// How many names a note lists.
const NAMED: usize = 8;

/// What became of networks whose rules were installed without a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// Those that are recorded again.
    #[serde(rename = "adopted")]
    pub networks: Vec<Name>,
    /// Those that are not, which are left as they are.
    pub left: Vec<Left>,
}

/// A network without a record that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The network.
    pub network: Name,
    /// Where its rules are.
    pub placement: Placement,
    /// Why it is not adopted.
    pub reason: Reason,
}

/// Why a network is not adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// A network of that name is recorded at another place.
    NameTaken,
    /// It is at a place that was not chosen.
    Elsewhere,
    /// Only networks whose definitions are given are adopted.
    NotNamed,
    /// What is installed in its name is not all of a network, or more.
    NotWhole,
}

impl Adopted {
    /// Whether rules are left that a later change of their network replaces.
    pub(super) fn is_incomplete(&self) -> bool {
        let mut left = self.left.iter();
        left.any(|left| matches!(left.reason, Reason::NotNamed | Reason::NotWhole))
    }

    /// Networks that a change names and that are not recorded: their rules are installed, if they are among those left.
    pub(super) fn explained(&self, error: EngineError) -> EngineError {
        let EngineError::Unknown { names } = error else {
            return error;
        };
        let is_left = |name: &&Name| self.left.iter().any(|left| left.network == **name);
        let left: Vec<Name> = names.iter().filter(is_left).cloned().collect();
        match left.is_empty() {
            true => EngineError::Unknown { names },
            false => EngineError::WithoutRecord { names: left },
        }
    }

    /// What people should know.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let adopted: Vec<&Name> = self.networks.iter().collect();
        if !adopted.is_empty() {
            let networks = named(&adopted);
            notes.push(format!("adopted {networks}, installed without a record"));
        }
        let of = |reason| {
            let left = self.left.iter().filter(move |left| left.reason == reason);
            left.map(|left| &left.network).collect::<Vec<&Name>>()
        };
        let not_named = of(Reason::NotNamed);
        if !not_named.is_empty() {
            let (run, them) = match not_named.len() {
                1 => ("runs", "it"),
                _ => ("run", "them"),
            };
            notes.push(format!(
                "{} {run} without a record: `palisade recover --adopt` records {them}, unless another state directory \
                 does",
                named(&not_named)
            ));
        }
        let others = self.left.iter();
        let others = others.filter(|left| left.reason != Reason::NotNamed);
        notes.extend(others.map(ToString::to_string));
        notes
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            network, placement, ..
        } = self;
        write!(f, "left rules of `{network}` ({placement}): ")?;
        match self.reason {
            Reason::NameTaken => f.write_str(
                "a network of that name is recorded elsewhere; `palisade doctor` says how to remove them",
            ),
            Reason::Elsewhere => f.write_str(
                "they are not in the table that was chosen, and may be another program's; `--table` \
                 chooses one",
            ),
            Reason::NotNamed => f.write_str("no definition names the network"),
            Reason::NotWhole => f.write_str(
                "they do not say which network it is; apply its definition, which replaces them",
            ),
        }
    }
}

/// These networks, for people.
pub(super) fn named(names: &[&Name]) -> String {
    let quoted = names.iter().take(NAMED).map(|name| format!("`{name}`"));
    let quoted: Vec<String> = quoted.collect();
    let word = if names.len() == 1 {
        "network"
    } else {
        "networks"
    };
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{word} {}{more}", quoted.join(", "))
}
