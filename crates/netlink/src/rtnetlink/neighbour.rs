//! Neighbours, by ARP and neighbour discovery: `linux/neighbour.h`.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::HostError;
use super::host::{dump, open};
use super::request::{self, address, number};
use crate::attribute::{self, Attributes};
use crate::{Header, Malformed, Message, Transport, flags, message};

/// `RTM_NEWNEIGH`: a neighbour.
const NEIGHBOUR: u16 = 28;
/// `RTM_GETNEIGH`.
const GET: u16 = 30;
/// `NDA_DST`.
const DESTINATION: u16 = 1;
/// `struct ndmsg`: family, padding, interface, state, flags, type.
const HEAD: usize = 12;
/// `NTF_USE`: the kernel asks who has the address.
const USE: u8 = 1;
/// `NUD_INCOMPLETE`, `NUD_FAILED`: nobody answered yet, or at all. Without any state nobody was asked.
const SILENT: u16 = 0x01 | 0x20;

/// How long to wait for answers, twice: the kernel asks again after a second.
const PATIENCE: Duration = Duration::from_millis(600);
const PAUSE: Duration = Duration::from_millis(20);

/// An address at an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour {
    /// The address.
    pub address: IpAddr,
    /// The number of the interface.
    pub device: u32,
}

impl Neighbour {
    /// Which of these do not answer on their links in the network namespace of this file, or of the
    /// caller's. The kernel asks as it does for a packet to them, and none is sent. Blocks for little more than
    /// a second if one is silent. Without the right to ask, only those are returned of which the kernel knows it.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not list neighbours.
    pub fn silent(wanted: &[Self], namespace: Option<&Path>) -> Result<Vec<Self>, HostError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut route = open(namespace)?;
        let mut left = wanted.to_vec();
        // An earlier question may come to its end first, without an answer.
        for _ in 0..2 {
            left = unanswered(&mut route, left)?;
        }
        Ok(left)
    }

    /// Those that did not answer when the kernel asked last, in the network namespace of this file, or of the
    /// caller's. Nobody is asked now.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not list neighbours.
    pub fn known_silent(namespace: Option<&Path>) -> Result<HashSet<Self>, HostError> {
        silent(&mut open(namespace)?)
    }

    /// Appends the request that the kernel asks who has the address.
    fn ask(&self, buffer: &mut Vec<u8>) {
        let (family, octets) = match self.address {
            IpAddr::V4(address) => (2, address.octets().to_vec()),
            IpAddr::V6(address) => (10, address.octets().to_vec()),
        };
        let mut head = [0; HEAD];
        head[0] = family;
        head[4..8].copy_from_slice(&self.device.to_ne_bytes());
        head[10] = USE;
        let how = flags::REQUEST | flags::ACK | flags::CREATE;
        message::put(buffer, Header::request(NEIGHBOUR, how, 0), &head, |body| {
            attribute::bytes(body, DESTINATION, &octets);
        });
    }
}

/// Lets the kernel ask who has these addresses, and returns those that nobody has.
fn unanswered(
    route: &mut dyn Transport,
    mut wanted: Vec<Neighbour>,
) -> Result<Vec<Neighbour>, HostError> {
    let mut replies = Vec::new();
    for neighbour in &wanted {
        let mut request = Vec::new();
        neighbour.ask(&mut request);
        replies.clear();
        // Whoever may not ask still may look.
        route.exchange(&request, &mut replies)?;
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let silent = silent(route)?;
        wanted.retain(|neighbour| silent.contains(neighbour));
        if wanted.is_empty() || Instant::now() > until {
            return Ok(wanted);
        }
        thread::sleep(PAUSE);
    }
}

fn silent(route: &mut dyn Transport) -> Result<HashSet<Neighbour>, HostError> {
    let mut request = Vec::new();
    request::dump(&mut request, GET);
    let all = dump(route, ("its neighbours", &request), decode)?;
    let silent = all.into_iter().filter(|(_, state)| state & SILENT != 0);
    Ok(silent.map(|(neighbour, _)| neighbour).collect())
}

/// A neighbour and its state; none if the message is about none of IPv4 or IPv6.
fn decode(message: &Message<'_>) -> Result<Option<(Neighbour, u16)>, Malformed> {
    let body = message.payload;
    let (NEIGHBOUR, Some(device), Some(&[low, high])) = (
        message.header.kind,
        number(body.get(4..8)),
        body.get(8..HEAD).and_then(|rest| rest.first_chunk()),
    ) else {
        return Ok(None);
    };
    for attribute in Attributes::of("neighbour", &body[HEAD..]) {
        let attribute = attribute?;
        if attribute.number() == DESTINATION
            && let Some(address) = address(attribute.bytes)
        {
            let state = u16::from_ne_bytes([low, high]);
            return Ok(Some((Neighbour { address, device }, state)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;

    #[test]
    fn requests_are_read_back() {
        for address in [
            IpAddr::from([10, 0, 0, 5]),
            IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 5_u16]),
        ] {
            let neighbour = Neighbour { address, device: 7 };
            let mut bytes = Vec::new();
            neighbour.ask(&mut bytes);
            let message = messages(&bytes).next().unwrap().unwrap();
            assert_eq!(decode(&message).unwrap(), Some((neighbour, 0)));
            for end in 0..message.payload.len() {
                let payload = &message.payload[..end];
                let _ = decode(&Message { payload, ..message }); // Nothing panics.
            }
        }
    }
}
