//! A refused packet.

use std::fmt;
use std::net::IpAddr;

use palisade_core::evaluate::protocol_name;
use palisade_core::network::Name;
use palisade_core::rules::Traffic;
use palisade_netlink::nflog::PacketHeaders;
use serde::{Serialize, Serializer};

/// A refused packet, as far as it tells packets apart. What is none was cut off, or the packet has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Refused {
    /// The network that refused it.
    pub network: Name,
    /// Why: what counters call it.
    pub purpose: Traffic,
    /// The source.
    pub source: Option<IpAddr>,
    /// The destination.
    pub destination: Option<IpAddr>,
    /// The protocol's number.
    #[serde(serialize_with = "by_name")]
    pub protocol: Option<u8>,
    /// The destination port.
    pub port: Option<u16>,
}

impl Refused {
    pub(super) fn new(network: Name, purpose: Traffic, headers: Option<&PacketHeaders>) -> Self {
        Self {
            network,
            purpose,
            source: headers.map(|headers| headers.source),
            destination: headers.map(|headers| headers.destination),
            protocol: headers.and_then(|headers| headers.protocol),
            port: headers.and_then(|headers| Some(headers.ports?.1)),
        }
    }
}

/// `refused out  lab  192.168.150.5 -> 10.0.0.1 tcp 22`.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = self.purpose.to_string().replace('_', " ");
        write!(f, "{purpose:<11}  {}  ", self.network)?;
        let (Some(source), Some(destination)) = (self.source, self.destination) else {
            return f.write_str("truncated packet");
        };
        write!(f, "{source} -> {destination}")?;
        match self.protocol {
            Some(protocol) => write!(f, " {}", protocol_name(protocol))?,
            None => f.write_str(" truncated packet")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, " {port}"))
    }
}

fn by_name<S: Serializer>(protocol: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    protocol.map(protocol_name).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Refused {
        let headers = PacketHeaders {
            source: [192, 168, 150, 5].into(),
            destination: [10, 0, 0, 1].into(),
            protocol: Some(6),
            ports: Some((40000, 22)),
        };
        Refused::new("lab".parse().unwrap(), Traffic::RefusedOut, Some(&headers))
    }

    #[test]
    fn for_people_and_for_programs() {
        let whole = refused();
        assert_eq!(
            whole.to_string(),
            "refused out  lab  192.168.150.5 -> 10.0.0.1 tcp 22"
        );
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(
            json,
            r#"{"network":"lab","purpose":"refused_out","source":"192.168.150.5","destination":"10.0.0.1","protocol":"tcp","port":22}"#
        );
    }

    #[test]
    fn truncated_packets_are_said_to_be_so() {
        let whole = refused();
        let cut = Refused::new(whole.network.clone(), Traffic::Spoofed, None);
        assert_eq!(cut.to_string(), "spoofed      lab  truncated packet");
        let cut = Refused {
            protocol: None,
            port: None,
            ..whole
        };
        assert_eq!(
            cut.to_string(),
            "refused out  lab  192.168.150.5 -> 10.0.0.1 truncated packet"
        );
    }
}
