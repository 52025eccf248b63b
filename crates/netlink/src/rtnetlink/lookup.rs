//! Where the kernel sends a packet: it is asked, so that rules of policy routing, tables, VRFs,
//! blackhole routes and reverse path filters all count.

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::Path;

use nix::errno::Errno;

use super::request::{address, number};
use super::route::{DESTINATION, DEVICE, GATEWAY, GET, HEAD, ROUTE, TABLE};
use super::{HostError, Route, RouteKind, RoutingRule, host, route};
use crate::attribute::{self, Attributes};
use crate::socket::Socket;
use crate::{Header, Malformed, Message, Replies, ReplyError, Transport, flags, message};

/// `RTA_SRC`, `RTA_IIF`, `RTA_PREFSRC`, `RTA_METRICS` (in it `RTAX_MTU`), `RTA_MARK`.
const SOURCE: u16 = 2;
const INPUT: u16 = 3;
const PREFERRED: u16 = 7;
const METRICS: u16 = 8;
const MTU: u16 = 2;
const MARK: u16 = 16;
/// `RTA_IP_PROTO`, `RTA_SPORT`, `RTA_DPORT`: rules of policy routing can match them.
const PROTOCOL: u16 = 27;
const SOURCE_PORT: u16 = 28;
const DESTINATION_PORT: u16 = 29;
/// `RTM_F_LOOKUP_TABLE`: the answer names the table that decided.
const NAME_TABLE: u32 = 0x1000;
/// `RTM_F_FIB_MATCH`: the answer is the route itself, with all of its next hops.
const MATCH: u32 = 0x2000;
/// What is asked for, in errors.
const WHAT: &str = "a route";
/// The protocols about which the kernel answers; the route of others is that of one without ports.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// A packet whose route is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuestion {
    /// Where it goes.
    pub destination: IpAddr,
    /// Where it comes from; none if the host sends it and may choose.
    pub source: Option<IpAddr>,
    /// The number of the interface that it came in through; none if the host sends it.
    pub input: Option<u32>,
    /// Its mark; 0 for none.
    pub mark: u32,
    /// The number of its protocol.
    pub protocol: u8,
    /// The ports, of protocols that have some.
    pub ports: [Option<u16>; 2],
}

/// Where the kernel sends a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteAnswer {
    /// This way.
    Found(FoundRoute),
    /// Nowhere.
    Refused(NoRoute),
}

/// The way that the kernel chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRoute {
    /// What the route does.
    pub kind: RouteKind,
    /// The number of the interface that the packet leaves through.
    pub device: u32,
    /// The next router; none if the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The source that the host takes for packets of its own.
    pub source: Option<IpAddr>,
    /// The number of the table that decided. Without rules of policy routing the kernel has the local
    /// table in the main one, and says 254 of both.
    pub table: u32,
    /// The largest packet that the route carries, where it says so, in bytes.
    pub mtu: Option<u32>,
}

/// Why the kernel sends a packet nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// `ENETUNREACH`: no route holds the destination.
    Missing,
    /// `EHOSTUNREACH`: an `unreachable` route, a source that the reverse path filter refuses, or an
    /// interface whose packets are not forwarded.
    Unreachable,
    /// `EACCES`: a `prohibit` route.
    Prohibited,
    /// `EINVAL`: a `blackhole` route, or an address that cannot be there (a martian).
    Invalid,
    /// `EXDEV`: the reverse path filter refuses the source.
    Source,
}

impl NoRoute {
    fn of(errno: Errno) -> Option<Self> {
        Some(match errno {
            Errno::ENETUNREACH => Self::Missing,
            Errno::EHOSTUNREACH => Self::Unreachable,
            Errno::EACCES => Self::Prohibited,
            Errno::EINVAL => Self::Invalid,
            Errno::EXDEV => Self::Source,
            _ => return None,
        })
    }
}

/// Asks the kernel about routes of one network namespace. It needs no rights.
pub struct Routes {
    socket: RefCell<Socket>,
    rules: Vec<RoutingRule>,
}

impl Routes {
    /// Those of the network namespace of this file, or of the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel gives no socket.
    pub fn open(namespace: Option<&Path>) -> Result<Self, HostError> {
        let mut socket = host::open(namespace)?;
        Ok(Self {
            rules: RoutingRule::read(&mut socket)?,
            socket: RefCell::new(socket),
        })
    }

    /// Where the kernel sends this packet now.
    ///
    /// # Errors
    /// If the question or the answer does not get through, or the kernel refuses the question itself.
    pub fn ask(&self, question: &RouteQuestion) -> Result<RouteAnswer, HostError> {
        let answer = self.exchange(|buffer| question.put(buffer, NAME_TABLE, None), decode)?;
        Ok(match answer {
            Ok(found) => RouteAnswer::Found(found),
            Err(refused) => RouteAnswer::Refused(refused),
        })
    }

    /// Whether the kernel would send what answers a packet back through the interface with this number, as
    /// `fib saddr . iif oif` asks. Rules of policy routing that ask for the answer's source, which is the
    /// packet's destination, count; where the kernel cannot be asked about that, none is returned.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn is_reached(
        &self,
        [source, destination]: [IpAddr; 2],
        device: u32,
    ) -> Result<Option<bool>, HostError> {
        /// The number of `lo`, everywhere.
        const LOOPBACK: u32 = 1;
        let back = RouteQuestion::to(source);
        let asks_source = self
            .rules_of(source)
            .any(|rule| rule.source.prefix_len() > 0);
        let from = Some(destination).filter(|from| asks_source && !from.is_multicast());
        if source.is_ipv6() || from.is_none() {
            // For IPv6 the kernel looks for a route through the interface, for IPv4 at that of the address.
            let output = source.is_ipv6().then_some(device);
            let question = RouteQuestion {
                source: from,
                ..back
            };
            let route = self.route(&question, output)?;
            return Ok(Some(route.is_ok_and(|route| leads_through(&route, device))));
        }
        // From the host's own addresses the kernel routes what it sends, from others what comes in.
        let sent = RouteQuestion {
            source: from,
            ..back
        };
        let came = RouteQuestion {
            input: Some(LOOPBACK),
            ..sent.clone()
        };
        if let Ok(route) = self.route(&sent, None)? {
            return Ok(Some(leads_through(&route, device)));
        }
        Ok(match self.route(&came, None)? {
            Ok(route) => Some(leads_through(&route, device)),
            Err(NoRoute::Missing | NoRoute::Prohibited) => Some(false),
            Err(NoRoute::Unreachable | NoRoute::Invalid | NoRoute::Source) => None,
        })
    }

    /// Whether a rule of policy routing asks for the mark of packets of this address's family.
    #[must_use]
    pub fn ask_marks(&self, of: IpAddr) -> bool {
        self.rules_of(of).any(|rule| rule.asks_mark)
    }

    /// The rules of policy routing, as they were when this was opened, in their order.
    #[must_use]
    pub fn rules(&self) -> &[RoutingRule] {
        &self.rules
    }

    fn rules_of(&self, address: IpAddr) -> impl Iterator<Item = &RoutingRule> {
        let is_its = move |rule: &&RoutingRule| rule.source.addr().is_ipv4() == address.is_ipv4();
        self.rules.iter().filter(is_its)
    }

    /// The route itself that holds a destination.
    fn route(
        &self,
        question: &RouteQuestion,
        output: Option<u32>,
    ) -> Result<Result<Route, NoRoute>, HostError> {
        self.exchange(|buffer| question.put(buffer, MATCH, output), route::decode)
    }

    fn exchange<T>(
        &self,
        put: impl FnOnce(&mut Vec<u8>),
        decode: impl Fn(&Message<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<Result<T, NoRoute>, HostError> {
        let (mut request, mut bytes) = (Vec::new(), Vec::new());
        put(&mut request);
        self.socket.borrow_mut().exchange(&request, &mut bytes)?;
        for reply in &mut Replies::of(&bytes) {
            match reply {
                Ok(message) => {
                    if let Some(found) = decode(&message)? {
                        return Ok(Ok(found));
                    }
                }
                Err(ReplyError::Malformed(error)) => return Err(error.into()),
                Err(ReplyError::Refused(errno)) => {
                    let refused = NoRoute::of(errno).map(Err);
                    return refused.ok_or(HostError::Refused { what: WHAT, errno });
                }
            }
        }
        Err(HostError::Cut { what: WHAT })
    }
}

fn leads_through(route: &Route, device: u32) -> bool {
    route.kind == RouteKind::UNICAST && route.devices.contains(&device)
}

impl RouteQuestion {
    /// A packet of a flow without ports that the host sends.
    #[must_use]
    pub fn to(destination: IpAddr) -> Self {
        Self {
            destination,
            source: None,
            input: None,
            mark: 0,
            protocol: ICMP,
            ports: [None; 2],
        }
    }

    fn put(&self, buffer: &mut Vec<u8>, how: u32, output: Option<u32>) {
        let header = Header::request(GET, flags::REQUEST, 0);
        let (family, bits) = match self.destination {
            IpAddr::V4(_) => (nix::libc::AF_INET as u8, 32),
            IpAddr::V6(_) => (nix::libc::AF_INET6 as u8, 128),
        };
        let mut head = [0; HEAD];
        head[0] = family;
        head[1] = bits;
        head[2] = self.source.map_or(0, |_| bits);
        head[8..].copy_from_slice(&how.to_ne_bytes());
        message::put(buffer, header, &head, |body| {
            put_address(body, DESTINATION, self.destination);
            if let Some(source) = self.source {
                put_address(body, SOURCE, source);
            }
            if let Some(input) = self.input {
                attribute::bytes(body, INPUT, &input.to_ne_bytes());
            }
            if let Some(output) = output {
                attribute::bytes(body, DEVICE, &output.to_ne_bytes());
            }
            if self.mark != 0 {
                attribute::bytes(body, MARK, &self.mark.to_ne_bytes());
            }
            self.put_protocol(body);
        });
    }

    fn put_protocol(&self, body: &mut Vec<u8>) {
        let echo = if self.destination.is_ipv4() {
            ICMP
        } else {
            ICMPV6
        };
        match self.protocol {
            TCP | UDP => {
                attribute::u8(body, PROTOCOL, self.protocol);
                for (kind, port) in [SOURCE_PORT, DESTINATION_PORT].into_iter().zip(self.ports) {
                    if let Some(port) = port {
                        attribute::u16(body, kind, port);
                    }
                }
            }
            // Without a protocol the kernel takes udp.
            _ => attribute::u8(body, PROTOCOL, echo),
        }
    }
}

fn put_address(body: &mut Vec<u8>, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(address) => attribute::bytes(body, kind, &address.octets()),
        IpAddr::V6(address) => attribute::bytes(body, kind, &address.octets()),
    }
}

/// Reads the answer; none if the message is none.
fn decode(message: &Message<'_>) -> Result<Option<FoundRoute>, Malformed> {
    let body = message.payload;
    let (ROUTE, Some(&[_, _, _, _, table, _, _, kind])) = (message.header.kind, body.first_chunk())
    else {
        return Ok(None);
    };
    let mut found = FoundRoute {
        kind: RouteKind(kind),
        device: 0,
        gateway: None,
        source: None,
        table: u32::from(table),
        mtu: None,
    };
    for attribute in Attributes::of("route", body.get(HEAD..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.number() {
            DEVICE => found.device = number(Some(attribute.bytes)).unwrap_or(0),
            GATEWAY => found.gateway = address(attribute.bytes),
            PREFERRED => found.source = address(attribute.bytes),
            TABLE => found.table = number(Some(attribute.bytes)).unwrap_or(found.table),
            METRICS => {
                for metric in Attributes::of("metric", attribute.bytes) {
                    let metric = metric?;
                    if metric.number() == MTU {
                        found.mtu = number(Some(metric.bytes));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;

    fn question() -> RouteQuestion {
        RouteQuestion {
            destination: "198.51.100.1".parse().unwrap(),
            source: "192.168.122.10".parse().ok(),
            input: Some(7),
            mark: 1,
            protocol: TCP,
            ports: [Some(40_000), Some(443)],
        }
    }

    #[test]
    fn everything_that_decides_is_asked() {
        let mut bytes = Vec::new();
        question().put(&mut bytes, NAME_TABLE, None);
        let message = messages(&bytes).next().unwrap().unwrap();
        let of: Vec<(u16, Vec<u8>)> = Attributes::of("route", &message.payload[HEAD..])
            .map(|attribute| {
                let attribute = attribute.unwrap();
                (attribute.number(), attribute.bytes.to_vec())
            })
            .collect();
        let expected: [(u16, Vec<u8>); 7] = [
            (DESTINATION, vec![198, 51, 100, 1]),
            (SOURCE, vec![192, 168, 122, 10]),
            (INPUT, 7u32.to_ne_bytes().to_vec()),
            (MARK, 1u32.to_ne_bytes().to_vec()),
            (PROTOCOL, vec![TCP]),
            (SOURCE_PORT, vec![0x9c, 0x40]),
            (DESTINATION_PORT, vec![1, 0xbb]),
        ];
        assert_eq!(of, expected);
        assert_eq!(&message.payload[..3], [2, 32, 32]);
    }

    #[test]
    fn broken_answers_are_no_panic() {
        let mut bytes = Vec::new();
        question().put(&mut bytes, NAME_TABLE, None);
        let message = messages(&bytes).next().unwrap().unwrap();
        let header = Header {
            kind: ROUTE,
            ..message.header
        };
        for end in 0..message.payload.len() {
            let _ = decode(&Message {
                header,
                payload: &message.payload[..end],
                ..message
            });
        }
    }

    /// The loopback device routes everywhere that a test runs.
    #[test]
    fn the_kernel_takes_its_own_address_itself() {
        let routes = Routes::open(None).unwrap();
        let own = RouteQuestion::to("127.0.0.1".parse().unwrap());
        let RouteAnswer::Found(found) = routes.ask(&own).unwrap() else {
            panic!("no route to the host itself");
        };
        assert_eq!(found.kind, RouteKind::LOCAL);
        let nowhere = RouteQuestion {
            source: "192.0.2.77".parse().ok(),
            input: Some(1),
            ..own
        };
        let answer = routes.ask(&nowhere).unwrap();
        assert!(matches!(answer, RouteAnswer::Refused(_)), "{answer:?}");
        let own = ["127.0.0.1".parse().unwrap(); 2];
        assert_eq!(routes.is_reached(own, 1).unwrap(), Some(false));
    }
}
