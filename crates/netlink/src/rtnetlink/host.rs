//! Links, addresses and routes of one network namespace, read from the kernel.

use std::path::Path;

use super::{Address, HostError, Link, Route, address, link, route};
use crate::socket::{self, Socket};
use crate::{Malformed, Message, Replies, ReplyError, Transport};

/// How often to read again while objects change.
const TRIES: usize = 20;

/// Links, addresses and routes of one network namespace.
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
    /// Reads those of the network namespace of this file, or of the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not answer.
    pub fn read(namespace: Option<&Path>) -> Result<Self, HostError> {
        let mut route = open(namespace)?;
        let links = links(&mut route)?;
        let mut request = Vec::new();
        address::request(&mut request);
        let addresses = dump(&mut route, ("its addresses", &request), address::decode)?;
        request.clear();
        route::request(&mut request);
        let routes = dump(&mut route, ("its routes", &request), route::decode)?;
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

impl Link {
    /// All interfaces in the network namespace of this file, or in the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not answer.
    pub fn all(namespace: Option<&Path>) -> Result<Vec<Self>, HostError> {
        links(&mut open(namespace)?)
    }
}

fn links(route: &mut dyn Transport) -> Result<Vec<Link>, HostError> {
    let mut request = Vec::new();
    link::request(&mut request);
    dump(route, ("its interfaces", &request), link::decode)
}

pub(super) fn open(namespace: Option<&Path>) -> Result<Socket, HostError> {
    Ok(match namespace {
        Some(path) => socket::within(path.to_owned(), Socket::open_route)?,
        None => Socket::open_route()?,
    })
}

/// All objects of a kind; reads again if they changed meanwhile.
pub(super) fn dump<T>(
    route: &mut dyn Transport,
    (what, request): (&'static str, &[u8]),
    decode: impl Fn(&Message<'_>) -> Result<Option<T>, Malformed>,
) -> Result<Vec<T>, HostError> {
    let mut bytes = Vec::new();
    for _ in 0..TRIES {
        bytes.clear();
        route.exchange(request, &mut bytes)?;
        let (mut found, mut replies) = (Vec::new(), Replies::of(&bytes));
        for reply in &mut replies {
            let message = reply.map_err(|error| match error {
                ReplyError::Refused(errno) => HostError::Refused { what, errno },
                ReplyError::Malformed(error) => HostError::Malformed(error),
            })?;
            found.extend(decode(&message)?);
        }
        match replies {
            Replies {
                is_interrupted: true,
                ..
            } => {}
            Replies { is_done: true, .. } => return Ok(found),
            _ => return Err(HostError::Cut { what }),
        }
    }
    Err(HostError::Restless { what })
}
