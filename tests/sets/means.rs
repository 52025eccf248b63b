//! What questions are asked with.

use std::net::IpAddr;

/// What a question is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Means {
    /// A connection.
    Tcp,
    /// A datagram and one back.
    Udp,
    /// An echo request and its reply.
    Echo,
    /// A datagram to a broadcast address or to a group, which nobody answers.
    ToAll,
}

impl Means {
    pub(crate) const ANSWERED: [Self; 3] = [Self::Tcp, Self::Udp, Self::Echo];

    pub(crate) fn has_ports(self) -> bool {
        self != Self::Echo
    }

    /// The protocol's number.
    pub(crate) fn protocol(self, source: IpAddr) -> u8 {
        match (self, source) {
            (Self::Tcp, _) => 6,
            (Self::Udp | Self::ToAll, _) => 17,
            (Self::Echo, IpAddr::V4(_)) => 1,
            (Self::Echo, IpAddr::V6(_)) => 58,
        }
    }
}
