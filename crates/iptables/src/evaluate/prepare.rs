//! From the words of a saved rule to what it asks and does.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;
use palisade_core::evaluate::{Action, Destination, End, Flow, Nat, xtables};
use palisade_core::network::{AddressRange, PortRange};

use super::rule::{AddressKind, Ask, Interface, Masked, What};
use crate::rule::is_native;
use crate::text;

/// A rule, read once for many packets.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// As it was saved.
    pub(super) saved: text::Rule,
    /// All of this must hold.
    pub(super) asks: Vec<Ask>,
    /// What happens then.
    pub(super) target: Target,
}

/// Matches that only bring the options that stand behind them.
const KNOWN: [&str; 15] = [
    "addrtype",
    "tcp",
    "udp",
    "udplite",
    "sctp",
    "icmp",
    "icmp6",
    "ttl",
    "hl",
    "mark",
    "connmark",
    "comment",
    "conntrack",
    "state",
    "multiport",
];

/// Matches that ask for a header between those of IPv6 and of the protocol: packets here have none.
const EXTENSION_HEADERS: [&str; 5] = ["dst", "frag", "hbh", "mh", "rt"];

/// What happens to packets that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// This.
    Does(Action),
    /// `NOTRACK`: conntrack does not look at them, and they go on to the next rule.
    Untrack,
    /// `MARK`: they have a mark from then on.
    Mark,
    /// `CONNMARK`: their connections have.
    MarkConnection,
    /// `CONNMARK --restore-mark`: they have that of their connections.
    RestoreMark,
    /// `CONNMARK --save-mark`: their connections have theirs.
    SaveMark,
    /// `-j CHAIN`.
    Jump(String),
    /// `-g CHAIN`.
    Goto(String),
}

const UNKNOWN: Target = Target::Does(Action::Anything);

impl Prepared {
    pub(super) fn of(saved: &text::Rule) -> Self {
        let mut reader = Reader {
            words: saved.words.as_slice(),
            extension: "",
            asks: Vec::new(),
        };
        let target = if is_native(&saved.words) {
            reader.native(&saved.words)
        } else {
            reader.read()
        };
        Self {
            saved: saved.clone(),
            asks: reader.asks,
            target,
        }
    }
}

struct Reader<'a> {
    words: &'a [String],
    /// The match that brought the options.
    extension: &'a str,
    asks: Vec<Ask>,
}

impl<'a> Reader<'a> {
    /// Takes asks until the target, and that.
    fn read(&mut self) -> Target {
        loop {
            let begin = self.words;
            let is_negated = self.words.first().is_some_and(|word| word == "!");
            if is_negated {
                self.next();
            }
            let Some(option) = self.next() else {
                return Target::Does(Action::Continue);
            };
            match option {
                "-j" => return self.target(),
                "-g" => {
                    let chain = self.next();
                    return chain.map_or(UNKNOWN, |chain| Target::Goto(chain.to_owned()));
                }
                "-m" if self
                    .words
                    .first()
                    .is_some_and(|name| KNOWN.contains(&name.as_str())) =>
                {
                    self.extension = self.next().unwrap_or_default();
                }
                "--comment" => drop(self.next()),
                option => {
                    let what = self.what(option);
                    let taken = begin.len() - self.words.len();
                    self.asks.push(Ask {
                        text: begin[..taken]
                            .iter()
                            .cloned()
                            .collect::<text::Words>()
                            .to_string(),
                        is_negated,
                        what,
                    });
                }
            }
        }
    }

    /// Of a rule in nft's words, only where it leads is read; what it asks is not known here.
    fn native(&mut self, words: &text::Words) -> Target {
        let is_route = words.as_slice().iter().any(|word| word == "fib");
        self.asks.push(Ask {
            text: words.to_string(),
            is_negated: false,
            what: if is_route { What::Route } else { What::Unknown },
        });
        if words.behind("vmap").is_some() {
            return UNKNOWN; // That depends on the packet.
        }
        let last = words.as_slice().last().map(String::as_str);
        match (words.behind("jump"), words.behind("goto"), last) {
            (Some(chain), ..) => Target::Jump(chain.to_owned()),
            (_, Some(chain), _) => Target::Goto(chain.to_owned()),
            (.., Some("accept")) => Target::Does(Action::End(End::Accept)),
            (.., Some("drop")) => Target::Does(Action::End(End::Drop)),
            (.., Some("return")) => Target::Does(Action::Return),
            _ => UNKNOWN,
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// What an option asks. Of one that is not known, the words that belong to it are passed over.
    fn what(&mut self, option: &str) -> What {
        let value = self.words.first().map(String::as_str).unwrap_or_default();
        if option == "-m" && value == "rpfilter" {
            self.next();
            return self.reverse_path();
        }
        let what = match option {
            "-m" if EXTENSION_HEADERS.contains(&value) => Some(What::Never),
            "-i" => interface(value).map(What::In),
            "-o" => interface(value).map(What::Out),
            "-s" => parse::<IpNet>(value)
                .or_else(|| host(value))
                .map(What::Source),
            "-d" => parse::<IpNet>(value)
                .or_else(|| host(value))
                .map(What::Destination),
            "-p" => protocol(value).map(What::Protocol),
            "--sport" | "--sports" => ports(value).map(What::SourcePort),
            "--dport" | "--dports" => ports(value).map(What::DestinationPort),
            "--ports" => ports(value).map(What::EitherPort),
            "--icmp-type" | "--icmpv6-type" => icmp(value),
            "--ttl-eq" | "--hl-eq" => parse(value).map(What::HopLimit),
            "--mark" if self.extension == "mark" => masked(value).map(What::Mark),
            "--mark" if self.extension == "connmark" => masked(value).map(What::ConnectionMark),
            "--dst-type" => kinds(value).map(What::DestinationKind),
            "--ctstate" if value == "DNAT" => Some(What::Redirected),
            "--ctstate" | "--state" => flows(value).map(What::Flow),
            _ => None,
        };
        if what.is_some() {
            self.next();
            return what.unwrap_or(What::Unknown);
        }
        let is_value = |word: &String| !word.starts_with('-') && word != "!";
        while self.words.first().is_some_and(is_value) {
            self.next();
        }
        What::Unknown
    }

    /// The options of `-m rpfilter`.
    fn reverse_path(&mut self) -> What {
        let (mut is_loose, mut is_inverted) = (false, false);
        while let Some(option) = self.words.first() {
            match option.as_str() {
                "--loose" => is_loose = true,
                "--invert" => is_inverted = true,
                // Packets that rules are asked about here have no mark of a route, and come from no
                // address of the host.
                "--validmark" | "--accept-local" => {}
                _ => break,
            }
            self.next();
        }
        What::ReversePath {
            is_loose,
            is_inverted,
        }
    }

    fn target(&mut self) -> Target {
        let name = self.next().unwrap_or_default();
        let options = self.words.iter().cloned().collect::<text::Words>();
        let action = match name {
            "ACCEPT" => Action::End(End::Accept),
            "DROP" => Action::End(End::Drop),
            "RETURN" => Action::Return,
            "MASQUERADE" => match options.behind("--to-ports").map(port_range) {
                None => translate(Nat::Masquerade { ports: None }),
                Some(None) => Action::Anything,
                Some(ports) => translate(Nat::Masquerade { ports }),
            },
            "SNAT" => match options.behind("--to-source").and_then(snat) {
                Some(nat) => translate(nat),
                None => Action::End(End::Readdress),
            },
            "DNAT" => match options.behind("--to-destination").and_then(dnat) {
                Some(to) => Action::End(End::Dnat(to)),
                None => Action::End(End::Readdress),
            },
            "MARK" => return Target::Mark,
            "CONNMARK" if has(&options, "--restore-mark") => return Target::RestoreMark,
            "CONNMARK" if has(&options, "--save-mark") => return Target::SaveMark,
            "CONNMARK" => return Target::MarkConnection,
            "REDIRECT" => match options.behind("--to-ports").map(parse) {
                Some(None) => Action::End(End::Readdress),
                port => Action::End(End::Dnat(Destination {
                    address: None,
                    port: port.flatten(),
                })),
            },
            "NOTRACK" => return Target::Untrack,
            "CT" if has(&options, "--notrack") => return Target::Untrack,
            name => match xtables::target(name) {
                Some(action) => action,
                // Whether there is such a chain, or it is a target that is not known, is seen there.
                None => return Target::Jump(name.to_owned()),
            },
        };
        Target::Does(action)
    }
}

fn has(options: &text::Words, option: &str) -> bool {
    options.as_slice().iter().any(|word| word == option)
}

/// `8`, `3/4`, `any`.
fn icmp(word: &str) -> Option<What> {
    let (kind, code) = match word.split_once('/') {
        Some((kind, code)) => (kind, Some(parse(code)?)),
        None => (word, None),
    };
    Some(What::Icmp(parse(kind)?, code))
}

/// `0x1`, `0x1/0xff`.
fn masked(word: &str) -> Option<Masked> {
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => parse(word),
    };
    let (value, mask) = match word.split_once('/') {
        Some((value, mask)) => (number(value)?, number(mask)?),
        None => (number(word)?, u32::MAX),
    };
    Some(Masked { value, mask })
}

/// `192.168.122.10:80`, `[fd00::10]:80`, or an address alone.
fn dnat(word: &str) -> Option<Destination> {
    let with_port = parse::<SocketAddr>(word).map(Destination::from);
    with_port.or_else(|| {
        Some(Destination {
            address: Some(parse(word)?),
            port: None,
        })
    })
}

fn translate(nat: Nat) -> Action {
    Action::End(End::Translate(nat))
}

fn parse<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

/// Older programs print single addresses without a prefix.
fn host(word: &str) -> Option<IpNet> {
    parse::<std::net::IpAddr>(word).map(IpNet::from)
}

fn interface(word: &str) -> Option<Interface> {
    match word.strip_suffix('+') {
        Some(beginning) => Some(Interface::Beginning(beginning.to_owned())),
        None => (!word.is_empty()).then(|| Interface::Named(word.to_owned())),
    }
}

fn protocol(word: &str) -> Option<u8> {
    Some(match word {
        "icmp" => 1,
        "igmp" => 2,
        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmpv6" | "ipv6-icmp" => 58,
        "ospf" => 89,
        "sctp" => 132,
        "udplite" => 136,
        number => return parse(number).filter(|number| *number != 0),
    })
}

/// `53`, `1024:65535`, and several of them with commas between.
fn ports(word: &str) -> Option<Vec<RangeInclusive<u16>>> {
    let range = |word: &str| match word.split_once(':') {
        Some((start, end)) => Some(parse(start)?..=parse(end)?),
        None => parse(word).map(|port| port..=port),
    };
    word.split(',').map(range).collect()
}

/// States of ct; those that speak of something else (`SNAT`) are not known.
fn flows(word: &str) -> Option<Vec<Flow>> {
    let flow = |word| match word {
        "NEW" => Some(Flow::New),
        "ESTABLISHED" => Some(Flow::Established),
        "RELATED" => Some(Flow::Related),
        "INVALID" => Some(Flow::Invalid),
        "UNTRACKED" => Some(Flow::Untracked),
        _ => None,
    };
    word.split(',').map(flow).collect()
}

/// Kinds of addresses; those that routes alone know (`PROHIBIT`) are not known.
fn kinds(word: &str) -> Option<Vec<AddressKind>> {
    let kind = |word| match word {
        "LOCAL" => Some(AddressKind::Local),
        "UNICAST" => Some(AddressKind::Unicast),
        "BROADCAST" => Some(AddressKind::Broadcast),
        "MULTICAST" => Some(AddressKind::Multicast),
        _ => None,
    };
    word.split(',').map(kind).collect()
}

/// `A-B:LO-HI`, each with one end where both are equal.
fn snat(word: &str) -> Option<Nat> {
    let (addresses, ports) = match word.split_once(':') {
        Some((addresses, ports)) => (addresses, Some(port_range(ports)?)),
        None => (word, None),
    };
    let (start, end) = ends(addresses)?;
    let addresses = AddressRange::new(start, end).ok()?;
    Some(Nat::Snat { addresses, ports })
}

fn port_range(word: &str) -> Option<PortRange> {
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
