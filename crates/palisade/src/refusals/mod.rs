//! Packets that running networks refuse, as they are logged to NFLOG groups.
//!
//! Networks with `log = { group = 5 }` have rules that log packets right before they are refused, up to
//! a rate. A [`Refusals`] reads the groups of all networks that run, also of those that are started
//! later, and says of each packet which network refused it and why. A [`Tally`] groups them.
//!
//! ```no_run
//! use std::io;
//! use std::os::fd::AsFd;
//!
//! use palisade::Options;
//! use palisade::refusals::{Refusals, Waking};
//!
//! let mut refusals = Refusals::open(&Options::default())?;
//! // Ends when somebody types something.
//! while let Waking::Refused { packets, .. } = refusals.wait(io::stdin().as_fd(), None)? {
//!     for refused in packets {
//!         println!("{refused}");
//!     }
//! }
//! # Ok::<(), palisade::refusals::RefusalsError>(())
//! ```

mod error;
mod refused;
mod tally;

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use palisade_core::network::Network;
use palisade_core::rules::{RefusalLog, Traffic};
use palisade_netlink::Waited;
use palisade_netlink::nflog::{LoggedPacket, Nflog};
use palisade_netlink::rtnetlink::Link;

use crate::firewall::Firewall;
use crate::options::Options;

pub use error::RefusalsError;
pub use refused::Refused;
pub use tally::Tally;

/// How often networks are looked for that log.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A reader of the packets that running networks refuse and log to NFLOG groups.
pub struct Refusals {
    firewall: Firewall,
    nflog: Nflog,
    namespace: Option<PathBuf>,
    /// The running networks that log to a group.
    networks: Vec<Network>,
    links: Vec<Link>,
    next_look: Instant,
    /// Why a group could not be read at the last look.
    failed: Option<String>,
}

/// Why a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waking {
    /// `wake` has something to read.
    Woken,
    /// Packets were refused, or the time is over.
    Refused {
        /// The packets.
        packets: Vec<Refused>,
        /// Whether more came than could be read in time: some are lost.
        is_overrun: bool,
    },
}

impl Refusals {
    /// Begins to read. A group has one reader at a time.
    ///
    /// # Errors
    /// If the firewall cannot be opened, no running network logs to a group, or a group cannot be read.
    pub fn open(options: &Options) -> Result<Self, RefusalsError> {
        let namespace = options.namespace.clone();
        let mut refusals = Self {
            firewall: Firewall::open(options)?,
            nflog: Nflog::open(namespace.as_deref())?,
            namespace,
            networks: Vec::new(),
            links: Vec::new(),
            next_look: Instant::now() + LOOK_EVERY,
            failed: None,
        };
        refusals.networks = logging(&mut refusals.firewall)?;
        if refusals.networks.is_empty() {
            return Err(RefusalsError::NoGroup);
        }
        refusals.nflog.read_groups(&groups(&refusals.networks))?;
        Ok(refusals)
    }

    /// Waits until packets were refused, `wake` has something to read, or until this moment, two seconds
    /// at most.
    ///
    /// # Errors
    /// If the groups cannot be read any more.
    pub fn wait(
        &mut self,
        wake: BorrowedFd<'_>,
        until: Option<Instant>,
    ) -> Result<Waking, RefusalsError> {
        let until = until.map_or(self.next_look, |until| until.min(self.next_look));
        if self.nflog.wait(wake, Some(until))? == Waited::Woken {
            return Ok(Waking::Woken);
        }
        // Networks are looked for before their packets are understood.
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + LOOK_EVERY;
            self.refresh();
        }
        let heard = self.nflog.heard()?;
        let packets = heard.packets.iter();
        let packets = packets
            .filter_map(|packet| self.understand(packet))
            .collect();
        Ok(Waking::Refused {
            packets,
            is_overrun: heard.is_overrun,
        })
    }

    /// Looks which networks run now. What cannot be read stays as it was.
    fn refresh(&mut self) {
        let networks = match logging(&mut self.firewall) {
            Ok(networks) => networks,
            Err(error) => return log::warn!("{error}"),
        };
        self.networks = networks;
        // Groups that are read already cost nothing; one that another program reads may be free by now.
        let failed = self.nflog.read_groups(&groups(&self.networks)).err();
        let failed = failed.map(|error| error.to_string());
        if let Some(error) = failed.as_ref().filter(|_| failed != self.failed) {
            log::warn!("{error}; it is tried again");
        }
        self.failed = failed;
    }

    /// Which network refused a packet, and why; none if no network logged it.
    fn understand(&mut self, packet: &LoggedPacket) -> Option<Refused> {
        let purpose = RefusalLog::purpose_in(&packet.prefix)?;
        let bridge = match purpose {
            Traffic::RefusedIn => packet.output?,
            _ => packet.input?,
        };
        let bridge = self.name(bridge)?;
        let mut networks = self.networks.iter();
        let network = networks.find(|network| {
            let is_its = network.log().and_then(|log| log.group) == Some(packet.group);
            let own = network.ruled_bridge();
            is_its && own.is_some_and(|own| own.as_str() == bridge)
        })?;
        let name = network.name().clone();
        Some(Refused::new(name, purpose, packet.headers.as_ref()))
    }

    /// The name of an interface. Those that are not known yet came after the last look.
    fn name(&mut self, index: u32) -> Option<String> {
        let is_it = |link: &&Link| link.index == index;
        if !self.links.iter().any(|link| link.index == index) {
            match Link::all(self.namespace.as_deref()) {
                Ok(links) => self.links = links,
                Err(error) => log::warn!("{error}"),
            }
        }
        let link = self.links.iter().find(is_it);
        link.map(|link| link.name.clone())
    }
}

impl AsFd for Refusals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.nflog.as_fd()
    }
}

/// The running networks that log to a group.
fn logging(firewall: &mut Firewall) -> Result<Vec<Network>, RefusalsError> {
    let running = firewall.running()?.into_iter();
    let networks = running.map(|record| record.network);
    let has_group = |network: &Network| network.log().is_some_and(|log| log.group.is_some());
    Ok(networks.filter(has_group).collect())
}

fn groups(networks: &[Network]) -> BTreeSet<u16> {
    let logs = networks.iter().filter_map(Network::log);
    logs.filter_map(|log| log.group).collect()
}
