//! Which flows go where forwards of ports do not lead them any more, or not yet. Pure.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use palisade_core::network::{PortForward, Subnet};
use palisade_core::rules::Protocol;

use super::flow::{Flow, ProtocolKey, Tuple};

/// Forwards of ports, before and after a change. Those that are the same in both are left out.
#[derive(Debug, Clone, Default)]
pub struct ForwardChange {
    /// Those that were there before, and are not any more.
    pub gone: Vec<PortForward>,
    /// Those that were not there before.
    pub came: Vec<PortForward>,
    /// Those whose rules were missing for a while, or may have been.
    pub restored: Vec<PortForward>,
}

/// An address and a port.
type Place = (IpAddr, u16);

/// Forwards, ready to be looked up, and the addresses of the host.
pub(super) struct MisledFlows<'a> {
    gone: Ports<'a>,
    came: Ports<'a>,
    restored: Ports<'a>,
    host: HashSet<IpAddr>,
}

/// Forwards by protocol and port of the host.
#[derive(Default)]
struct Ports<'a>(HashMap<(u8, u16), Vec<Lead<'a>>>);

/// Where one port leads.
#[derive(Clone, Copy)]
struct Lead<'a> {
    /// None for every address of the host.
    at: Option<IpAddr>,
    /// None of them for every source.
    sources: &'a [Subnet],
    target: Place,
}

impl ForwardChange {
    /// Whether no flow can be concerned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &PortForward> {
        let changed = self.gone.iter().chain(&self.came);
        changed.chain(&self.restored)
    }
}

impl<'a> MisledFlows<'a> {
    /// Those of this change, on a host with these addresses.
    pub(super) fn of(change: &'a ForwardChange, host: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            gone: Ports::of(&change.gone),
            came: Ports::of(&change.came),
            restored: Ports::of(&change.restored),
            host: host.into_iter().collect(),
        }
    }

    /// Whether a flow goes elsewhere than its next first packet would: it began before a forward came, or
    /// it goes where a forward led it that is gone.
    pub(super) fn has(&self, flow: &Flow) -> bool {
        let (Some(wanted), Some(actual)) = (destination(&flow.original), source(&flow.reply))
        else {
            return false;
        };
        let [gone, came, restored] = [&self.gone, &self.came, &self.restored]
            .map(|ports| ports.lead(flow, wanted, &self.host));
        let is_where = |lead: Option<Lead<'_>>| lead.is_some_and(|lead| lead.target == actual);
        if is_where(came) || is_where(restored) {
            return false;
        }
        let is_untranslated = actual == wanted;
        // A forward at one address stands before those at every address.
        let is_taken = came.is_some_and(|lead| lead.at.is_some() || is_untranslated);
        is_taken || is_where(gone) || restored.is_some() && is_untranslated
    }
}

impl<'a> Ports<'a> {
    fn of(forwards: &'a [PortForward]) -> Self {
        let mut ports = Self::default();
        for forward in forwards {
            let (listen, target) = (forward.listen(), forward.target());
            let protocol = Protocol::from(forward.protocol()).number();
            let listened = listen.ports().start()..=listen.ports().end();
            let targeted = target.ports().start()..=target.ports().end();
            for (port, to) in listened.zip(targeted) {
                ports.0.entry((protocol, port)).or_default().push(Lead {
                    at: listen.address(),
                    sources: forward.sources(),
                    target: (target.address(), to),
                });
            }
        }
        ports
    }

    /// Where the first packet of a flow to this place is led.
    fn lead(&self, flow: &Flow, (to, port): Place, host: &HashSet<IpAddr>) -> Option<Lead<'a>> {
        let from = flow.original.addresses.source();
        let leads = self.0.get(&(flow.original.protocol, port))?;
        let is_its = |lead: &&Lead<'_>| {
            let is_there = match lead.at {
                Some(at) => at == to,
                None => lead.target.0.is_ipv4() == to.is_ipv4() && host.contains(&to),
            };
            let mut sources = lead.sources.iter();
            is_there && (lead.sources.is_empty() || sources.any(|s| s.net().contains(&from)))
        };
        let its = leads.iter().filter(is_its);
        its.min_by_key(|lead| lead.at.is_none()).copied()
    }
}

fn destination(tuple: &Tuple) -> Option<Place> {
    match tuple.key {
        ProtocolKey::Ports { destination, .. } => {
            Some((tuple.addresses.destination(), destination))
        }
        _ => None,
    }
}

fn source(tuple: &Tuple) -> Option<Place> {
    match tuple.key {
        ProtocolKey::Ports { source, .. } => Some((tuple.addresses.source(), source)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::flow::Addresses;
    use super::*;

    const TCP: u8 = 6;
    const UDP: u8 = 17;

    fn tuple(protocol: u8, from: SocketAddr, to: SocketAddr) -> Tuple {
        let addresses = match (from.ip(), to.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Addresses::V4 {
                source,
                destination,
            },
            (IpAddr::V6(source), IpAddr::V6(destination)) => Addresses::V6 {
                source,
                destination,
            },
            mixed => panic!("{mixed:?}"),
        };
        let key = ProtocolKey::Ports {
            source: from.port(),
            destination: to.port(),
        };
        Tuple {
            addresses,
            protocol,
            key,
            zone: None,
        }
    }

    /// A flow from somebody to a place, which this one answers.
    fn flow(protocol: u8, from: &str, to: &str, answerer: &str) -> Flow {
        let [from, to, answerer] = [from, to, answerer].map(|text| text.parse().unwrap());
        Flow {
            original: tuple(protocol, from, to),
            reply: tuple(protocol, answerer, from),
            status: 0,
            id: 1,
            mark: 0,
            zone: None,
        }
    }

    fn forwards(texts: &[&str]) -> Vec<PortForward> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn is_ended(change: &ForwardChange, flow: &Flow) -> bool {
        let host = ["192.0.2.1", "192.0.2.7", "2001:db8::1"];
        let host = host.map(|address| address.parse().unwrap());
        MisledFlows::of(change, host).has(flow)
    }

    const WORLD: &str = "198.51.100.9:40000";
    const HOST: &str = "192.0.2.1:8080";
    const OTHER: &str = "192.0.2.7:8080";
    const GUEST: &str = "10.0.0.11:80";

    #[test]
    fn what_began_before_a_forward_came() {
        let change = ForwardChange {
            came: forwards(&["tcp 8080 -> 10.0.0.11:80"]),
            ..ForwardChange::default()
        };
        for host in [HOST, OTHER] {
            assert!(is_ended(&change, &flow(TCP, WORLD, host, host)));
            assert!(!is_ended(&change, &flow(TCP, WORLD, host, GUEST)));
            assert!(!is_ended(&change, &flow(UDP, WORLD, host, host)));
            // Where another forward or another program leads it.
            assert!(!is_ended(&change, &flow(TCP, WORLD, host, "10.0.0.12:80")));
        }
        // Through the host, to others.
        let through = "203.0.113.5:8080";
        assert!(!is_ended(&change, &flow(TCP, WORLD, through, through)));
        let port = "192.0.2.1:8081";
        assert!(!is_ended(&change, &flow(TCP, WORLD, port, port)));
    }

    #[test]
    fn a_forward_at_an_address_takes_all_that_goes_there() {
        let change = ForwardChange {
            came: forwards(&["udp 192.0.2.7:8080 -> 10.0.0.11:80"]),
            ..ForwardChange::default()
        };
        assert!(is_ended(&change, &flow(UDP, WORLD, OTHER, OTHER)));
        assert!(is_ended(&change, &flow(UDP, WORLD, OTHER, "10.0.0.12:80")));
        assert!(!is_ended(&change, &flow(UDP, WORLD, OTHER, GUEST)));
        assert!(!is_ended(&change, &flow(UDP, WORLD, HOST, HOST)));
    }

    #[test]
    fn what_a_forward_led_that_is_gone_or_changed() {
        let gone = ForwardChange {
            gone: forwards(&["tcp 8079-8080 -> 10.0.0.11:79-80"]),
            ..ForwardChange::default()
        };
        assert!(is_ended(&gone, &flow(TCP, WORLD, HOST, GUEST)));
        assert!(!is_ended(&gone, &flow(TCP, WORLD, HOST, "10.0.0.12:80")));
        assert!(!is_ended(&gone, &flow(TCP, WORLD, HOST, HOST)));
        let direct = flow(TCP, WORLD, GUEST, GUEST);
        assert!(!is_ended(&gone, &direct));
        let changed = ForwardChange {
            came: forwards(&["tcp 8080 -> 10.0.0.12:80"]),
            ..gone.clone()
        };
        assert!(is_ended(&changed, &flow(TCP, WORLD, HOST, GUEST)));
        assert!(!is_ended(&changed, &flow(TCP, WORLD, HOST, "10.0.0.12:80")));
        // It moves from one network to another, or to a narrower list of sources.
        let moved = ForwardChange {
            came: gone.gone.clone(),
            ..gone
        };
        assert!(!is_ended(&moved, &flow(TCP, WORLD, HOST, GUEST)));
    }

    #[test]
    fn sources_count() {
        let [all] = <[PortForward; 1]>::try_from(forwards(&["tcp 8080 -> 10.0.0.11:80"])).unwrap();
        let some = all
            .clone()
            .with_sources(vec!["198.51.100.0/24".parse().unwrap()]);
        let change = ForwardChange {
            gone: vec![all],
            came: vec![some.unwrap()],
            ..ForwardChange::default()
        };
        assert!(!is_ended(&change, &flow(TCP, WORLD, HOST, GUEST)));
        assert!(is_ended(&change, &flow(TCP, "203.0.113.9:4", HOST, GUEST)));
    }

    #[test]
    fn of_restored_rules_only_what_passed_them_by() {
        let change = ForwardChange {
            restored: forwards(&["tcp [2001:db8::1]:8080 -> [fd00::11]:80"]),
            ..ForwardChange::default()
        };
        let [world, host] = ["[2001:db8:9::9]:4", "[2001:db8::1]:8080"];
        assert!(is_ended(&change, &flow(TCP, world, host, host)));
        assert!(!is_ended(&change, &flow(TCP, world, host, "[fd00::11]:80")));
        assert!(!is_ended(&change, &flow(TCP, world, host, "[fd00::12]:80")));
    }
}
