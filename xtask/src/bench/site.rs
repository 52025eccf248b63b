//! A namespace in which networks run.

use palisade::{BackendChoice, Choice, Firewall, Layout, Network, Options};
use palisade_netlink::Transport;

use super::case::Case;
use super::namespace::Namespace;
use super::scratch::Scratch;

/// A namespace with networks, and the state that says so.
pub(super) struct Site {
    pub(super) namespace: Namespace,
    pub(super) state: Scratch,
    layout: Layout,
}

impl Site {
    /// All networks of a case run.
    pub(super) fn new(case: &Case<'_>, layout: Layout) -> Result<Self, String> {
        Self::with(case.ground.scratch, &case.networks, layout)
    }

    /// These networks run.
    pub(super) fn with(
        scratch: &Scratch,
        networks: &[Network],
        layout: Layout,
    ) -> Result<Self, String> {
        let site = Self {
            namespace: Namespace::new()?,
            state: scratch.folder()?,
            layout,
        };
        site.firewall()?
            .apply(networks)
            .map_err(|error| error.to_string())?;
        Ok(site)
    }

    pub(super) fn firewall(&self) -> Result<Firewall, String> {
        Firewall::open(&self.options()).map_err(|error| error.to_string())
    }

    /// One that talks to the kernel by this transport.
    pub(super) fn firewall_over(&self, transport: Box<dyn Transport>) -> Result<Firewall, String> {
        let cookie = self.namespace.socket()?.namespace_cookie();
        let cookie = cookie.map_err(|error| error.to_string())?;
        Ok(Firewall::over(transport, cookie, &self.options()))
    }

    fn options(&self) -> Options {
        options(self.layout, &self.namespace, &self.state)
    }
}

/// How a firewall is opened.
pub(super) fn options(layout: Layout, namespace: &Namespace, state: &Scratch) -> Options {
    Options {
        state_directory: Some(state.path().to_owned()),
        namespace: Some(namespace.path()),
        choice: Choice {
            backend: Some(BackendChoice::Nftables),
            layout: Some(layout),
            ..Choice::default()
        },
        ..Options::default()
    }
}
