//! From a rule to its words, in the order and spelling of `iptables-save`: source, destination,
//! interfaces, protocol, what other matches ask, our comment, the target.

use std::net::SocketAddr;

use palisade_core::network::{AddressRange, Family, MssClamp, PortRange};
use palisade_core::rules::{Action, Destination, Matches, Rule};

use super::log;
use super::table::{BTW, FWO, admin_chain};
use crate::text::Words;

/// `-s N -i B -m comment --comment "default: out" -j ACCEPT`; none for what libvirt does not match.
pub(super) fn words(rule: &Rule) -> Option<Words> {
    let Matches {
        in_interface,
        out_interface,
        source,
        destination,
        protocol,
        source_port,
        destination_port,
        to_host,
        redirected,
        known_flow,
        no_flow,
        forged,
    } = &rule.matches;
    if *no_flow || *forged {
        return None;
    }
    let mut line = Line::default();
    if let Some(source) = source {
        line.option("-s", source);
    }
    if let Some(destination) = destination {
        if matches!(destination, Destination::NotIn(_)) {
            line.word("!");
        }
        line.option("-d", &destination.net(rule.layer.family()));
    }
    if let Some(interface) = in_interface {
        line.option("-i", interface.as_str());
    }
    if let Some(interface) = out_interface {
        line.option("-o", interface.as_str());
    }
    if let Some(protocol) = protocol {
        line.option("-p", protocol);
        if source_port.is_some() || destination_port.is_some() {
            line.option("-m", protocol);
        }
        if let Some(port) = source_port {
            line.option("--sport", port);
        }
        if let Some(port) = destination_port {
            line.option("--dport", port);
        }
    }
    if matches!(rule.action, Action::ClampMss(_)) {
        line.option("-m", "tcp");
        line.option("--tcp-flags", "SYN,RST");
        line.word("SYN");
    }
    if *to_host {
        line.option("-m", "addrtype");
        line.option("--dst-type", "LOCAL");
    }
    if *redirected {
        line.option("-m", "conntrack");
        line.option("--ctstate", "DNAT");
    }
    if *known_flow {
        line.option("-m", "conntrack");
        line.option("--ctstate", "RELATED,ESTABLISHED");
    }
    if let Action::Log(refused) = rule.action {
        let rate = refused.settings.rate;
        line.option("-m", "limit");
        line.option("--limit", &log::rate(rate));
        if rate.burst() != log::USUAL_BURST {
            line.option("--limit-burst", &rate.burst());
        }
    }
    line.option("-m", "comment");
    // The programs keep 255 bytes, and the longest name leaves more than enough of them.
    line.option("--comment", &rule.tag());
    target(&mut line, rule);
    Some(line.0.into_iter().collect())
}

#[derive(Default)]
struct Line(Vec<String>);

impl Line {
    fn word(&mut self, word: &(impl ToString + ?Sized)) {
        self.0.push(word.to_string());
    }

    fn option(&mut self, option: &str, word: &(impl ToString + ?Sized)) {
        self.word(option);
        self.word(word);
    }
}

fn target(line: &mut Line, rule: &Rule) {
    match rule.action {
        Action::Accept => line.option("-j", "ACCEPT"),
        Action::Return => line.option("-j", "RETURN"),
        Action::Drop => line.option("-j", "DROP"),
        Action::Reject => {
            line.option("-j", "REJECT");
            line.option("--reject-with", port_unreachable(rule.layer.family()));
        }
        Action::Masquerade { ports } => {
            line.option("-j", "MASQUERADE");
            if let Some(ports) = ports {
                line.option("--to-ports", &ports);
            }
        }
        Action::Snat { addresses, ports } => {
            line.option("-j", "SNAT");
            line.option("--to-source", &source(addresses, ports));
        }
        Action::FillChecksum => {
            line.option("-j", "CHECKSUM");
            line.word("--checksum-fill");
        }
        Action::Log(refused) => match refused.settings.group {
            None => {
                line.option("-j", "LOG");
                line.option("--log-prefix", &refused.prefix());
            }
            Some(group) => {
                line.option("-j", "NFLOG");
                line.option("--nflog-prefix", &refused.prefix());
                // The programs do not print the first one.
                if group != 0 {
                    line.option("--nflog-group", &group);
                }
            }
        },
        Action::ClampMss(MssClamp::RouteMtu) => {
            line.option("-j", "TCPMSS");
            line.word("--clamp-mss-to-pmtu");
        }
        Action::ClampMss(MssClamp::Size(size)) => {
            line.option("-j", "TCPMSS");
            line.option("--set-mss", &size.bytes());
        }
        Action::Dnat { address, port } => {
            line.option("-j", "DNAT");
            line.option("--to-destination", &SocketAddr::new(address, port));
        }
        Action::SenderDecides => line.option("-j", FWO),
        Action::BetweenNetworks => line.option("-j", BTW),
        Action::Administrator(chain) => line.option("-j", admin_chain(chain)),
    }
}

/// What REJECT answers where nothing is said: `iptables-save` says it.
fn port_unreachable(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "icmp-port-unreachable",
        Family::Ipv6 => "icmp6-port-unreachable",
    }
}

/// `A-B:LO-HI`, each with one end where both are equal.
fn source(addresses: AddressRange, ports: Option<PortRange>) -> String {
    match ports {
        Some(ports) => format!("{addresses}:{ports}"),
        None => addresses.to_string(),
    }
}
