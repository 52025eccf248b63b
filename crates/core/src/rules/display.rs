//! Rules in words that belong to no backend.

use std::fmt;
use std::net::SocketAddr;

use super::action::Action;
use super::admin::AdminChain;
use super::matches::{Destination, Matches};
use super::role::Role;
use super::rule::Rule;

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ForwardAt => "forwards at an address",
            Self::ForwardAny => "forwards",
            Self::AdminFromGuest => "administrator from guests",
            Self::AdminToGuest => "administrator to guests",
            Self::FromBlocked => "from blocked guests",
            Self::ToBlocked => "to blocked guests",
            Self::GuestSource => "source of guests",
            Self::GuestMss => "segment size",
            Self::GuestCross => "guest to guest",
            Self::GuestInput => "to guests",
            Self::GuestOutput => "from guests",
            Self::GuestNat => "nat",
            Self::GuestBetween => "between networks",
            Self::HostAdmin => "administrator of the host",
            Self::HostInput => "to the host",
            Self::HostOutput => "from the host",
            Self::Mangle => "mangle",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.matches, self.action)
    }
}

/// Each part has a space behind it, so that an action can follow.
impl fmt::Display for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = &self.in_interface {
            write!(f, "in {interface} ")?;
        }
        if let Some(interface) = &self.out_interface {
            write!(f, "out {interface} ")?;
        }
        if let Some(subnet) = self.source {
            write!(f, "from {} ", subnet.net())?;
        }
        match self.destination {
            None => {}
            Some(Destination::In(subnet)) => write!(f, "to {} ", subnet.net())?,
            Some(Destination::NotIn(subnet)) => write!(f, "not to {} ", subnet.net())?,
            Some(Destination::Broadcast) => f.write_str("to 255.255.255.255 ")?,
            Some(Destination::LinkLocalMulticast) => f.write_str("to link-local multicast ")?,
        }
        if let Some(protocol) = self.protocol {
            write!(f, "{protocol} ")?;
        }
        if let Some(port) = self.source_port {
            write!(f, "from port {port} ")?;
        }
        if let Some(port) = self.destination_port {
            write!(f, "port {port} ")?;
        }
        if self.to_host {
            f.write_str("to the host ")?;
        }
        if self.redirected {
            f.write_str("of forwards ")?;
        }
        if self.known_flow {
            f.write_str("of known flows ")?;
        }
        if self.no_flow {
            f.write_str("of no connection ")?;
        }
        if self.forged {
            f.write_str("with a forged source ")?;
        }
        Ok(())
    }
}

impl fmt::Display for AdminChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::FromGuest => "from guests",
            Self::ToGuest => "to guests",
            Self::Input => "to the host",
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, ports) = match self {
            Self::Accept => return f.write_str("accept"),
            Self::Reject => return f.write_str("reject"),
            Self::Drop => return f.write_str("drop"),
            Self::Return => return f.write_str("return"),
            Self::FillChecksum => return f.write_str("fill the checksum in"),
            Self::Dnat { address, port } => {
                return write!(f, "dnat to {}", SocketAddr::new(*address, *port));
            }
            Self::SenderDecides => return f.write_str("the sender's network decides"),
            Self::Log(log) => return write!(f, "{log}"),
            Self::ClampMss(clamp) => return write!(f, "clamp the segment size {clamp}"),
            Self::BetweenNetworks => return f.write_str("return if it goes to another network"),
            Self::Administrator(chain) => return write!(f, "administrator's rules {chain}"),
            Self::Masquerade { ports } => ("masquerade".to_owned(), ports),
            Self::Snat { addresses, ports } => (format!("snat to {addresses}"), ports),
        };
        match ports {
            Some(ports) => write!(f, "{what}, ports {ports}"),
            None => f.write_str(&what),
        }
    }
}
