//! A firewall whose exchanges with the kernel are counted.

use std::sync::{Arc, Mutex};

use crate::{Definition, Namespace};
use palisade::definition::{Source, parse};
use palisade::network::Established;
use palisade::{BackendChoice, Choice, Firewall, Layout, Network, Options};
use palisade_netlink::{Socket, Transport, TransportError, nfnetlink};
use palisade_nft::dump::Reader;
use palisade_nft::object::Family;
use palisade_nft::parts::wire::{Kind, messages};
use tempfile::TempDir;

/// What went to the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions, each an exchange.
    pub questions: usize,
    /// Batches, each an exchange.
    pub batches: usize,
    /// Messages in batches, their beginnings and ends aside.
    pub messages: usize,
    /// Those messages that delete something.
    pub deletions: usize,
    /// The bytes of batches.
    pub bytes: usize,
}

/// A namespace, a state directory, and a firewall over both.
pub struct Site {
    firewall: Firewall,
    counts: Arc<Mutex<Counts>>,
    /// Where its rules stand.
    pub namespace: Namespace,
    _state: TempDir,
}

impl Site {
    /// One in which nothing runs.
    pub fn new(layout: Layout) -> Self {
        Self::choosing(layout, Established::default())
    }

    /// The same, with packets of known flows accepted then.
    pub fn choosing(layout: Layout, established: Established) -> Self {
        let namespace = Namespace::new();
        let state = TempDir::new_in("/dev/shm").expect("make a folder");
        let socket = Socket::open_in(Some(&namespace.path())).expect("open a socket");
        let cookie = socket.namespace_cookie().expect("the namespace's cookie");
        let counts = Arc::default();
        let options = Options {
            state_directory: Some(state.path().to_owned()),
            namespace: Some(namespace.path()),
            choice: Choice {
                backend: Some(BackendChoice::Nftables),
                layout: Some(layout),
                established: Some(established),
                ..Choice::default()
            },
            ..Options::default()
        };
        let counted = Box::new(Counted {
            socket,
            counts: Arc::clone(&counts),
        });
        Self {
            firewall: Firewall::over(counted, cookie, &options),
            counts,
            namespace,
            _state: state,
        }
    }

    /// One in which so many networks run.
    pub fn with(layout: Layout, count: u32) -> Self {
        let mut site = Self::new(layout);
        let networks = networks(count);
        site.count(|firewall| {
            firewall.apply(&networks).expect("apply networks");
        });
        site
    }

    /// What goes to the kernel meanwhile.
    pub fn count(&mut self, action: impl FnOnce(&mut Firewall)) -> Counts {
        self.counts();
        action(&mut self.firewall);
        self.counts()
    }

    /// How many markers of transactions there are in IPv4.
    pub fn markers(&self) -> usize {
        let mut socket = Socket::open_in(Some(&self.namespace.path())).expect("open a socket");
        let mut replies = Vec::new();
        let mut reader = Reader::new(&mut socket, &mut replies);
        let elements = reader.elements(Family::Ip, "palisade", "transaction");
        elements.expect("read markers").len()
    }

    /// What was counted since the last time.
    fn counts(&self) -> Counts {
        let mut counts = self.counts.lock().expect("counts");
        std::mem::take(&mut *counts)
    }
}

/// What the kernel destroys something after.
const DELETIONS: [Kind; 5] = [
    Kind::DEL_TABLE,
    Kind::DEL_CHAIN,
    Kind::DEL_RULE,
    Kind::DEL_SET,
    Kind::DEL_ELEMENT,
];

struct Counted {
    socket: Socket,
    counts: Arc<Mutex<Counts>>,
}

impl Transport for Counted {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let mut counts = self.counts.lock().expect("counts");
        let sent: Vec<_> = messages(request)
            .map(|message| message.expect("messages of ours"))
            .map(|message| (message.header.kind, message.kind))
            .collect();
        if sent.first() == Some(&(nfnetlink::BATCH_BEGIN, None)) {
            counts.batches += 1;
            counts.messages += sent.len() - 2;
            let deletes =
                |(_, kind): &&_| DELETIONS.iter().any(|deletion| Some(*deletion) == *kind);
            counts.deletions += sent.iter().filter(deletes).count();
            counts.bytes += request.len();
        } else {
            counts.questions += 1;
        }
        drop(counts);
        self.socket.exchange(request, replies)
    }
}

/// The first so many networks, whose names and bridges are all of one length.
pub fn networks(count: u32) -> Vec<Network> {
    (0..count).map(network).collect()
}

/// The network of a number below 65,536.
pub fn network(number: u32) -> Network {
    let xml = definition(number).xml();
    let source = Source::File("a test's".into());
    let mut networks = parse(&source, xml.as_bytes()).expect("a definition");
    networks.remove(0)
}

/// The definition of a NAT network.
pub fn definition(number: u32) -> Definition {
    let subnet = format!("10.{}.{}.1/24", number / 256, number % 256);
    Definition::nat(
        &format!("net{number:05}"),
        &format!("br{number:05}"),
        &[&subnet],
    )
}
