//! What rules do with packets, in nft syntax.

use std::fmt;

use crate::object::{Family, NatKind, Reject, RejectKind};
use crate::statement::{To, Translate};

/// Codes of ICMP, ICMPv6, and of nf_tables' own for both.
const ICMP: [(u8, &str); 7] = [
    (0, "net-unreachable"),
    (1, "host-unreachable"),
    (2, "prot-unreachable"),
    (3, "port-unreachable"),
    (9, "net-prohibited"),
    (10, "host-prohibited"),
    (13, "admin-prohibited"),
];
const ICMPV6: [(u8, &str); 6] = [
    (0, "no-route"),
    (1, "admin-prohibited"),
    (3, "addr-unreachable"),
    (4, "port-unreachable"),
    (5, "policy-fail"),
    (6, "reject-route"),
];
const ICMPX: [(u8, &str); 4] = [
    (0, "no-route"),
    (1, "port-unreachable"),
    (2, "host-unreachable"),
    (3, "admin-prohibited"),
];

pub(super) fn write_reject(
    f: &mut fmt::Formatter<'_>,
    reject: Reject,
    family: Family,
) -> fmt::Result {
    let (protocol, codes): (_, &[(u8, &str)]) = match (reject.kind, family) {
        (RejectKind::TCP_RESET, _) => return f.write_str("reject with tcp reset"),
        (RejectKind::ICMPX_UNREACHABLE, _) => ("icmpx", &ICMPX),
        (_, Family::Ip6) => ("icmpv6", &ICMPV6),
        _ => ("icmp", &ICMP),
    };
    let named = codes.iter().find(|(code, _)| *code == reject.code);
    let is_usual = match family {
        // Both protocols are seen there.
        Family::Inet | Family::Bridge => protocol == "icmpx",
        _ => true,
    };
    match named {
        Some((_, "port-unreachable")) if is_usual => f.write_str("reject"),
        Some((_, name)) => write!(f, "reject with {protocol} {name}"),
        None => write!(f, "reject with {protocol} {}", reject.code),
    }
}

pub(super) fn write_translate(f: &mut fmt::Formatter<'_>, translate: Translate) -> fmt::Result {
    let mut target = String::new();
    match translate.to {
        To::OutgoingDevice => f.write_str("masquerade")?,
        To::Addresses { kind, range, .. } => {
            f.write_str(match kind {
                NatKind::Source => "snat",
                NatKind::Destination => "dnat",
            })?;
            if let Some((start, end)) = range {
                target = match (start, end) {
                    (start, end) if start == end => start.to_string(),
                    (start, end) => format!("{start}-{end}"),
                };
                if start.is_ipv6() && translate.ports.is_some() {
                    target = format!("[{target}]");
                }
            }
        }
    }
    if let Some((start, end)) = translate.ports {
        target.push_str(&format!(":{start}"));
        if start != end {
            target.push_str(&format!("-{end}"));
        }
    }
    if !target.is_empty() {
        write!(f, " to {target}")?;
    }
    // NF_NAT_RANGE_PROTO_RANDOM, _PERSISTENT and _PROTO_RANDOM_FULLY.
    let flags = [(4, "random"), (8, "persistent"), (16, "fully-random")];
    let named: Vec<&str> = flags
        .iter()
        .filter(|(bit, _)| translate.flags & bit != 0)
        .map(|&(_, name)| name)
        .collect();
    if named.is_empty() {
        Ok(())
    } else {
        write!(f, " {}", named.join(","))
    }
}
