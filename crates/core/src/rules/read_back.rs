//! From a network's rules back to its definition, as far as rules say it.

use super::action::Action;
use super::blocked;
use super::forward;
use super::kind::RuleKind;
use super::layer::Layer;
use super::nat::Translation;
use super::rule::Rule;
use crate::network::{
    Description, Established, Family, Forward, InterfaceName, LogRefused, MssClamp, Name, Nat,
    Network, PortForward, Subnet,
};

/// The definitions that these rules of one network may be of. Whether they are is seen when the rules of
/// each are derived again.
///
/// Rules do not say which MTU and zone a network has; nor all subnets of an isolated one; nor, in nftables,
/// whether its guests get addresses by DHCP.
#[must_use]
pub(crate) fn read_back(name: &Name, rules: &[Rule]) -> Vec<Network> {
    let rules = Issued(rules);
    let Some(bridge) = rules.bridge() else {
        return Vec::new();
    };
    let subnets = rules.subnets();
    let has = |family| subnets.iter().any(|subnet| subnet.family() == family);
    let described = Description {
        isolated_ports: rules.has(RuleKind::RefuseCross),
        tftp: rules.has(RuleKind::Tftp),
        mss_clamp: rules.clamp(),
        log: rules.log(),
        subnets: subnets.clone(),
        forwards: rules.forwards(),
        blocked: blocked::read_back(rules.of(RuleKind::BlockedOut)),
        ..Description::new(name.clone(), Some(bridge.clone()), rules.forward())
    };
    let established = match rules.has(RuleKind::EstablishedIn) {
        true => Established::First,
        false => Established::InTurn,
    };
    let dhcp: &[bool] = match has(Family::Ipv4) {
        true => &[true, false],
        false => &[false],
    };
    let ipv6: &[bool] = match has(Family::Ipv6) {
        true => &[false],
        false => &[false, true],
    };
    let mut networks = Vec::new();
    for &dhcp in dhcp {
        for &ipv6 in ipv6 {
            let network = Network::new(Description {
                dhcp,
                ipv6,
                ..described.clone()
            });
            networks.extend(network.ok().map(|n| n.with_established(established)));
        }
    }
    networks
}

/// The rules of one network. Those of a chain are in the order in which they were issued.
struct Issued<'r>(&'r [Rule]);

impl Issued<'_> {
    fn of(&self, kind: RuleKind) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(move |rule| rule.kind == kind)
    }

    fn has(&self, kind: RuleKind) -> bool {
        self.of(kind).next().is_some()
    }

    /// Each ruled network refuses what comes to its bridge.
    fn bridge(&self) -> Option<&InterfaceName> {
        let mut refused = self.of(RuleKind::RefuseIn);
        refused.find_map(|rule| rule.matches.out_interface.as_ref())
    }

    /// Those that packets leave, or that are answered when they do not.
    fn subnets(&self) -> Vec<Subnet> {
        let sources = self.of(RuleKind::Out).chain(self.of(RuleKind::RefuseOut));
        let mut subnets: Vec<Subnet> = Vec::new();
        for subnet in sources.filter_map(|rule| rule.matches.source) {
            if !subnets.contains(&subnet) {
                subnets.push(subnet);
            }
        }
        subnets
    }

    fn forward(&self) -> Forward {
        let mut out = self.of(RuleKind::Out);
        let Some(first) = out.next() else {
            return Forward::Isolated;
        };
        let device = first.matches.out_interface.clone();
        let translations = self.of(RuleKind::Nat);
        let translations = translations.filter_map(|rule| Translation::of(rule.action));
        // Of IPv4, where it is translated too: it alone says which addresses.
        let Some(nat) = translations.max_by_key(|nat| nat.addresses.is_some()) else {
            return Forward::Route { device };
        };
        Forward::Nat(Nat {
            device,
            addresses: nat.addresses,
            ports: nat.ports,
            ipv6: self.of(RuleKind::Nat).any(|rule| rule.layer == Layer::Ipv6),
            between_networks: !self.has(RuleKind::KeepBetween),
        })
    }

    fn forwards(&self) -> Vec<PortForward> {
        let at = self.of(RuleKind::ForwardAt);
        forward::read_back(at.chain(self.of(RuleKind::ForwardAny)))
    }

    fn log(&self) -> Option<LogRefused> {
        let mut logged = self.of(RuleKind::LogIn);
        logged.find_map(|rule| match rule.action {
            Action::Log(log) => Some(log.settings),
            _ => None,
        })
    }

    fn clamp(&self) -> Option<MssClamp> {
        let mut clamped = self.of(RuleKind::ClampOut);
        clamped.find_map(|rule| match rule.action {
            Action::ClampMss(clamp) => Some(clamp),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::derive::{Guard, rules};
    use super::*;
    use crate::network::{AddressRange, PortRange};

    fn nats() -> Vec<Nat> {
        let eth0 = || Some("eth0".parse().unwrap());
        let addresses = AddressRange::new([1, 2, 3, 4].into(), [1, 2, 3, 5].into()).unwrap();
        vec![
            Nat::default(),
            Nat {
                device: eth0(),
                ipv6: true,
                ..Nat::default()
            },
            Nat {
                addresses: Some(addresses),
                ports: PortRange::new(500, 1000).unwrap(),
                between_networks: false,
                ipv6: true,
                ..Nat::default()
            },
        ]
    }

    /// Forwards to a guest, in the order in which they are read back.
    fn forwards_to(subnet: &str) -> Vec<PortForward> {
        let subnet: Subnet = subnet.parse().unwrap();
        let guest = subnet.net().hosts().nth(4).unwrap();
        let (at, source) = match guest.is_ipv4() {
            true => ("203.0.113.7:", ["198.51.100.0/24", "203.0.113.9/32"]),
            false => ("[2001:db8::7]:", ["2001:db8:1::/64", "2001:db8:2::9/128"]),
        };
        let to = |port: &str| match guest.is_ipv4() {
            true => format!("{guest}:{port}"),
            false => format!("[{guest}]:{port}"),
        };
        let forward = |text: String| text.parse::<PortForward>().unwrap();
        let sources = source.map(|source| source.parse().unwrap()).to_vec();
        vec![
            forward(format!("tcp 80 -> {}", to("8080"))),
            forward(format!("tcp 81-90 -> {}", to("80-89"))),
            forward(format!("udp 53 -> {}", to("53")))
                .with_sources(sources)
                .unwrap(),
            forward(format!("sctp {at}65535 -> {}", to("1"))),
        ]
    }

    fn log() -> LogRefused {
        LogRefused {
            prefix: "lab: ".parse().ok(),
            rate: "3/minute".parse().unwrap(),
            group: Some(5),
        }
    }

    fn networks() -> Vec<Network> {
        let eth0 = Some("eth0".parse().unwrap());
        let mut forwards: Vec<Forward> = nats().into_iter().map(Forward::Nat).collect();
        forwards.extend([
            Forward::Route { device: None },
            Forward::Route { device: eth0 },
            Forward::Isolated,
        ]);
        let mut networks = Vec::new();
        for forward in forwards {
            for subnets in [
                &["10.0.0.0/24", "fd00::/64"][..],
                &["10.9.0.0/16"],
                &["fd00::/64"],
            ] {
                for odd in [false, true] {
                    let description = Description {
                        subnets: subnets.iter().map(|s| s.parse().unwrap()).collect(),
                        tftp: odd,
                        dhcp: odd && subnets[0].contains('.'),
                        isolated_ports: odd,
                        mss_clamp: odd.then_some(MssClamp::RouteMtu),
                        log: odd.then(log),
                        forwards: if odd {
                            forwards_to(subnets[0])
                        } else {
                            Vec::new()
                        },
                        ..Description::new(
                            "lab".parse().unwrap(),
                            Some("virbr0".parse().unwrap()),
                            forward.clone(),
                        )
                    };
                    let network = Network::new(description).unwrap();
                    let established = match odd {
                        true => Established::First,
                        false => Established::InTurn,
                    };
                    networks.push(network.with_established(established));
                }
            }
        }
        networks
    }

    /// The rules of one of the candidates are the rules that were read.
    #[test]
    fn the_strict_rules_say_which_network_they_are_of() {
        for network in networks() {
            let installed = rules(&network, Guard::Strict);
            let found = read_back(network.name(), &installed);
            let is_it = |other: &Network| rules(other, Guard::Strict) == installed;
            assert!(found.iter().any(is_it), "{network:?}: {found:?}");
        }
    }

    /// libvirt's do not name the subnets of isolated networks.
    #[test]
    fn the_rules_of_libvirt_do_but_for_isolated_networks() {
        for network in networks() {
            let installed = rules(&network, Guard::Libvirt);
            let found = read_back(network.name(), &installed);
            let is_it = |other: &Network| rules(other, Guard::Libvirt) == installed;
            let is_isolated = matches!(network.forward(), Forward::Isolated);
            assert!(
                is_isolated || found.iter().any(is_it),
                "{network:?}: {found:?}"
            );
        }
    }

    #[test]
    fn rules_without_a_bridge_are_of_no_network() {
        let network = &networks()[0];
        let mut rules = rules(network, Guard::Strict);
        rules.retain(|rule| rule.kind != RuleKind::RefuseIn);
        assert_eq!(read_back(network.name(), &rules), []);
    }
}
