//! Names of tables that `nft` can read back.

use std::fmt;
use std::str::FromStr;

use palisade_core::words::shown;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a table: a letter or `_`, then letters, digits, `_`, `.`, `-`, at most 64 bytes,
/// none of the words of nft's language, so that `nft` can read back what it lists, and none of the
/// tables that `iptables-nft` takes for its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName(String);

/// Why a text is not a table's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TableNameError {
    /// Nft could not read it as a name.
    #[error(
        "`{}` is no name for a table: a letter, then letters, digits, `_`, `.` or `-`, at most 64",
        shown(.0)
    )]
    Syntax(String),
    /// A word of nft's language.
    #[error("`{0}` is a word of nft's language: `nft` could not read a table of that name back")]
    Keyword(String),
    /// A table of `iptables-nft`, which fails for everybody at rules that are not its own.
    #[error("`{0}` is a table of iptables', which could not list its rules beside ours any more")]
    OfIptables(String),
}

/// The tables that `iptables-nft` has, under the names of the kernel's own.
pub const OF_IPTABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

impl TableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TableName {
    fn default() -> Self {
        Self("palisade".to_owned())
    }
}

impl FromStr for TableName {
    type Err = TableNameError;

    fn from_str(text: &str) -> Result<Self, TableNameError> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if text.len() > 64 || !text.starts_with(first) || !text.chars().all(rest) {
            Err(TableNameError::Syntax(text.to_owned()))
        } else if KEYWORDS.binary_search(&text).is_ok() {
            Err(TableNameError::Keyword(text.to_owned()))
        } else if OF_IPTABLES.contains(&text) {
            Err(TableNameError::OfIptables(text.to_owned()))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl TryFrom<String> for TableName {
    type Error = TableNameError;

    fn try_from(text: String) -> Result<Self, TableNameError> {
        text.parse()
    }
}

impl From<TableName> for String {
    fn from(name: TableName) -> Self {
        name.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The words of nft's language in order, from nft(8) and tried with `nft` (tests/kernel does it again).
pub const KEYWORDS: &[&str] = &[
    "accept",
    "add",
    "ah",
    "all",
    "and",
    "arp",
    "auto-merge",
    "bridge",
    "cgroup",
    "chain",
    "comment",
    "comp",
    "constant",
    "continue",
    "counter",
    "cpu",
    "create",
    "ct",
    "day",
    "dccp",
    "define",
    "delete",
    "describe",
    "destroy",
    "device",
    "devices",
    "dnat",
    "drop",
    "dst",
    "dup",
    "dynamic",
    "ecn",
    "element",
    "elements",
    "eq",
    "esp",
    "ether",
    "exists",
    "expires",
    "export",
    "exthdr",
    "fib",
    "flags",
    "flow",
    "flowtable",
    "flush",
    "frag",
    "fwd",
    "gc-interval",
    "ge",
    "geneve",
    "get",
    "goto",
    "gre",
    "gretap",
    "gt",
    "handle",
    "hbh",
    "hook",
    "hour",
    "ibriport",
    "ibrname",
    "icmp",
    "icmpv6",
    "igmp",
    "iif",
    "iifgroup",
    "iifname",
    "iiftype",
    "import",
    "include",
    "index",
    "inet",
    "insert",
    "interval",
    "ip",
    "ip6",
    "ipsec",
    "jhash",
    "jump",
    "last",
    "le",
    "limit",
    "list",
    "log",
    "lt",
    "map",
    "mark",
    "masquerade",
    "meta",
    "meter",
    "meters",
    "mh",
    "missing",
    "monitor",
    "ne",
    "netdev",
    "nftrace",
    "not",
    "notrack",
    "numgen",
    "obriport",
    "obrname",
    "offload",
    "oif",
    "oifgroup",
    "oifname",
    "oiftype",
    "or",
    "osf",
    "pkttype",
    "policy",
    "position",
    "priority",
    "queue",
    "quota",
    "random",
    "redefine",
    "redirect",
    "reject",
    "rename",
    "replace",
    "reset",
    "return",
    "rt",
    "rt0",
    "rt2",
    "rtclassid",
    "rule",
    "ruleset",
    "sctp",
    "secmark",
    "secmarks",
    "set",
    "size",
    "skgid",
    "skuid",
    "snat",
    "socket",
    "srh",
    "symhash",
    "synproxy",
    "table",
    "tcp",
    "th",
    "time",
    "timeout",
    "tproxy",
    "transparent",
    "type",
    "typeof",
    "udp",
    "udplite",
    "undefine",
    "update",
    "vlan",
    "vmap",
    "vxlan",
    "wildcard",
    "xor",
    "xt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words() {
        for name in ["palisade", "libvirt_network", "a", "net.1-b", "_x"] {
            assert_eq!(name.parse::<TableName>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "1a",
            "a b",
            "a/b",
            "a\"",
            "fwd",
            "table",
            "ip",
            "-a",
            "filter",
            "nat",
            &"x".repeat(65),
        ] {
            assert!(name.parse::<TableName>().is_err(), "{name}");
        }
        assert!(KEYWORDS.is_sorted(), "they are searched as such");
        assert!(
            KEYWORDS
                .iter()
                .all(|word| word.parse::<TableName>().is_err())
        );
    }
}
