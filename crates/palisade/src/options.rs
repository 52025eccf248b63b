//! What a caller can choose.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use palisade_core::backend::Placement;
use palisade_core::network::{Established, Network};
use palisade_iptables::run::Programs;
use palisade_nft::backend::Settings;
use palisade_nft::layout::{Layout, TableName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::backends;

/// How to open a [`Firewall`](crate::Firewall).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The state directory; none for the usual one: see [`folder::usual`](crate::folder::usual).
    pub state_directory: Option<PathBuf>,
    /// The network namespace to work in, as a file such as `/run/netns/lab`; none for the caller's.
    pub namespace: Option<PathBuf>,
    /// What is chosen explicitly: running networks that are applied again move there.
    pub choice: Choice,
    /// What is configured: it holds for new networks, where nothing is chosen explicitly.
    pub configured: Choice,
}

/// By whom and where rules shall be installed. What is not chosen is left to the next in line: the
/// configuration, what is recorded of a running network, the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Who installs rules.
    pub backend: Option<BackendChoice>,
    /// How the nftables backend lays them out.
    pub layout: Option<Layout>,
    /// The nftables backend's table.
    pub table: Option<TableName>,
    /// Which family of programs the iptables backend uses.
    pub iptables: Option<Programs>,
    /// When packets of known flows are accepted, whoever installs the rules.
    pub established: Option<Established>,
}

/// Who installs rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum BackendChoice {
    /// Whoever works on this host.
    #[default]
    Auto,
    /// nf_tables, over netlink.
    Nftables,
    /// ip_tables or nf_tables, through `iptables-restore`.
    Iptables,
    /// Nobody: networks are recorded, and no rules are installed.
    None,
}

/// Not the name of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no backend: there are `auto`, `nftables`, `iptables` and `none`")]
pub struct UnknownBackend(pub String);

impl BackendChoice {
    const ALL: [Self; 4] = [Self::Auto, Self::Nftables, Self::Iptables, Self::None];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Nftables => "nftables",
            Self::Iptables => "iptables",
            Self::None => "none",
        }
    }
}

impl FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        let mut all = Self::ALL.into_iter();
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
            iptables: self.iptables.or(other.iptables),
            established: self.established.or(other.established),
        }
    }

    /// These networks as they would run by this choice, where no rules stand yet: with packets of
    /// known flows accepted as it says.
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

    /// The choice that means a recorded placement; none if this build does not know such placements.
    fn recorded(placement: &Placement) -> Option<Self> {
        let kind = backends::of(placement)?;
        Some(Self {
            backend: Some(kind.choice()),
            ..kind.recorded(placement)?
        })
    }

    /// Where a network goes: by this choice, then by where it is if it runs, then by what is
    /// configured. `auto` is no choice of one: a running network stays where it is, and a new one
    /// goes to `usual`.
    pub(crate) fn placement(
        &self,
        running: Option<&Placement>,
        configured: &Self,
        usual: impl FnOnce() -> Self,
    ) -> Placement {
        let named = |choice: &Self| Self {
            backend: choice
                .backend
                .filter(|&backend| backend != BackendChoice::Auto),
            // `auto` programs are none in particular either.
            iptables: choice
                .iptables
                .filter(|&programs| programs != Programs::Auto),
            ..choice.clone()
        };
        let explicit = named(self);
        let running = running.and_then(Self::recorded);
        // Settings of the backend that a network leaves say nothing about the one that it goes to;
        // when known flows are accepted is none of a backend's own.
        let kept = Self {
            established: running.as_ref().and_then(|running| running.established),
            ..Self::default()
        };
        let moves = |running: &Self| {
            explicit
                .backend
                .is_some_and(|backend| running.backend != Some(backend))
        };
        match running.filter(|running| !moves(running)) {
            Some(running) => explicit.or(&running).settle(),
            None => {
                let chosen = explicit.or(&kept).or(&named(configured));
                if chosen.backend.is_some() {
                    chosen.settle()
                } else {
                    chosen.or(&usual()).settle()
                }
            }
        }
    }

    /// With the defaults where nothing was chosen.
    fn settle(&self) -> Placement {
        backends::chosen_or_default(self).placement(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(backend: &str, layout: Option<Layout>) -> Choice {
        Choice {
            backend: Some(backend.parse().unwrap()),
            layout,
            ..Choice::default()
        }
    }

    #[test]
    fn only_an_explicit_choice_moves_a_running_network() {
        let usual = Choice::default;
        let none = Choice::default();
        let flat = choice("nftables", Some(Layout::Flat));
        let running = flat.placement(None, &none, usual);
        assert_eq!(running.setting("layout"), Some("flat"));
        let configured = choice("nftables", Some(Layout::Mapped));
        assert_eq!(none.placement(Some(&running), &configured, usual), running);
        let auto = choice("auto", None);
        assert_eq!(auto.placement(Some(&running), &configured, usual), running);
        let moved =
            choice("nftables", Some(Layout::Mapped)).placement(Some(&running), &none, usual);
        assert_eq!(moved.setting("layout"), Some("mapped"));
        let nobody = choice("none", None).placement(Some(&running), &configured, usual);
        assert_eq!(nobody.backend.name(), "none");
        assert_eq!(none.placement(Some(&nobody), &configured, usual), nobody);
    }

    #[test]
    fn when_known_flows_are_accepted_stays_with_a_network_that_moves() {
        let usual = Choice::default;
        let none = Choice::default();
        let of = |established| Choice {
            established: Some(established),
            ..Choice::default()
        };
        let first = of(Established::First);
        let running = choice("nftables", None)
            .or(&first)
            .placement(None, &none, usual);
        assert_eq!(running.established(), Ok(Established::First));
        assert_eq!(none.placement(Some(&running), &none, usual), running);
        let configured = of(Established::InTurn);
        assert_eq!(none.placement(Some(&running), &configured, usual), running);
        let moved = choice("iptables", None).placement(Some(&running), &configured, usual);
        assert_eq!(moved.established(), Ok(Established::First));
        let back = of(Established::InTurn).placement(Some(&running), &first, usual);
        assert_eq!(back.setting(Placement::ESTABLISHED), None);
        assert_eq!(none.placement(Some(&back), &first, usual), back);
        assert_eq!(none.placement(None, &first, usual), running);
        let nobody = choice("none", None).or(&first);
        assert_eq!(
            nobody.placement(None, &none, usual).setting("established"),
            None
        );
        // Where there were no rules, nobody chose.
        let unruled = nobody.placement(None, &none, usual);
        let ruled = choice("nftables", None).placement(Some(&unruled), &first, usual);
        assert_eq!(ruled.established(), Ok(Established::First));
    }

    #[test]
    fn what_a_network_leaves_behind_says_nothing_about_where_it_goes() {
        let usual = || choice("iptables", None);
        let none = Choice::default();
        assert_eq!(
            none.placement(None, &none, usual).backend.name(),
            "iptables"
        );
        let legacy = Choice {
            iptables: Some("legacy".parse().unwrap()),
            ..choice("iptables", None)
        };
        let running = legacy.placement(None, &none, usual);
        assert_eq!(running.setting("programs"), Some("legacy"));
        assert_eq!(none.placement(Some(&running), &none, usual), running);
        let moved = choice("nftables", None).placement(Some(&running), &none, usual);
        assert_eq!(moved.setting("layout"), Some("mapped"));
    }
}
