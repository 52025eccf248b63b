//! From a network to its rules: pure, and in the order in which libvirt issues them.
//!
//! Each rule goes to the head of its chain when it is issued, so that packets meet them in the
//! reverse of this order: exceptions before what they are exceptions from, catch-alls last.

use super::action::Action;
use super::blocked::blocked_rules;
use super::bridge::bridge_rules;
use super::clamp::clamp_rules;
use super::forward::{forward_rules, hairpin_rules};
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::{Destination, Matches, Protocol};
use super::nat::Translation;
use super::refusal_log::RefusalLog;
use super::role::Role;
use super::rule::Rule;
use crate::network::{Established, Family, Forward, InterfaceName, Nat, Network, Subnet};

/// Whether the rules close what libvirt's leave open: the documented differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The rules are libvirt's. IPv6 is ruled for networks with an IPv6 subnet or `ipv6='yes'`:
    /// libvirt disables IPv6 on the bridges of the others.
    Libvirt,
    /// The rules are stricter. IPv6 is ruled on every network's bridge, whoever owns it: nothing is
    /// forwarded past a network without an IPv6 subnet. Forged sources get no answer and no way,
    /// nothing leaves a NAT network untranslated, and what stays on its bridge is not translated.
    Strict,
}

/// The rules of a network, in the order in which they are issued. Networks whose traffic is not
/// ours to rule have none.
#[must_use]
pub fn rules(network: &Network, guard: Guard) -> Vec<Rule> {
    let Some(bridge) = network.ruled_bridge() else {
        return Vec::new();
    };
    let mut rules = Rules {
        network,
        guard,
        bridge,
        // Most networks have no more.
        issued: Vec::with_capacity(24),
    };
    rules.host_services();
    for layer in Layer::IP {
        if is_ruled(network, layer, guard) {
            rules.general(layer);
            rules.sources(layer);
            rules.forwards(layer);
        }
        if network.established() == Established::First {
            rules.established(layer);
        }
        if network.isolated_ports() && is_ruled(network, layer, guard) {
            rules.isolated_ports(layer);
        }
        rules.host_services_after(layer);
        if is_ruled(network, layer, guard) {
            rules.bridge(layer);
        }
    }
    for &subnet in network.subnets() {
        match network.forward() {
            Forward::Nat(nat) if is_translated(nat, subnet.family()) => rules.nat(subnet, nat),
            Forward::Nat(_) | Forward::Route { .. } => rules.route(subnet),
            Forward::Isolated | Forward::Open | Forward::Unmanaged(_) => {}
        }
    }
    rules.invalid();
    rules.hairpins();
    rules.checksum();
    rules.blocked();
    rules.issued
}

fn is_ruled(network: &Network, layer: Layer, guard: Guard) -> bool {
    match layer {
        Layer::Ipv4 => true,
        Layer::Ipv6 => {
            guard == Guard::Strict
                || network.ipv6()
                || network.subnets_of(Family::Ipv6).next().is_some()
        }
    }
}

fn is_translated(nat: &Nat, family: Family) -> bool {
    family == Family::Ipv4 || nat.ipv6
}

/// The rules of one network as they are issued.
struct Rules<'a> {
    network: &'a Network,
    guard: Guard,
    bridge: &'a InterfaceName,
    issued: Vec<Rule>,
}

impl Rules<'_> {
    fn issue(&mut self, layer: Layer, kind: RuleKind, matches: Matches, action: Action) {
        self.issued.push(Rule {
            owner: self.network.name().clone(),
            kind,
            layer,
            matches,
            action,
        });
    }

    fn entering(&self) -> Matches {
        Matches {
            in_interface: Some(self.bridge.clone()),
            ..Matches::default()
        }
    }

    fn leaving(&self) -> Matches {
        Matches {
            out_interface: Some(self.bridge.clone()),
            ..Matches::default()
        }
    }

    fn crossing(&self) -> Matches {
        Matches {
            out_interface: Some(self.bridge.clone()),
            ..self.entering()
        }
    }

    /// The host's services for its guests over IPv4: `-i B -p udp --dport 67 -j ACCEPT` and so on.
    fn host_services(&mut self) {
        use Protocol::{Tcp, Udp};
        let v4 = Layer::Ipv4;
        self.serve(v4, RuleKind::Dhcp, &[(Tcp, 67), (Udp, 67)]);
        self.serve(v4, RuleKind::DhcpReply, &[(Tcp, 68), (Udp, 68)]);
        self.serve(v4, RuleKind::Dns, &[(Tcp, 53), (Udp, 53)]);
        self.serve(v4, RuleKind::DnsReply, &[(Tcp, 53), (Udp, 53)]);
        if self.network.tftp() {
            self.serve(v4, RuleKind::Tftp, &[(Udp, 69)]);
            self.serve(v4, RuleKind::TftpReply, &[(Udp, 69)]);
        }
    }

    /// The same over IPv6, where libvirt issues it after the general rules.
    fn host_services_after(&mut self, layer: Layer) {
        use Protocol::{Tcp, Udp};
        if layer == Layer::Ipv4 || self.network.subnets_of(layer.family()).next().is_none() {
            return;
        }
        self.serve(layer, RuleKind::Dns, &[(Tcp, 53), (Udp, 53)]);
        self.serve(layer, RuleKind::DnsReply, &[(Tcp, 53), (Udp, 53)]);
        self.serve(layer, RuleKind::Dhcp, &[(Udp, 547)]);
        self.serve(layer, RuleKind::DhcpReply, &[(Udp, 546)]);
    }

    /// Packets to the ports of a service: guests' requests, or the host's replies.
    fn serve(&mut self, layer: Layer, kind: RuleKind, services: &[(Protocol, u16)]) {
        for &(protocol, port) in services {
            let interface = match kind.role() {
                Role::HostInput => self.entering(),
                _ => self.leaving(),
            };
            let matches = Matches {
                protocol: Some(protocol),
                destination_port: Some(port),
                ..interface
            };
            self.issue(layer, kind, matches, Action::Accept);
        }
    }

    /// `iifname B reject`, `oifname B reject`, `iifname B oifname B accept`; the last not where the bridge's
    /// ports are isolated.
    fn general(&mut self, layer: Layer) {
        let (from, to) = (self.entering(), self.leaving());
        // Sources of which some packets are let out, and some are not.
        let is_bound = self.network.forward().device().is_some();
        let is_refused = is_bound || matches!(self.network.forward(), Forward::Isolated);
        self.refuse(layer, RuleKind::RefuseOut, from.clone(), is_refused);
        self.log(layer, RuleKind::LogOut, from);
        self.issue(layer, RuleKind::RefuseIn, to.clone(), Action::Reject);
        self.log(layer, RuleKind::LogIn, to);
        if !self.network.isolated_ports() {
            self.issue(layer, RuleKind::Cross, self.crossing(), Action::Accept);
        }
    }

    /// `iifname B oifname B reject`: the bridge itself passes nothing on between isolated ports. Packets of
    /// known flows are no exception.
    fn isolated_ports(&mut self, layer: Layer) {
        self.refuse(layer, RuleKind::RefuseCross, self.crossing(), true);
        self.log(layer, RuleKind::LogCross, self.crossing());
    }

    /// What rules before have refused, which packets meet after this: `iifname B limit rate R log`.
    fn log(&mut self, layer: Layer, kind: RuleKind, matches: Matches) {
        let log = self.network.log();
        let log = log.and_then(|settings| RefusalLog::of(kind, *settings));
        if let Some(log) = log {
            self.issue(layer, kind, matches, Action::Log(log));
        }
    }

    /// Above what is refused.
    fn forwards(&mut self, layer: Layer) {
        for (kind, matches, action) in forward_rules(self.network, self.bridge, layer) {
            self.issue(layer, kind, matches, action);
        }
    }

    /// Above all that keeps a source.
    fn hairpins(&mut self) {
        for (layer, (kind, matches, action)) in hairpin_rules(self.network) {
            self.issue(layer, kind, matches, action);
        }
    }

    /// `iifname B jump admin_from_guest`, `oifname B jump admin_to_guest`, at the host's door `iifname B
    /// jump admin_input`: issued last, so that packets meet it above what they decide on. And `oifname B
    /// accept` where networks keep their sources.
    fn bridge(&mut self, layer: Layer) {
        for (kind, matches, action) in bridge_rules(self.bridge) {
            self.issue(layer, kind, matches, action);
        }
        let clamp = self.network.mss_clamp();
        let clamped = clamp.map(|clamp| clamp_rules(self.bridge, clamp));
        for (kind, matches, action) in clamped.into_iter().flatten() {
            self.issue(layer, kind, matches, action);
        }
    }

    /// `iifname B reject`. The strict rules answer only to the network's own sources, of which packets
    /// come here if `is_own`: `iifname B drop`, and above it `saddr N iifname B reject` for each subnet.
    fn refuse(&mut self, layer: Layer, kind: RuleKind, matches: Matches, is_own: bool) {
        if self.guard == Guard::Libvirt {
            return self.issue(layer, kind, matches, Action::Reject);
        }
        self.issue(layer, kind, matches.clone(), Action::Drop);
        let network = self.network;
        for subnet in network.subnets_of(layer.family()).filter(|_| is_own) {
            let of_subnet = Matches {
                source: Some(subnet),
                ..matches.clone()
            };
            self.issue(layer, kind, of_subnet, Action::Reject);
        }
    }

    /// `iifname B fib saddr . mark . iif oif missing drop`.
    fn sources(&mut self, layer: Layer) {
        if self.guard == Guard::Strict {
            let matches = Matches {
                forged: true,
                ..self.entering()
            };
            self.issue(layer, RuleKind::Spoofed, matches.clone(), Action::Drop);
            self.log(layer, RuleKind::LogSpoofed, matches);
        }
    }

    /// `iifname B ct state invalid,untracked drop`: above the rules that let subnets out.
    fn invalid(&mut self) {
        let Forward::Nat(nat) = self.network.forward() else {
            return;
        };
        for layer in Layer::IP {
            let family = layer.family();
            let has_subnet = self.network.subnets_of(family).next().is_some();
            if self.guard == Guard::Strict && has_subnet && is_translated(nat, family) {
                let matches = Matches {
                    no_flow: true,
                    ..self.entering()
                };
                self.issue(layer, RuleKind::Invalid, matches.clone(), Action::Drop);
                self.log(layer, RuleKind::LogInvalid, matches);
            }
        }
    }

    /// `iifname B [oifname D] ct state established,related accept`, then
    /// `[iifname D] oifname B ct state established,related accept`: first of all that packets meet.
    ///
    /// Only where something is forwarded: elsewhere there is nothing to make faster, and what was
    /// known from before the network came is refused. And out only where nothing new comes in:
    /// `flat` and iptables let packets of an isolated network into one that takes whatever comes,
    /// and their answers shall not get out.
    fn established(&mut self, layer: Layer) {
        let family = layer.family();
        if self.network.subnets_of(family).next().is_none() {
            return;
        }
        let takes_new = match self.network.forward() {
            Forward::Nat(nat) => !is_translated(nat, family),
            Forward::Route { .. } => true,
            Forward::Isolated | Forward::Open | Forward::Unmanaged(_) => return,
        };
        let device = self.network.forward().device();
        let out = Matches {
            out_interface: device.cloned(),
            known_flow: true,
            ..self.entering()
        };
        let incoming = Matches {
            in_interface: device.cloned(),
            known_flow: true,
            ..self.leaving()
        };
        if !takes_new {
            self.issue(layer, RuleKind::EstablishedOut, out, Action::Accept);
        }
        self.issue(layer, RuleKind::EstablishedIn, incoming, Action::Accept);
    }

    /// `saddr N iifname B [oifname D] accept`.
    fn out(&mut self, subnet: Subnet) {
        let matches = Matches {
            source: Some(subnet),
            out_interface: self.network.forward().device().cloned(),
            ..self.entering()
        };
        let layer = subnet.family().into();
        self.issue(layer, RuleKind::Out, matches, Action::Accept);
    }

    /// `[iifname D] oifname B daddr N [ct state related,established] accept`.
    fn incoming(&mut self, subnet: Subnet, known_flow: bool) {
        let matches = Matches {
            in_interface: self.network.forward().device().cloned(),
            destination: Some(Destination::In(subnet)),
            known_flow,
            ..self.leaving()
        };
        let layer = subnet.family().into();
        self.issue(layer, RuleKind::In, matches, Action::Accept);
    }

    fn route(&mut self, subnet: Subnet) {
        self.out(subnet);
        self.incoming(subnet, false);
    }

    fn nat(&mut self, subnet: Subnet, nat: &Nat) {
        self.out(subnet);
        self.incoming(subnet, true);
        let family = subnet.family();
        let translation = Translation {
            // An address range is of IPv4: IPv6 is masqueraded beside it.
            addresses: nat.addresses.filter(|_| family == Family::Ipv4),
            ports: nat.ports,
        };
        for (kind, matches, action) in translation.rules(subnet, nat.device.as_ref()) {
            self.issue(family.into(), kind, matches, action);
        }
        if !nat.between_networks {
            let matches = Matches {
                source: Some(subnet),
                ..Matches::default()
            };
            let (kind, action) = (RuleKind::KeepBetween, Action::BetweenNetworks);
            self.issue(family.into(), kind, matches, action);
        }
        if self.guard == Guard::Strict {
            let on_bridge = Matches {
                source: Some(subnet),
                ..self.leaving()
            };
            let kind = RuleKind::KeepOnBridge;
            self.issue(family.into(), kind, on_bridge, Action::Return);
        }
    }

    fn blocked(&mut self) {
        for (layer, rules) in blocked_rules(self.network, self.bridge) {
            for (kind, matches, action) in rules {
                self.issue(layer, kind, matches, action);
            }
        }
    }

    /// `-o B -p udp --dport 68 -j CHECKSUM --checksum-fill`.
    fn checksum(&mut self) {
        if !self.network.dhcp() || self.network.subnets_of(Family::Ipv4).next().is_none() {
            return;
        }
        let matches = Matches {
            protocol: Some(Protocol::Udp),
            destination_port: Some(68),
            ..self.leaving()
        };
        let action = Action::FillChecksum;
        self.issue(Layer::Ipv4, RuleKind::Checksum, matches, action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Description;

    fn network(forward: Forward, subnets: &[&str]) -> Network {
        Network::new(Description {
            subnets: subnets.iter().map(|s| s.parse().unwrap()).collect(),
            dhcp: true,
            ..Description::new(
                "lab".parse().unwrap(),
                Some("virbr0".parse().unwrap()),
                forward,
            )
        })
        .unwrap()
    }

    fn forwarding(network: &Network, guard: Guard) -> Vec<(Layer, Role, RuleKind)> {
        rules(network, guard)
            .into_iter()
            .filter(|rule| {
                !matches!(
                    rule.role(),
                    Role::GuestMss
                        | Role::AdminFromGuest
                        | Role::AdminToGuest
                        | Role::HostAdmin
                        | Role::GuestBetween
                        | Role::HostInput
                        | Role::HostOutput
                        | Role::Mangle
                )
            })
            .map(|rule| (rule.layer, rule.role(), rule.kind))
            .collect()
    }

    #[test]
    fn nat_in_libvirts_order_of_issue() {
        let forward = Forward::Nat(crate::network::Nat::default());
        let network = network(forward, &["10.0.0.1/24", "fd00::1/64"]);
        use {Layer::*, Role::*, RuleKind::*};
        assert_eq!(
            forwarding(&network, Guard::Libvirt),
            [
                (Ipv4, GuestOutput, RefuseOut),
                (Ipv4, GuestInput, RefuseIn),
                (Ipv4, GuestCross, Cross),
                (Ipv6, GuestOutput, RefuseOut),
                (Ipv6, GuestInput, RefuseIn),
                (Ipv6, GuestCross, Cross),
                (Ipv4, GuestOutput, Out),
                (Ipv4, GuestInput, In),
                (Ipv4, GuestNat, Nat),
                (Ipv4, GuestNat, Nat),
                (Ipv4, GuestNat, Nat),
                (Ipv4, GuestNat, KeepBroadcast),
                (Ipv4, GuestNat, KeepMulticast),
                (Ipv6, GuestOutput, Out),
                (Ipv6, GuestInput, In),
            ]
        );
    }

    /// Of a network whose known flows are accepted first, what is asked first, from the top down.
    fn first_of_all(network: Network, guard: Guard) -> Vec<String> {
        let network = network.with_established(Established::First);
        let mut rules = rules(&network, guard);
        rules.retain(|rule| rule.role() == Role::GuestCross);
        rules.reverse();
        rules.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn known_flows_first_where_something_is_forwarded_and_out_where_nothing_new_comes_in() {
        let both = ["10.0.0.1/24", "fd00::1/64"];
        let nat = |device: Option<&str>, ipv6| {
            Forward::Nat(Nat {
                device: device.map(|name| name.parse().unwrap()),
                ipv6,
                ..Nat::default()
            })
        };
        let cross = "in virbr0 out virbr0 accept";
        let (out, incoming) = (
            "in virbr0 of known flows accept",
            "out virbr0 of known flows accept",
        );
        let (out_by, incoming_by) = (
            "in virbr0 out eth0 of known flows accept",
            "in eth0 out virbr0 of known flows accept",
        );
        // The rules of IPv6, which are issued later, are told first here.
        let guard = Guard::Strict;
        let first = |forward, subnets: &[&str]| first_of_all(network(forward, subnets), guard);
        let route = || Forward::Route { device: None };
        assert_eq!(
            first(nat(None, true), &both),
            [incoming, out, cross, incoming, out, cross]
        );
        assert_eq!(
            first(nat(Some("eth0"), false), &both),
            [incoming_by, cross, incoming_by, out_by, cross]
        );
        assert_eq!(
            first(nat(None, true), &both[..1]),
            [cross, incoming, out, cross]
        );
        assert_eq!(first(route(), &both[1..]), [incoming, cross, cross]);
        assert_eq!(first(Forward::Isolated, &both), [cross, cross]);
        assert_eq!(first(Forward::Open, &both), [""; 0]);
    }

    /// The strict rules in the order in which packets meet them, without those for the host's services.
    fn strict(forward: Forward, subnets: &[&str], role: Role) -> Vec<String> {
        let mut rules = rules(&network(forward, subnets), Guard::Strict);
        rules.retain(|rule| rule.role() == role);
        rules.reverse();
        rules.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_leaves_untranslated_and_only_own_sources_are_answered() {
        let both = ["10.0.0.1/24", "fd00::1/64"];
        let nat = |device: Option<&str>, ipv6| {
            Forward::Nat(Nat {
                device: device.map(|name| name.parse().unwrap()),
                ipv6,
                ..Nat::default()
            })
        };
        let invalid = "in virbr0 of no connection drop";
        let (v4, v6) = ("in virbr0 from 10.0.0.0/24", "in virbr0 from fd00::/64");
        let drop = "in virbr0 drop";
        let refused = |net: &str| format!("{net} reject");
        let out = |net: &str| format!("{net} accept");
        let from = |forward| strict(forward, &both, Role::GuestOutput);
        assert_eq!(
            from(nat(None, true)),
            [invalid, invalid, &out(v6), &out(v4), drop, drop]
        );
        assert_eq!(
            from(nat(None, false)),
            [invalid, &out(v6), &out(v4), drop, drop]
        );
        let route = Forward::Route { device: None };
        assert_eq!(from(route), [&out(v6), &out(v4), drop, drop]);
        assert_eq!(
            from(Forward::Isolated),
            [&refused(v6), drop, &refused(v4), drop]
        );
        // What leaves through another device than the network's is refused, and told so.
        let bound = from(nat(Some("eth0"), false));
        assert_eq!(bound.iter().filter(|rule| **rule == refused(v4)).count(), 1);
        let forged = "in virbr0 with a forged source drop";
        assert_eq!(
            strict(nat(None, false), &both[..1], Role::GuestSource),
            [forged; 2]
        );
        let nat = strict(nat(None, true), &both[1..], Role::GuestNat);
        assert_eq!(nat[0], "out virbr0 from fd00::/64 return");
    }

    #[test]
    fn what_is_refused_is_logged_right_before() {
        let described = |log| {
            Network::new(Description {
                subnets: vec!["10.0.0.1/24".parse().unwrap()],
                isolated_ports: true,
                log,
                ..Description::new(
                    "lab".parse().unwrap(),
                    Some("virbr0".parse().unwrap()),
                    Forward::Nat(Nat::default()),
                )
            })
            .unwrap()
        };
        let [plain, logged] = [None, Some(crate::network::LogRefused::default())].map(described);
        for guard in [Guard::Libvirt, Guard::Strict] {
            let mut rules = rules(&logged, guard);
            let logs = |rule: &Rule| rule.kind.logs().is_some();
            rules.reverse();
            for (place, rule) in rules.iter().enumerate().filter(|(_, rule)| logs(rule)) {
                let behind = rules[place + 1..]
                    .iter()
                    .find(|behind| (behind.role(), behind.layer) == (rule.role(), rule.layer));
                assert_eq!(behind.map(|behind| behind.kind), rule.kind.logs(), "{rule}");
                let before = rules[..place].iter();
                assert!(
                    before
                        .clone()
                        .all(|before| Some(before.kind) != rule.kind.logs()
                            || before.layer != rule.layer)
                );
            }
            let has = |kind| rules.iter().any(|rule| rule.kind == kind);
            let is_strict = guard == Guard::Strict;
            assert!(has(RuleKind::LogOut) && has(RuleKind::LogIn) && has(RuleKind::LogCross));
            assert_eq!(has(RuleKind::LogSpoofed), is_strict);
            assert_eq!(has(RuleKind::LogInvalid), is_strict);
            // Without them, the rules are those of a network that does not log.
            rules.retain(|rule| !logs(rule));
            rules.reverse();
            assert_eq!(rules, super::rules(&plain, guard));
        }
    }

    #[test]
    fn open_has_no_rules_and_isolated_only_the_general_ones() {
        assert!(rules(&network(Forward::Open, &["10.0.0.1/24"]), Guard::Strict).is_empty());
        let isolated = network(Forward::Isolated, &["10.0.0.1/24"]);
        assert_eq!(forwarding(&isolated, Guard::Libvirt).len(), 3);
        assert_eq!(forwarding(&isolated, Guard::Strict).len(), 9);
    }
}
