//! Whose a rule of ours is that stands in nf_tables, and what for: also one that programs of iptables
//! put there.

use palisade_core::network::{Family as IpFamily, Name};
use palisade_core::rules::RuleKind;
use palisade_nft::layout;
use palisade_nft::object::{Family, Rule};

use crate::installed::owner_in_iptables;

/// The network and the purpose that a rule serves, if it stands for one network.
pub(crate) fn owner(rule: &Rule) -> Option<(Name, RuleKind)> {
    of_layout(rule).or_else(|| owner_in_iptables(rule))
}

fn of_layout(rule: &Rule) -> Option<(Name, RuleKind)> {
    let family = match rule.family {
        Family::Ip => IpFamily::Ipv4,
        Family::Ip6 => IpFamily::Ipv6,
        _ => return None,
    };
    let read = layout::read_rule(&rule.table.parse().ok()?, family, rule)?;
    Some((read.owner, read.kind))
}
