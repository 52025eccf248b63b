//! What a rule does.

use std::net::IpAddr;

use super::admin::AdminChain;
use super::refusal_log::RefusalLog;
use crate::network::{AddressRange, MssClamp, PortRange};

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It passes: no further rule of palisade is evaluated at this place.
    Accept,
    /// It is refused with ICMP port unreachable.
    Reject,
    /// It is lost without an answer.
    Drop,
    /// No further rule of palisade is evaluated; for NAT: it is not translated.
    Return,
    /// It leaves with an address of the outgoing device.
    Masquerade {
        /// The source ports to use.
        ports: Option<PortRange>,
    },
    /// It leaves with one of these addresses.
    Snat {
        /// The source addresses to use.
        addresses: AddressRange,
        /// The source ports to use.
        ports: Option<PortRange>,
    },
    /// Its checksum is filled in.
    FillChecksum,
    /// The segment size that a tcp connection announces is lowered.
    ClampMss(MssClamp),
    /// It goes to this guest instead.
    Dnat {
        /// The guest's address.
        address: IpAddr,
        /// The guest's port.
        port: u16,
    },
    /// It passes if it comes from a guest whose network lets it out.
    SenderDecides,
    /// It keeps its source if it leaves by the bridge of a running network.
    BetweenNetworks,
    /// The administrator's rules in this chain are evaluated. Palisade's go on where those do not
    /// decide.
    Administrator(AdminChain),
    /// It is logged, unless more packets than the network's rate were, and the next rule is evaluated.
    Log(RefusalLog),
}
