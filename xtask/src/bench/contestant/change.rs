//! We add one network and remove it: by the library, by the command, by bytes made before.

use std::process::Command;
use std::time::{Duration, Instant};

use palisade::network::{Name, Network};
use palisade::{Firewall, Layout};
use palisade_netlink::Socket;
use palisade_nft::parts::commit;

use super::super::case::Case;
use super::super::record::{Batches, said};
use super::super::scratch::Scratch;
use super::super::site::Site;
use super::library::Spent;
use super::pair::Pair;

/// A firewall that stays open.
pub(in super::super) struct LibraryPair {
    firewall: Firewall,
    one: [Network; 1],
    name: [Name; 1],
    _site: Site,
}

impl LibraryPair {
    pub(in super::super) fn new(case: &Case<'_>, layout: Layout) -> Result<Self, String> {
        let site = Site::new(case, layout)?;
        Ok(Self::over(site.firewall()?, site, case))
    }

    fn over(firewall: Firewall, site: Site, case: &Case<'_>) -> Self {
        Self {
            firewall,
            name: [case.one.name().clone()],
            one: [case.one.clone()],
            _site: site,
        }
    }
}

impl Pair for LibraryPair {
    fn add(&mut self) -> Result<Duration, String> {
        let start = Instant::now();
        let report = self.firewall.apply(&self.one);
        let took = start.elapsed();
        report.map_err(|error| error.to_string())?;
        Ok(took)
    }

    fn remove(&mut self) -> Result<Duration, String> {
        let start = Instant::now();
        let report = self.firewall.remove(&self.name);
        let took = start.elapsed();
        report.map_err(|error| error.to_string())?;
        Ok(took)
    }
}

/// A process `palisade` for each change.
pub(in super::super) struct CommandPair {
    site: Site,
    apply: Command,
    remove: Command,
}

impl CommandPair {
    pub(in super::super) fn new(case: &Case<'_>, layout: Layout) -> Result<Self, String> {
        let site = Site::new(case, layout)?;
        let command = |words: [&std::ffi::OsStr; 2], state: &Scratch| {
            let mut command = case.ground.palisade();
            command.args(words).arg("--state-dir").arg(state.path());
            command
        };
        let mut apply = command(["apply".as_ref(), case.one_file.as_os_str()], &site.state);
        apply.args(["--backend", "nftables", "--layout", layout.name()]);
        let name = case.one.name().as_str();
        let remove = command(["remove".as_ref(), name.as_ref()], &site.state);
        Ok(Self {
            site,
            apply,
            remove,
        })
    }
}

impl Pair for CommandPair {
    fn add(&mut self) -> Result<Duration, String> {
        self.site.namespace.time(&mut self.apply)
    }

    fn remove(&mut self) -> Result<Duration, String> {
        self.site.namespace.time(&mut self.remove)
    }
}

/// What of [`LibraryPair`] is spent in exchanges with the kernel.
pub(in super::super) struct ExchangePair {
    library: LibraryPair,
    spent: Spent,
}

impl ExchangePair {
    pub(in super::super) fn new(case: &Case<'_>, layout: Layout) -> Result<Self, String> {
        let site = Site::new(case, layout)?;
        let spent = Spent::default();
        let timed = Box::new(spent.of(site.namespace.socket()?));
        Ok(Self {
            library: LibraryPair::over(site.firewall_over(timed)?, site, case),
            spent,
        })
    }
}

impl Pair for ExchangePair {
    fn add(&mut self) -> Result<Duration, String> {
        self.spent.take();
        self.library.add()?;
        Ok(self.spent.take())
    }

    fn remove(&mut self) -> Result<Duration, String> {
        self.spent.take();
        self.library.remove()?;
        Ok(self.spent.take())
    }
}

/// The batches of both changes, made before.
pub(in super::super) struct ResentPair {
    batches: [Vec<u8>; 2],
    socket: Socket,
    replies: Vec<u8>,
    _site: Site,
}

impl ResentPair {
    pub(in super::super) fn new(case: &Case<'_>, layout: Layout) -> Result<Self, String> {
        let site = Site::new(case, layout)?;
        let batches = Batches::default();
        let mut firewall = site.firewall_over(Box::new(batches.of(site.namespace.socket()?)))?;
        firewall
            .apply(std::slice::from_ref(&case.one))
            .map_err(|error| error.to_string())?;
        let added = said(&batches)?;
        firewall
            .remove(&[case.one.name().clone()])
            .map_err(|error| error.to_string())?;
        let removed = said(&batches)?;
        Ok(Self {
            batches: [added, removed],
            socket: site.namespace.socket()?,
            replies: Vec::new(),
            _site: site,
        })
    }

    fn send(&mut self, which: usize) -> Result<Duration, String> {
        let start = Instant::now();
        let committed = commit(&mut self.socket, &self.batches[which], &mut self.replies);
        let took = start.elapsed();
        committed.map_err(|error| error.to_string())?;
        Ok(took)
    }
}

impl Pair for ResentPair {
    fn add(&mut self) -> Result<Duration, String> {
        self.send(0)
    }

    fn remove(&mut self) -> Result<Duration, String> {
        self.send(1)
    }
}
