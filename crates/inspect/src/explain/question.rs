//! What is asked about a packet, before it is known which one it is.

use std::net::IpAddr;
use std::str::FromStr;

use palisade_core::evaluate::Flow;
use palisade_core::network::{InterfaceName, Name, NameError};
use thiserror::Error;

/// A packet, as far as somebody says what it is. The rest is filled in from the networks and the
/// host: see [`Explanation::assumptions`](super::Explanation::assumptions).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Who sends it.
    pub from: Option<Endpoint>,
    /// Whom it is for.
    pub to: Option<Endpoint>,
    /// The interface that it comes in through; none without `from`: the host sends it.
    pub in_interface: Option<InterfaceName>,
    /// The interface that it leaves through; none without `to`: the host takes it.
    pub out_interface: Option<InterfaceName>,
    /// Where it comes from.
    pub source: Option<IpAddr>,
    /// Where it goes.
    pub destination: Option<IpAddr>,
    /// The number of its protocol.
    pub protocol: Option<u8>,
    /// The port that it comes from.
    pub source_port: Option<u16>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
    /// What conntrack knows of its flow.
    pub flow: Option<Flow>,
}

/// Somebody who sends packets or gets them: `NETWORK`, `world` or `host`, each with an address
/// behind a slash where it shall be a certain one. `network:` in front says that a network is meant,
/// also where it is called `world` or `host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Who.
    pub who: Who,
    /// With which address.
    pub address: Option<IpAddr>,
}

/// Who is at an end of a packet's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A guest of this network.
    Network(Name),
    /// Somebody beyond the host.
    World,
    /// The host itself.
    Host,
}

/// What stands in front of the name of a network that is meant as one whatever it is called.
const NETWORK: &str = "network:";

/// A text that names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// What stands before the slash.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What stands behind it.
    #[error("`{0}` is no address: write NETWORK/ADDR, world/ADDR or host/ADDR")]
    Address(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (who, address) = match text.split_once('/') {
            Some((who, address)) => (who, Some(address)),
            None => (text, None),
        };
        let parse = |text: &str| {
            let parsed = text.parse();
            parsed.map_err(|_| EndpointError::Address(text.to_owned()))
        };
        Ok(Self {
            who: match (who, who.strip_prefix(NETWORK)) {
                ("world", _) => Who::World,
                ("host", _) => Who::Host,
                (_, Some(name)) | (name, None) => Who::Network(name.parse()?),
            },
            address: address.map(parse).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_with_which_address() {
        let read = |text: &str| text.parse::<Endpoint>().ok().map(|e| (e.who, e.address));
        let lab = || Who::Network("lab".parse().unwrap());
        assert_eq!(read("lab"), Some((lab(), None)));
        assert_eq!(read("lab/10.0.0.5"), Some((lab(), "10.0.0.5".parse().ok())));
        assert_eq!(
            read("world/fd00::1"),
            Some((Who::World, "fd00::1".parse().ok()))
        );
        assert_eq!(read("host"), Some((Who::Host, None)));
        let of_name = |name: &str| Some((Who::Network(name.parse().unwrap()), None));
        assert_eq!(read("network:host"), of_name("host"));
        assert_eq!(read("network:world"), of_name("world"));
        assert_eq!(read("network:network:x"), of_name("network:x"));
        assert_eq!(read("network:"), None);
        assert_eq!(read("lab/10.0.0.0/24"), None);
        assert_eq!(read("/10.0.0.5"), None);
    }
}
