//! The host around the rules: its interfaces, their addresses and its routes, over rtnetlink.

mod error;

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use nix::errno::Errno;

use crate::socket::{self, Socket};
use crate::transport::Transport;
use crate::wire::{self, Header, Malformed, Message};

pub use error::HostError;

/// `NLM_F_REQUEST | NLM_F_DUMP`.
const ASK_FOR_ALL: u16 = 0x301;
/// `NLM_F_DUMP_INTR`: something changed while it was told.
const INTERRUPTED: u16 = 0x10;
/// How often to ask anew while things change.
const TRIES: usize = 20;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What kind of virtual interface it is: `bridge`, `veth`, `tun`; none for hardware.
    pub kind: Option<String>,
    /// Whether it is set up.
    pub is_up: bool,
    /// The number of the bridge or bond that it is a port of.
    pub master: Option<u32>,
}

/// An address of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// The length of the prefix that it was given with.
    pub prefix: u8,
    /// The number of its interface.
    pub device: u32,
    /// Whether somebody gave it for good; otherwise it was learned, and ends.
    pub is_permanent: bool,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub destination: IpNet,
    /// The numbers of the interfaces that it leads through.
    pub devices: Vec<u32>,
    /// The next router, if there is one.
    pub gateway: Option<IpAddr>,
    /// The number of its table: 254 main, 255 local.
    pub table: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Whether a router's advertisement brought it.
    pub is_advertised: bool,
}

/// What a route does: `RTN_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteKind(pub u8);

impl RouteKind {
    /// It leads on.
    pub const UNICAST: Self = Self(1);
    /// It leads to the host itself.
    pub const LOCAL: Self = Self(2);
}

impl Link {
    /// All interfaces in the network namespace of this file, or in the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not tell.
    pub fn all(namespace: Option<&Path>) -> Result<Vec<Self>, HostError> {
        Self::all_by(&mut open(namespace)?)
    }

    fn all_by(route: &mut dyn Transport) -> Result<Vec<Self>, HostError> {
        let mut question = Vec::new();
        wire::link::message(&mut question, ASK_FOR_ALL);
        ask(
            route,
            ("its interfaces", &question),
            |message| match message.header.kind {
                wire::link::LINK => wire::link::decode(message.body),
                _ => Ok(None),
            },
        )
    }

    /// Whether it is a bridge.
    #[must_use]
    pub fn is_bridge(&self) -> bool {
        self.kind.as_deref() == Some("bridge")
    }
}

/// What rtnetlink tells of one network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// Its interfaces.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// Its routes, of all tables.
    pub routes: Vec<Route>,
}

impl Host {
    /// Reads that of the network namespace of this file, or of the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not tell.
    pub fn read(namespace: Option<&Path>) -> Result<Self, HostError> {
        Self::read_by(&mut open(namespace)?)
    }

    /// Reads what `route` leads to: rtnetlink.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn read_by(route: &mut dyn Transport) -> Result<Self, HostError> {
        let links = Link::all_by(route)?;
        let mut question = Vec::new();
        wire::address::message(&mut question, ASK_FOR_ALL);
        let addresses = ask(
            route,
            ("its addresses", &question),
            |message| match message.header.kind {
                wire::address::ADDRESS => wire::address::decode_whole(message),
                _ => Ok(None),
            },
        )?;
        question.clear();
        wire::route::message(&mut question, ASK_FOR_ALL);
        let routes = ask(route, ("its routes", &question), |message| {
            match message.header.kind {
                wire::route::ROUTE => wire::route::decode(message),
                _ => Ok(None),
            }
        })?;
        Ok(Self {
            links,
            addresses,
            routes,
        })
    }

    /// The interface of this name.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The name of the interface with this number.
    #[must_use]
    pub fn name(&self, index: u32) -> Option<&str> {
        let link = self.links.iter().find(|link| link.index == index)?;
        Some(&link.name)
    }

    /// The names of bridges, each with those of its ports.
    pub fn bridges(&self) -> impl Iterator<Item = (String, Vec<String>)> {
        let bridges = self.links.iter().filter(|link| link.is_bridge());
        bridges.map(|bridge| {
            let ports = self.ports(bridge).map(|port| port.name.clone());
            (bridge.name.clone(), ports.collect())
        })
    }

    /// The numbers of interfaces.
    pub fn numbers(&self) -> impl Iterator<Item = (String, u32)> {
        let links = self.links.iter();
        links.map(|link| (link.name.clone(), link.index))
    }

    /// The ports of a bridge.
    pub fn ports(&self, bridge: &Link) -> impl Iterator<Item = &Link> {
        let index = Some(bridge.index);
        self.links.iter().filter(move |link| link.master == index)
    }
}

fn open(namespace: Option<&Path>) -> Result<Socket, HostError> {
    Ok(match namespace {
        Some(path) => socket::within(path.to_owned(), Socket::open_route)?,
        None => Socket::open_route()?,
    })
}

fn ask<T>(
    route: &mut dyn Transport,
    (what, question): (&'static str, &[u8]),
    take: impl Fn(&Message<'_>) -> Result<Option<T>, Malformed>,
) -> Result<Vec<T>, HostError> {
    let mut replies = Vec::new();
    for _ in 0..TRIES {
        replies.clear();
        route.exchange(question, &mut replies)?;
        if let Some(found) = answer(&replies, what, &take)? {
            return Ok(found);
        }
    }
    Err(HostError::Restless { what })
}

/// None if things changed meanwhile.
fn answer<T>(
    replies: &[u8],
    what: &'static str,
    take: impl Fn(&Message<'_>) -> Result<Option<T>, Malformed>,
) -> Result<Option<Vec<T>>, HostError> {
    let (mut found, mut is_done) = (Vec::new(), false);
    for message in wire::messages(replies) {
        let message = message?;
        if message.header.flags & INTERRUPTED != 0 {
            return Ok(None);
        }
        match message.header.kind {
            Header::ERROR => {
                let errno = Errno::from_raw(wire::ack(&message)?.error);
                if errno != Errno::UnknownErrno {
                    return Err(HostError::Refused { what, errno });
                }
            }
            Header::DONE => is_done = true,
            _ => found.extend(take(&message)?),
        }
    }
    if is_done {
        Ok(Some(found))
    } else {
        Err(HostError::Cut { what })
    }
}
