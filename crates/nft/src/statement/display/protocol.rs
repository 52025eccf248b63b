//! Protocols whose headers nft has names for.

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP: u8 = 1;
pub(super) const ICMPV6: u8 = 58;

/// Protocols whose header begins with ports, with their names in nft.
pub(super) const WITH_PORTS: [(u8, &str); 5] = [
    (TCP, "tcp"),
    (UDP, "udp"),
    (33, "dccp"),
    (132, "sctp"),
    (136, "udplite"),
];

/// Whether nft has a name for the header of a protocol.
pub(super) fn has_name(protocol: u8) -> bool {
    let has_ports = WITH_PORTS.iter().any(|(number, _)| *number == protocol);
    has_ports || matches!(protocol, ICMP | ICMPV6)
}
