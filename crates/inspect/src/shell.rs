//! Words and commands as a shell reads them.

/// A text as one word.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Words that nft does not take for a name, whatever quotes are around them.
const NFT_WORDS: &[&str] = &[
    "accept",
    "add",
    "all",
    "arp",
    "at",
    "audit",
    "bridge",
    "bytes",
    "chain",
    "chains",
    "classid",
    "comment",
    "constant",
    "continue",
    "counter",
    "counters",
    "create",
    "ct",
    "daddr",
    "day",
    "default",
    "define",
    "delete",
    "describe",
    "destroy",
    "device",
    "devices",
    "dport",
    "drop",
    "dup",
    "dynamic",
    "element",
    "ether",
    "exists",
    "export",
    "fib",
    "flow",
    "flowtable",
    "flush",
    "fwd",
    "goto",
    "hash",
    "hook",
    "hour",
    "icmp",
    "icmpv6",
    "iif",
    "iifname",
    "import",
    "include",
    "inet",
    "insert",
    "interval",
    "ip",
    "ip6",
    "jump",
    "length",
    "limit",
    "list",
    "log",
    "map",
    "mark",
    "masquerade",
    "meta",
    "meter",
    "missing",
    "monitor",
    "netdev",
    "notrack",
    "oif",
    "oifname",
    "packets",
    "policy",
    "priority",
    "protocol",
    "queue",
    "quota",
    "redirect",
    "reject",
    "rename",
    "replace",
    "reset",
    "return",
    "rt",
    "rule",
    "saddr",
    "set",
    "snat",
    "socket",
    "sport",
    "state",
    "table",
    "tcp",
    "type",
    "udp",
    "vlan",
];

/// A name as nft takes it; none if it takes no such name, in quotes or without.
pub(crate) fn nft_name(name: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_word = NFT_WORDS.contains(&name);
    (begins && !is_word && name.chars().all(is_plain)).then_some(name)
}

/// One command after the other, as long as they succeed.
pub(crate) fn in_turn(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| commands.join(" && "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_word() {
        assert_eq!(word("virbr0"), "virbr0");
        assert_eq!(word("a;reboot"), "'a;reboot'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
