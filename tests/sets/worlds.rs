//! The networks beyond the host.

/// The host's own addresses where it meets the worlds, and theirs.
pub(crate) const WORLDS: [(&str, [&str; 2], [&str; 2]); 2] = [
    (
        "wan0",
        ["192.0.2.1", "2001:db8:a::1"],
        ["192.0.2.2", "2001:db8:a::2"],
    ),
    (
        "wan1",
        ["198.51.100.1", "2001:db8:b::1"],
        ["198.51.100.2", "2001:db8:b::2"],
    ),
];
