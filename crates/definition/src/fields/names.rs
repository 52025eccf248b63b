//! The fields of a network in TOML and JSON.

/// The fields of a network.
pub(super) const FIELDS: [&str; 12] = [
    "name",
    "bridge",
    "zone",
    "mode",
    "device",
    "subnets",
    "ports",
    "addresses",
    "nat_ipv6",
    "ipv6",
    "dhcp",
    "tftp",
];

/// The field that holds several networks.
pub(super) const LIST: &str = "network";
