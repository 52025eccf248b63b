//! Connection tracking in one network namespace.

use std::net::IpAddr;
use std::path::Path;

use nix::errno::Errno;
use palisade_core::network::{self, PortForward, Subnet};

use super::error::ConntrackError;
use super::exchange::{Deleted, ask, delete};
use super::flow::Flow;
use super::forwarded::{ForwardChange, MisledFlows};
use super::natted::{KeptFlows, NattedSubnets};
use super::wire;
use crate::flags::{DUMP, REQUEST};
use crate::rtnetlink::address;
use crate::socket::{self, Socket, SocketError};
use crate::{Family, Malformed, Message, Transport, nfnetlink};

/// How many flows to delete at once. If all are refused, the replies fit into a socket's buffer.
const AT_ONCE: usize = 100;

/// Connection tracking in one network namespace.
pub struct Conntrack {
    /// To ctnetlink.
    netfilter: Box<dyn Transport>,
    /// To rtnetlink, for the host's addresses.
    route: Box<dyn Transport>,
    /// One buffer for all replies.
    replies: Vec<u8>,
}

impl Conntrack {
    /// Opens sockets in the network namespace of this file, or in the caller's.
    ///
    /// # Errors
    /// If the kernel refuses sockets, or there is no such namespace.
    pub fn open(namespace: Option<&Path>) -> Result<Self, SocketError> {
        let sockets = || Ok((Socket::open()?, Socket::open_route()?));
        let (netfilter, route) = match namespace {
            Some(path) => socket::within(path.to_owned(), sockets)?,
            None => sockets()?,
        };
        Ok(Self::over(Box::new(netfilter), Box::new(route)))
    }

    /// Uses these: one to ctnetlink, and one to rtnetlink of the same namespace.
    #[must_use]
    pub fn over(netfilter: Box<dyn Transport>, route: Box<dyn Transport>) -> Self {
        Self {
            netfilter,
            route,
            replies: Vec::new(),
        }
    }

    /// Deletes the flows that left these subnets untranslated, but for those that keep their source,
    /// and returns how many there were. Their next packets meet the rules as those of new flows do. Call it when the NAT rules are
    /// installed.
    ///
    /// # Errors
    /// If the kernel does not list flows, or does not delete one.
    pub fn delete_untranslated(
        &mut self,
        subnets: &[Subnet],
        kept: KeptFlows,
    ) -> Result<usize, ConntrackError> {
        if subnets.is_empty() || self.count()? == 0 {
            return Ok(0);
        }
        let natted = NattedSubnets::new(subnets.iter().copied(), self.host_addresses()?);
        let natted = natted.but_for(kept);
        let family = family(subnets.iter().map(|subnet| subnet.family()));
        let without = |body: &mut Vec<u8>| wire::encode_without(Flow::SOURCE_NAT, body);
        let flows = self.flows(family, without, |flow| natted.is_untranslated(flow))?;
        self.delete(&flows)
    }

    /// Deletes the flows that go elsewhere than forwards of ports lead since this change, and returns how
    /// many there were. Call it when the rules are changed.
    ///
    /// # Errors
    /// If the kernel does not list flows, or does not delete one.
    pub fn delete_misled(&mut self, change: &ForwardChange) -> Result<usize, ConntrackError> {
        if change.is_empty() || self.count()? == 0 {
            return Ok(0);
        }
        let misled = MisledFlows::of(change, self.host_addresses()?);
        let family = family(change.all().map(PortForward::family));
        let flows = self.flows(family, |_| {}, |flow| misled.has(flow))?;
        self.delete(&flows)
    }

    /// Deletes the flows from and to guests with these addresses, and returns how many there were. Call it
    /// when the rules are installed that cut them off.
    ///
    /// # Errors
    /// If the kernel does not list flows, or does not delete one.
    pub fn delete_of_guests(&mut self, guests: &[IpAddr]) -> Result<usize, ConntrackError> {
        if guests.is_empty() || self.count()? == 0 {
            return Ok(0);
        }
        let is_of = |address: IpAddr| guests.contains(&address);
        let is_meant = |flow: &Flow| {
            let [sent, answered] = [&flow.original.addresses, &flow.reply.addresses];
            is_of(sent.source()) || is_of(answered.source())
        };
        let families = guests.iter().map(|&guest| network::Family::from(guest));
        let flows = self.flows(family(families), |_| {}, is_meant)?;
        self.delete(&flows)
    }

    /// How many flows there are. The kernel walks its whole table for a dump, about 10 ms for an
    /// empty one: this spares it for hosts that track nothing yet.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn count(&mut self) -> Result<u32, ConntrackError> {
        const WHAT: &str = "for the number of flows";
        let mut request = Vec::new();
        let (kind, any) = (wire::STATISTICS, Family::Other(0));
        wire::message(&mut request, kind, REQUEST, 0, any, |_| {});
        let mut count = None;
        let asked = self.ask_netfilter(WHAT, &request, |message| {
            if message.header.kind == wire::STATISTICS {
                count = Some(wire::decode_count(body(message)?)?);
            }
            Ok(())
        });
        match asked {
            // The first request of all: if the kernel does not know it, it knows none.
            Err(ConntrackError::Refused { errno, .. }) if is_missing(errno) => {
                Err(ConntrackError::Missing(errno))
            }
            Err(error) => Err(error),
            Ok(()) => count.ok_or(ConntrackError::Cut { what: WHAT }),
        }
    }

    /// The flows that are meant, of those that the kernel lists for this body of a request. A dump is no
    /// snapshot, since flows begin and end during it; but no more of these begin.
    fn flows(
        &mut self,
        family: Family,
        encode: impl FnOnce(&mut Vec<u8>),
        is_meant: impl Fn(&Flow) -> bool,
    ) -> Result<Vec<Flow>, ConntrackError> {
        let mut request = Vec::new();
        let (kind, flags) = (wire::GET, REQUEST | DUMP);
        wire::message(&mut request, kind, flags, 0, family, encode);
        let mut flows = Vec::new();
        self.ask_netfilter("for flows", &request, |message| {
            if message.header.kind == wire::FLOW {
                let flow = wire::decode(body(message)?)?;
                flows.extend(is_meant(&flow).then_some(flow));
            }
            Ok(())
        })?;
        Ok(flows)
    }

    fn host_addresses(&mut self) -> Result<Vec<IpAddr>, ConntrackError> {
        let mut request = Vec::new();
        address::request(&mut request);
        let question = ("for the host's addresses", request.as_slice());
        let mut addresses = Vec::new();
        ask(
            self.route.as_mut(),
            &mut self.replies,
            question,
            |message| {
                addresses.extend(address::decode(message)?.map(|found| found.address));
                Ok(())
            },
        )?;
        Ok(addresses)
    }

    fn delete(&mut self, flows: &[Flow]) -> Result<usize, ConntrackError> {
        let mut all = Deleted::default();
        for flows in flows.chunks(AT_ONCE) {
            let some = delete(self.netfilter.as_mut(), &mut self.replies, flows)?;
            all.deleted += some.deleted;
            all.kept += some.kept;
            all.errno = all.errno.or(some.errno);
        }
        match all.errno {
            None => Ok(all.deleted),
            Some(errno) => Err(ConntrackError::Kept {
                deleted: all.deleted,
                kept: all.kept,
                errno,
            }),
        }
    }

    fn ask_netfilter(
        &mut self,
        what: &'static str,
        request: &[u8],
        take: impl FnMut(&Message<'_>) -> Result<(), ConntrackError>,
    ) -> Result<(), ConntrackError> {
        let transport = self.netfilter.as_mut();
        ask(transport, &mut self.replies, (what, request), take)
    }
}

/// A message's attributes.
fn body<'a>(message: &Message<'a>) -> Result<&'a [u8], Malformed> {
    nfnetlink::split(message).map(|(_, body)| body)
}

/// The one family, or any: one walk through the table is enough.
fn family(mut families: impl Iterator<Item = network::Family>) -> Family {
    match families.next() {
        Some(first) if families.all(|family| family == first) => first.into(),
        _ => Family::Other(0),
    }
}

/// Whether the error means that the kernel lacks ctnetlink. Which one it is depends on what else
/// is missing.
fn is_missing(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EINVAL | Errno::EOPNOTSUPP | Errno::ENOENT | Errno::EPROTONOSUPPORT
    )
}

#[cfg(test)]
mod tests;
