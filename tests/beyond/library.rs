//! The library in a namespace, for networks that no definition format is needed for.

use palisade::refusals::{Refusals, RefusalsError};
use palisade::{BackendChoice, Choice, Firewall, Options};
use palisade_core::network::Network;
use palisade_tests::Namespace;
use palisade_tests::place::Place;
use tempfile::TempDir;

pub(crate) struct Library {
    firewall: Firewall,
    options: Options,
    _state: TempDir,
}

impl Library {
    pub(crate) fn new(namespace: &Namespace, place: Place) -> Self {
        let state = TempDir::new().expect("make a folder");
        let backend: BackendChoice = place.backend().parse().expect("a backend");
        let choice = Choice {
            backend: Some(backend),
            layout: place.word().parse().ok(),
            iptables: place.word().parse().ok(),
            ..Choice::default()
        };
        let options = Options {
            state_directory: Some(state.path().join("state")),
            namespace: Some(namespace.path()),
            choice,
            ..Options::default()
        };
        Self {
            firewall: Firewall::open(&options).expect("open the firewall"),
            options,
            _state: state,
        }
    }

    /// Applies networks, and returns what is noted.
    pub(crate) fn apply(&mut self, networks: &[Network]) -> Vec<String> {
        self.firewall.apply(networks).expect("apply").notes
    }

    /// Removes networks, and returns what is noted.
    pub(crate) fn remove(&mut self, names: &[&str]) -> Vec<String> {
        let names = names.iter().map(|name| name.parse().expect("a name"));
        let names: Vec<_> = names.collect();
        self.firewall.remove(&names).expect("remove").notes
    }

    /// A reader of what its networks refuse.
    pub(crate) fn refusals(&self) -> Result<Refusals, RefusalsError> {
        Refusals::open(&self.options)
    }

    /// Cuts a guest off, and returns what is noted.
    pub(crate) fn block(&mut self, guest: &str) -> Vec<String> {
        let guest = guest.parse().expect("a guest");
        self.firewall.block(&[guest]).expect("block").notes
    }

    pub(crate) fn unblock(&mut self, guest: &str) {
        let guest = guest.parse().expect("a guest");
        self.firewall.unblock(&[guest]).expect("unblock");
    }

    /// Another process, which finds no state.
    pub(crate) fn lose_state(&mut self) {
        if let Some(directory) = &self.options.state_directory {
            std::fs::remove_dir_all(directory).expect("delete the state");
        }
        self.firewall = Firewall::open(&self.options).expect("open the firewall");
    }

    /// The library itself.
    pub(crate) fn firewall(&mut self) -> &mut Firewall {
        &mut self.firewall
    }

    pub(crate) fn remove_all(&mut self) {
        self.firewall.remove_all().expect("remove");
    }

    #[track_caller]
    pub(crate) fn assert_clean(&mut self) {
        let found = self.firewall.verify(&[]).expect("verify");
        assert!(found.is_empty(), "{found:?}");
    }
}
