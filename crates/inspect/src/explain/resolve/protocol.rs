//! Protocols of the network layer, by number.

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP: u8 = 1;
pub(super) const ICMPV6: u8 = 58;
/// Protocols whose header begins with ports: tcp, udp, dccp, sctp, udplite.
pub(super) const WITH_PORTS: [u8; 5] = [TCP, UDP, 33, 132, 136];
