//! From a saved rule back to the rule of a network that it stands for.

use std::net::SocketAddr;
use std::str::FromStr;

use ipnet::IpNet;
use palisade_core::identity::{Digest, Digester, Identity, RuleIdentity};
use palisade_core::network::{
    AddressRange, Family, LogRefused, MssClamp, Name, PortRange, SegmentSize, Subnet,
};
use palisade_core::rules::{
    self, Action, AdminChain, Destination, Matches, Protocol, RefusalLog, Rule, RuleKind,
};

use super::log;
use super::placed::Placed;
use super::table::{BTW, FWO, Table, admin_chain, place};
use crate::text;

/// The rule that a saved rule of this table stands for. None if it is not exactly one that
/// palisade makes: it is written anew and compared.
#[must_use]
pub fn read(family: Family, table: Table, saved: &text::Rule) -> Option<Rule> {
    let (owner, mut kinds) = rules::untag(saved.words.behind("--comment")?)?;
    let mut rule = Rule {
        owner,
        kind: kinds.find(|kind| place(kind.role()) == Some((table, saved.chain.as_str())))?,
        layer: family.into(),
        matches: Matches::default(),
        action: Action::Return,
    };
    let mut target = Target::default();
    let mut words = saved.words.as_slice().iter();
    let mut is_negated = false;
    while let Some(option) = words.next() {
        let matches = &mut rule.matches;
        match option.as_str() {
            "!" => is_negated = true,
            "--checksum-fill" => {}
            "--limit-burst" => drop(words.next()?),
            "--limit" => target.log.rate = log::read_rate(words.next()?)?,
            "--log-prefix" | "--nflog-prefix" => target.prefix = words.next()?,
            "--nflog-group" => target.log.group = Some(parse(words.next()?)?),
            // The matches `tcp`, `udp`, `conntrack` and `comment` only bring the options below.
            "-m" | "--comment" | "--reject-with" => drop(words.next()?),
            "--tcp-flags" => drop(words.nth(1)?),
            "--clamp-mss-to-pmtu" => target.clamp = Some(MssClamp::RouteMtu),
            "--set-mss" => {
                let size = SegmentSize::new(parse(words.next()?)?).ok()?;
                target.clamp = Some(MssClamp::Size(size));
            }
            "-s" => matches.source = Some(parse(words.next()?)?),
            "-d" => matches.destination = Some(destination(family, is_negated, words.next()?)?),
            "-i" => matches.in_interface = Some(parse(words.next()?)?),
            "-o" => matches.out_interface = Some(parse(words.next()?)?),
            "-p" => matches.protocol = Some(protocol(words.next()?)?),
            "--dst-type" => matches.to_host = words.next().is_some(),
            "--sport" => matches.source_port = Some(parse(words.next()?)?),
            "--dport" => matches.destination_port = Some(parse(words.next()?)?),
            "--ctstate" if words.as_slice().first().is_some_and(|word| word == "DNAT") => {
                matches.redirected = words.next().is_some();
            }
            "--ctstate" => matches.known_flow = words.next().is_some(),
            "-j" => target.name = words.next()?,
            "--to-ports" => target.ports = Some(ports(words.next()?)?),
            "--to-destination" => target.destination = Some(parse(words.next()?)?),
            "--to-source" => target.source = Some(words.next()?),
            _ => return None,
        }
    }
    rule.action = target.action(rule.kind)?;
    // What was passed over above is seen here: order, what stands twice, other answers of REJECT.
    let anew = Placed::of(&rule)?;
    let is_same = anew.chain == saved.chain && digest(&anew.words) == digest(&saved.words);
    is_same.then_some(rule)
}

/// A digest of words that is the same for all that mean the same: programs write some IPv6 addresses
/// with their end as IPv4 has it, some do not.
pub(crate) fn digest(words: &text::Words) -> Digest {
    let mut digester = Digester::default();
    let mut before = "";
    for word in words.as_slice() {
        let net = match before {
            "-s" | "-d" if word.contains(':') => word.parse::<IpNet>().ok(),
            _ => None,
        };
        match net {
            Some(IpNet::V6(net)) => {
                digester.add(&net.addr().octets());
                digester.add(&[net.prefix_len()]);
            }
            _ => digester.add(word.as_bytes()),
        }
        before = word;
    }
    digester.digest()
}

/// What identifies a rule with these words in its chain.
pub(crate) fn identity(words: &text::Words) -> Identity {
    Identity::Rule(RuleIdentity {
        comment: words.behind("--comment").unwrap_or_default().to_owned(),
        digest: digest(words),
    })
}

/// The network and the kind that a rule's comment names. Requests and replies of a service have one
/// comment: it names the requests.
#[must_use]
pub(crate) fn untag(comment: &str) -> Option<(Name, RuleKind)> {
    let (owner, mut kinds) = rules::untag(comment)?;
    Some((owner, kinds.next()?))
}

/// What stands behind `-j`.
#[derive(Default)]
struct Target<'a> {
    name: &'a str,
    ports: Option<PortRange>,
    source: Option<&'a str>,
    destination: Option<SocketAddr>,
    clamp: Option<MssClamp>,
    /// How it logs, without the prefix.
    log: LogRefused,
    prefix: &'a str,
}

impl Target<'_> {
    fn action(&self, kind: RuleKind) -> Option<Action> {
        match self.name {
            "ACCEPT" => Some(Action::Accept),
            "RETURN" => Some(Action::Return),
            // libvirt's rules refuse; those that drop are of blocked guests.
            "DROP" if matches!(kind, RuleKind::BlockedOut | RuleKind::BlockedIn) => {
                Some(Action::Drop)
            }
            "REJECT" => Some(Action::Reject),
            "MASQUERADE" => Some(Action::Masquerade { ports: self.ports }),
            "CHECKSUM" => Some(Action::FillChecksum),
            "SNAT" => {
                let (addresses, ports) = match self.source?.split_once(':') {
                    Some((addresses, range)) => (addresses, Some(ports(range)?)),
                    None => (self.source?, None),
                };
                let (start, end) = ends(addresses)?;
                let addresses = AddressRange::new(start, end).ok()?;
                Some(Action::Snat { addresses, ports })
            }
            "LOG" => self.log(kind, None),
            "NFLOG" => self.log(kind, self.log.group.or(Some(0))),
            "TCPMSS" => self.clamp.map(Action::ClampMss),
            "DNAT" => self.destination.map(|to| Action::Dnat {
                address: to.ip(),
                port: to.port(),
            }),
            FWO => Some(Action::SenderDecides),
            BTW => Some(Action::BetweenNetworks),
            name => {
                let mut chains = AdminChain::ALL.into_iter();
                let chain = chains.find(|chain| admin_chain(*chain) == name);
                chain.map(Action::Administrator)
            }
        }
    }

    fn log(&self, kind: RuleKind, group: Option<u16>) -> Option<Action> {
        let settings = LogRefused { group, ..self.log };
        let log = RefusalLog::of(kind, settings)?;
        log.with_prefix(self.prefix).map(Action::Log)
    }
}

fn parse<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

fn protocol(word: &str) -> Option<Protocol> {
    let has_name = |protocol: &Protocol| protocol.to_string() == word;
    Protocol::ALL.into_iter().find(has_name)
}

fn destination(family: Family, is_negated: bool, word: &str) -> Option<Destination> {
    let net: IpNet = word.parse().ok()?;
    if is_negated {
        return parse(word).map(Destination::NotIn);
    }
    if net == family.link_local_multicast() {
        return Some(Destination::LinkLocalMulticast);
    }
    match parse::<Subnet>(word) {
        Some(subnet) => Some(Destination::In(subnet)),
        // Whether it is that address is seen when the rule is written anew.
        None => Some(Destination::Broadcast),
    }
}

fn ports(word: &str) -> Option<PortRange> {
    let (start, end) = ends(word)?;
    PortRange::new(start, end).ok()
}

/// `A-B`, or `A` for both.
fn ends<T: FromStr + Copy>(word: &str) -> Option<(T, T)> {
    match word.split_once('-') {
        Some((start, end)) => Some((parse(start)?, parse(end)?)),
        None => parse(word).map(|both| (both, both)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_core::network::{Description, Established, Forward, Nat, Network};
    use palisade_core::rules::{Guard, rules};

    fn network(forward: Forward, subnets: &[&str], log: Option<LogRefused>) -> Network {
        Network::new(Description {
            subnets: subnets
                .iter()
                .map(|subnet| subnet.parse().unwrap())
                .collect(),
            dhcp: true,
            tftp: true,
            log,
            isolated_ports: log.is_some(),
            ..Description::new(
                "a: lab".parse().unwrap(),
                Some("virbr0".parse().unwrap()),
                forward,
            )
        })
        .unwrap()
    }

    fn nat() -> Forward {
        Forward::Nat(Nat {
            device: Some("eth0".parse().unwrap()),
            addresses: Some(AddressRange::new([1, 2, 3, 4].into(), [1, 2, 3, 5].into()).unwrap()),
            ports: PortRange::new(500, 1000).unwrap(),
            ipv6: true,
            ..Nat::default()
        })
    }

    /// None, to the kernel's log, to a group, and to the first one, which is not printed.
    fn logs() -> [Option<LogRefused>; 4] {
        let logged = |rate: &str, prefix: Option<&str>, group| LogRefused {
            prefix: prefix.map(|prefix| prefix.parse().unwrap()),
            rate: rate.parse().unwrap(),
            group,
        };
        [
            None,
            Some(logged("10/second", Some("0123456789abcdef"), None)),
            Some(logged("3/day", None, Some(5))),
            Some(logged("7/hour", Some("lab: "), Some(0))),
        ]
    }

    fn networks() -> Vec<Network> {
        let subnets = ["192.168.122.0/24", "::5:0/112"];
        let route = Forward::Route { device: None };
        [
            nat(),
            Forward::Nat(Nat::default()),
            route,
            Forward::Isolated,
        ]
        .into_iter()
        .zip(logs())
        .map(|(forward, log)| network(forward, &subnets, log))
        .flat_map(|network| Established::ALL.map(|e| network.clone().with_established(e)))
        .collect()
    }

    fn saved(rule: &Rule) -> (Table, text::Rule) {
        let placed = Placed::of(rule).unwrap();
        let saved = text::Rule {
            chain: placed.chain.to_owned(),
            words: placed.words,
            counters: None,
        };
        (placed.table, saved)
    }

    #[test]
    fn every_rule_is_read_back() {
        for network in networks() {
            for rule in rules(&network, Guard::Libvirt) {
                let (table, saved) = saved(&rule);
                assert_eq!(
                    read(rule.layer.family(), table, &saved),
                    Some(rule),
                    "{saved}"
                );
            }
        }
    }

    #[test]
    fn what_palisade_would_not_write_is_not_read() {
        let rule = |text: &str| text::Rule {
            chain: "PALISADE_FWI".to_owned(),
            words: text.parse().unwrap(),
            counters: None,
        };
        let read = |text: &str| read(Family::Ipv4, Table::Filter, &rule(text));
        let ours = "-d 10.0.0.0/24 -o b -m comment --comment \"x: in\" -j ACCEPT";
        assert!(read(ours).is_some());
        for other in [
            "-d 10.0.0.0/24 -o b -j ACCEPT",
            "-o b -d 10.0.0.0/24 -m comment --comment \"x: in\" -j ACCEPT",
            "-d 10.0.0.0/24 -o b -m comment --comment \"x: in\" -j ACCEPT --extra",
            "-d 10.0.0.0/24 ! -o b -m comment --comment \"x: in\" -j ACCEPT",
            "-d 10.0.0.1/24 -o b -m comment --comment \"x: in\" -j ACCEPT",
            "-d 10.0.0.0/24 -o b -m comment --comment \"x: in\" -j DROP",
            "-d 10.0.0.0/24 -o b -m comment --comment \"x: in\" -j REJECT --reject-with icmp-host-unreachable",
            "-d 10.0.0.0/24 -o b -m comment --comment \"in\" -j ACCEPT",
            "-d 10.0.0.0/24 -o b -m comment --comment",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn the_words_of_the_reference() {
        let words: Vec<String> =
            rules(&network(nat(), &["192.168.122.1/24"], None), Guard::Libvirt)
                .iter()
                .filter_map(Placed::of)
                .filter(|placed| placed.table != Table::Filter)
                .map(|placed| placed.words.to_string())
                .collect();
        let nat = "-s 192.168.122.0/24 ! -d 192.168.122.0/24 -o eth0";
        let keep = "-s 192.168.122.0/24 -d";
        assert_eq!(
            words,
            [
                "-o virbr0 -m comment --comment \"a: lab: reached without nat\" -j ACCEPT".to_owned(),
                format!("{nat} -m comment --comment \"a: lab: nat\" -j SNAT --to-source 1.2.3.4-1.2.3.5"),
                format!("{nat} -p udp -m comment --comment \"a: lab: nat udp\" -j SNAT --to-source 1.2.3.4-1.2.3.5:500-1000"),
                format!("{nat} -p tcp -m comment --comment \"a: lab: nat tcp\" -j SNAT --to-source 1.2.3.4-1.2.3.5:500-1000"),
                format!("{keep} 255.255.255.255/32 -o eth0 -m comment --comment \"a: lab: broadcast without nat\" -j RETURN"),
                format!("{keep} 224.0.0.0/24 -o eth0 -m comment --comment \"a: lab: multicast without nat\" -j RETURN"),
                "-o virbr0 -p udp -m udp --dport 68 -m comment --comment \"a: lab: dhcp checksum udp\" -j CHECKSUM --checksum-fill".to_owned(),
            ]
        );
    }

    #[test]
    fn what_is_refused_is_logged_before() {
        let [_, to_kernel, to_group, to_first] = logs();
        let words = |log| {
            let network = network(Forward::Isolated, &["10.0.0.0/24"], log);
            let rules = rules(&network, Guard::Libvirt);
            let logs = rules.iter().filter(|rule| rule.kind.logs().is_some());
            let last = logs.filter_map(Placed::of).next_back();
            last.map(|placed| placed.words.to_string()).unwrap()
        };
        let cross = "-i virbr0 -o virbr0 -m limit --limit";
        let comment = "-m comment --comment \"a: lab: log refused guest to guest\"";
        assert_eq!(
            words(to_kernel),
            format!(
                "{cross} 10/sec {comment} -j LOG --log-prefix \"0123456789abcdefrefused_out: \""
            )
        );
        assert_eq!(
            words(to_group),
            format!(
                "{cross} 3/day --limit-burst 3 {comment} -j NFLOG --nflog-prefix \"palisade refused_out: \" --nflog-group 5"
            )
        );
        assert_eq!(
            words(to_first),
            format!("{cross} 7/hour {comment} -j NFLOG --nflog-prefix \"lab: refused_out: \"")
        );
    }

    #[test]
    fn addresses_mean_the_same_however_they_are_written() {
        let words = |text: &str| text.parse::<text::Words>().unwrap();
        assert_eq!(
            digest(&words("-s ::0.5.0.0/112 -j ACCEPT")),
            digest(&words("-s ::5:0/112 -j ACCEPT"))
        );
        assert_ne!(
            digest(&words("--comment ::0.5.0.0/112")),
            digest(&words("--comment ::5:0/112"))
        );
    }
}
