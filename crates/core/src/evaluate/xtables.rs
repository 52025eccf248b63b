//! What targets of xtables do, by their names: in the words of iptables, and in rules of nf_tables
//! where iptables-nft put them.

use super::{Action, End};

/// Targets after which the packet goes on, whatever their options: what they leave behind is asked
/// by matches that are unknown.
const GOING_ON: [&str; 22] = [
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CONNMARK",
    "CONNSECMARK",
    "CT",
    "DSCP",
    "ECN",
    "HL",
    "IDLETIMER",
    "LED",
    "LOG",
    "MARK",
    "NFLOG",
    "RATEEST",
    "SECMARK",
    "SET",
    "TCPMSS",
    "TEE",
    "TOS",
    "TRACE",
    "TTL",
];

/// What a target does whose options are not known; none if the target is not.
#[must_use]
pub fn target(name: &str) -> Option<Action> {
    match name {
        "REJECT" => Some(Action::End(End::Reject)),
        "MASQUERADE" | "SNAT" | "DNAT" | "REDIRECT" | "NETMAP" => Some(Action::End(End::Readdress)),
        _ => GOING_ON.contains(&name).then_some(Action::Continue),
    }
}
