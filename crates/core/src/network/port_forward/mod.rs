//! Port forwards: ports of the host that lead to a guest.

mod endpoint;
mod error;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::subnet::{Family, Subnet};

pub use endpoint::{Listen, Target};
pub use error::PortForwardError;

/// How many ports one network may forward.
pub(crate) const MAX_FORWARDED_PORTS: u32 = 4_096;

/// Ports of the host that lead to ports of a guest: `tcp 8080 -> 192.168.122.11:80`.
///
/// A forward is consistent by itself: both ends have one family and equally many ports, and sources
/// do not overlap. [`Network::new`](super::Network::new) checks it against its network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct PortForward {
    protocol: ForwardProtocol,
    listen: Listen,
    target: Target,
    /// Empty for every source.
    sources: Vec<Subnet>,
}

/// The protocols that have ports to forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardProtocol {
    /// Protocol number 6.
    Tcp,
    /// Protocol number 17.
    Udp,
    /// Protocol number 132.
    Sctp,
}

/// How a forward is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    protocol: ForwardProtocol,
    listen: String,
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Vec<Subnet>>,
}

impl ForwardProtocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The name, as definitions, nft and iptables spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl PortForward {
    /// The forward of these ports to that guest, for every source.
    ///
    /// # Errors
    /// If the ends have different families or numbers of ports.
    pub fn new(
        protocol: ForwardProtocol,
        listen: Listen,
        target: Target,
    ) -> Result<Self, PortForwardError> {
        if listen.ports().count() != target.ports().count() {
            return Err(PortForwardError::UnequalRanges {
                listen: listen.ports(),
                target: target.ports(),
            });
        }
        match listen.address() {
            Some(address) if address.is_ipv4() != target.address().is_ipv4() => {
                Err(PortForwardError::Families {
                    listen: address,
                    target: target.address(),
                })
            }
            _ => Ok(Self {
                protocol,
                listen,
                target,
                sources: Vec::new(),
            }),
        }
    }

    /// The same forward, for these sources only.
    ///
    /// # Errors
    /// If there is no source, one has another family than the target, or two overlap.
    pub fn with_sources(self, sources: Vec<Subnet>) -> Result<Self, PortForwardError> {
        if sources.is_empty() {
            return Err(PortForwardError::NoSources);
        }
        for (i, &second) in sources.iter().enumerate() {
            if second.family() != self.family() {
                return Err(PortForwardError::SourceFamily {
                    from: second,
                    target: self.target.address(),
                });
            }
            if let Some(&first) = sources[..i].iter().find(|first| first.overlaps(second)) {
                return Err(PortForwardError::SourcesOverlap { first, second });
            }
        }
        Ok(Self { sources, ..self })
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> ForwardProtocol {
        self.protocol
    }

    /// The ports of the host.
    #[must_use]
    pub fn listen(&self) -> Listen {
        self.listen
    }

    /// The guest and its ports, as many as the host's.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The sources that are forwarded, which do not overlap; empty for every source.
    #[must_use]
    pub fn sources(&self) -> &[Subnet] {
        &self.sources
    }

    /// The family of the target, which the other addresses have too.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.target.address().is_ipv4() {
            Family::Ipv4
        } else {
            Family::Ipv6
        }
    }

    /// Reads a source: a subnet, or an address alone.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse_source(text: &str) -> Result<Subnet, PortForwardError> {
        let subnet = match text.parse() {
            Ok(address @ IpAddr::V4(_)) => Subnet::new(address, 32),
            Ok(address @ IpAddr::V6(_)) => Subnet::new(address, 128),
            Err(_) => text.parse(),
        };
        subnet.map_err(PortForwardError::Source)
    }

    /// Whether a packet could match both. A forward at one address and one at every address do not
    /// count, since the address wins.
    fn clashes_with(&self, other: &Self) -> bool {
        let same = |of: &Self| (of.protocol, of.family(), of.listen.address());
        same(self) == same(other)
            && self.listen.ports().overlaps(other.listen.ports())
            && (self.sources.is_empty()
                || other.sources.is_empty()
                || self
                    .sources
                    .iter()
                    .any(|&a| other.sources.iter().any(|&b| a.overlaps(b))))
    }
}

/// The first two forwards that a packet could match both, in the order of the list.
pub(super) fn first_clash(forwards: &[PortForward]) -> Option<(&PortForward, &PortForward)> {
    let place = |i: usize| {
        let forward = &forwards[i];
        (forward.protocol, forward.family(), forward.listen.address())
    };
    let mut sorted: Vec<usize> = (0..forwards.len()).collect();
    sorted.sort_by_key(|&i| (place(i), forwards[i].listen.ports().start(), i));
    let mut found = None;
    for (at, &i) in sorted.iter().enumerate() {
        let end = forwards[i].listen.ports().end();
        let near = |&&j: &&usize| place(j) == place(i) && forwards[j].listen.ports().start() <= end;
        for &j in sorted[at + 1..].iter().take_while(near) {
            if forwards[i].clashes_with(&forwards[j]) {
                let pair = (i.max(j), i.min(j));
                found = Some(found.map_or(pair, |earlier: (usize, usize)| pair.min(earlier)));
            }
        }
    }
    found.map(|(second, first)| (&forwards[first], &forwards[second]))
}

impl FromStr for ForwardProtocol {
    type Err = PortForwardError;

    fn from_str(text: &str) -> Result<Self, PortForwardError> {
        let mut all = Self::ALL.into_iter();
        all.find(|protocol| protocol.name() == text)
            .ok_or_else(|| PortForwardError::Protocol(text.to_owned()))
    }
}

/// `PROTOCOL [ADDRESS:]PORTS -> ADDRESS:PORTS`, for every source.
impl FromStr for PortForward {
    type Err = PortForwardError;

    fn from_str(text: &str) -> Result<Self, PortForwardError> {
        let syntax = || PortForwardError::Syntax(text.to_owned());
        let (before, target) = text.split_once("->").ok_or_else(syntax)?;
        let before = before.trim();
        let (protocol, listen) = before.split_once(char::is_whitespace).ok_or_else(syntax)?;
        Self::new(
            protocol.parse()?,
            listen.trim().parse()?,
            target.trim().parse()?,
        )
    }
}

impl TryFrom<Words> for PortForward {
    type Error = PortForwardError;

    fn try_from(words: Words) -> Result<Self, PortForwardError> {
        let forward = Self::new(words.protocol, words.listen.parse()?, words.to.parse()?)?;
        match words.from {
            None => Ok(forward),
            Some(sources) => forward.with_sources(sources),
        }
    }
}

impl From<PortForward> for Words {
    fn from(forward: PortForward) -> Self {
        Self {
            protocol: forward.protocol,
            listen: forward.listen.to_string(),
            to: forward.target.to_string(),
            from: (!forward.sources.is_empty()).then_some(forward.sources),
        }
    }
}

impl fmt::Display for ForwardProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// As definitions write it; sources follow behind `from`.
impl fmt::Display for PortForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.protocol, self.listen, self.target)?;
        for (i, source) in self.sources.iter().enumerate() {
            let before = if i == 0 { " from" } else { "," };
            write!(f, "{before} {source}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str) -> PortForward {
        text.parse().unwrap()
    }

    fn source(text: &str) -> Result<Subnet, PortForwardError> {
        PortForward::parse_source(text)
    }

    fn from(text: &str, sources: &[&str]) -> Result<PortForward, PortForwardError> {
        forward(text).with_sources(sources.iter().map(|s| source(s).unwrap()).collect())
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "tcp 8080 -> 192.168.122.10:80",
            "udp 203.0.113.7:53 -> 192.168.122.11:53",
            "tcp [2001:db8::7]:443 -> [fd00::11]:443",
            "tcp 30000-30010 -> 192.168.122.10:31000-31010",
            "sctp 1-65535 -> [fd00::11]:1-65535",
        ] {
            assert_eq!(forward(text).to_string(), text);
        }
        assert_eq!(
            forward("  tcp   8080->10.0.0.1:8080 ").to_string(),
            "tcp 8080 -> 10.0.0.1:8080"
        );
    }

    #[test]
    fn json_goes_through_the_same_checks() {
        let forward = from(
            "tcp 8443 -> 10.0.0.1:443",
            &["198.51.100.0/24", "203.0.113.99"],
        );
        let forward = forward.unwrap();
        let json = serde_json::to_string(&forward).unwrap();
        assert_eq!(
            json,
            "{\"protocol\":\"tcp\",\"listen\":\"8443\",\"to\":\"10.0.0.1:443\",\
             \"from\":[\"198.51.100.0/24\",\"203.0.113.99/32\"]}"
        );
        assert_eq!(serde_json::from_str::<PortForward>(&json).unwrap(), forward);
        for (good, bad) in [
            ("\"8443\"", "\"8443-8444\""),
            ("203.0.113.99/32", "198.51.100.9/32"),
            ("203.0.113.99/32", "fd00::1/128"),
            ("tcp", "icmp"),
        ] {
            let bad = json.replace(good, bad);
            assert!(serde_json::from_str::<PortForward>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for (text, told) in [
            ("", "`` is not a forward"),
            ("tcp 80", "`tcp 80` is not a forward"),
            ("80 -> 10.0.0.1:80", "`80 -> 10.0.0.1:80` is not a forward"),
            (
                "TCP 80 -> 10.0.0.1:80",
                "`TCP` is not a protocol with ports",
            ),
            (
                "icmp 80 -> 10.0.0.1:80",
                "`icmp` is not a protocol with ports",
            ),
            ("tcp 0 -> 10.0.0.1:80", "`0` holds port 0"),
            ("tcp 80 -> 10.0.0.1:0-1", "`0-1` holds port 0"),
            (
                "tcp 65536 -> 10.0.0.1:80",
                "`65536` is not a port or a range of ports",
            ),
            (
                "tcp 9-8 -> 10.0.0.1:1-2",
                "the range 9 to 8 ends before it starts",
            ),
            (
                "tcp 1-2 -> 10.0.0.1:80",
                "ports 1-2 lead to ports 80: the ranges are not equally long",
            ),
            ("tcp 80 -> 10.0.0.1", "`10.0.0.1` names no port"),
            ("tcp 80 -> 80", "`80` names no guest"),
            ("tcp 80 -> fd00::1:80", "`fd00::1:80` is ambiguous"),
            ("tcp 80 -> host:80", "`host` is not an address"),
            (
                "tcp 203.0.113.1:80 -> [fd00::1]:80",
                "203.0.113.1 and fd00::1 are of different families",
            ),
            (
                "tcp 127.0.0.1:80 -> 10.0.0.1:80",
                "forwards at 127.0.0.1 are not offered",
            ),
            (
                "tcp [::1]:80 -> [fd00::1]:80",
                "forwards at ::1 are not offered",
            ),
            (
                "tcp 0.0.0.0:80 -> 10.0.0.1:80",
                "0.0.0.0 is not one address of the host",
            ),
            (
                "tcp 224.0.0.1:80 -> 10.0.0.1:80",
                "224.0.0.1 is not one address of the host",
            ),
        ] {
            let error = text.parse::<PortForward>().unwrap_err().to_string();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }

    #[test]
    fn sources_are_of_the_targets_family_and_disjoint() {
        let text = "tcp 80 -> 10.0.0.1:80";
        assert_eq!(from(text, &[]), Err(PortForwardError::NoSources));
        assert!(from(text, &["fd00::/64"]).is_err());
        assert!(from(text, &["10.0.0.0/8", "10.9.0.0/16"]).is_err());
        assert!(source("0.0.0.0/0").is_err());
        assert_eq!(source("fd00::1").unwrap().prefix(), 128);
    }

    #[test]
    fn forwards_clash_where_a_packet_could_match_both() {
        let clash = |a: &PortForward, b: &PortForward| {
            assert_eq!(a.clashes_with(b), b.clashes_with(a));
            a.clashes_with(b)
        };
        let plain = forward("tcp 80-89 -> 10.0.0.1:80-89");
        for other in ["tcp 89 -> 10.0.0.2:1", "tcp 1-80 -> 10.0.0.2:1-80"] {
            assert!(clash(&plain, &forward(other)), "{other}");
        }
        for other in [
            "udp 80 -> 10.0.0.1:80",
            "tcp 90 -> 10.0.0.1:80",
            "tcp 203.0.113.1:80 -> 10.0.0.1:80",
            "tcp 80 -> [fd00::1]:80",
        ] {
            assert!(!clash(&plain, &forward(other)), "{other}");
        }
        let some = from("tcp 80 -> 10.0.0.2:80", &["198.51.100.0/24"]).unwrap();
        let others = from("tcp 80 -> 10.0.0.3:80", &["203.0.113.9"]).unwrap();
        assert!(clash(&plain, &some));
        assert!(!clash(&some, &others));
    }
}
