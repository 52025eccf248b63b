//! Names of protocols, as people write them.

/// Protocols that have a name here, each with its number (IANA, "Assigned Internet Protocol Numbers").
const NAMES: [(&str, u8); 17] = [
    ("tcp", 6),
    ("udp", 17),
    ("icmp", 1),
    ("icmpv6", 58),
    ("sctp", 132),
    ("dccp", 33),
    ("udplite", 136),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6", 41),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
];

/// The number of a protocol by its name, or by the number itself.
#[must_use]
pub fn protocol_number(text: &str) -> Option<u8> {
    let named = NAMES.iter().find(|(name, _)| *name == text);
    named.map_or_else(|| text.parse().ok(), |&(_, number)| Some(number))
}

/// A protocol in a word: `gre`, `protocol 99`.
#[must_use]
pub fn protocol_name(number: u8) -> String {
    let named = NAMES.iter().find(|(_, known)| *known == number);
    named.map_or_else(
        || format!("protocol {number}"),
        |(name, _)| (*name).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read() {
        assert_eq!(protocol_number("gre"), Some(47));
        assert_eq!(protocol_number("esp"), Some(50));
        assert_eq!(protocol_number("sctp"), Some(132));
        assert_eq!(protocol_number("igmp"), Some(2));
        assert_eq!(protocol_number("99"), Some(99));
        assert_eq!(protocol_number("256"), None);
        assert_eq!(protocol_name(47), "gre");
        assert_eq!(protocol_name(99), "protocol 99");
    }
}
