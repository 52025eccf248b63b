//! What is known of a packet where a statement of a rule stands, by the statements before it.

use super::super::{Field, Match, Origin, Statement, Test};
use super::protocol::has_name;
use crate::object::{Comparison, Family, MetaKey, PayloadBase, RejectKind};

/// `NFT_META_PROTOCOL`, `NFT_META_IIFTYPE`.
const META_PROTOCOL: MetaKey = MetaKey(1);
const META_IIFTYPE: MetaKey = MetaKey(8);
/// `NFT_PAYLOAD_LL_HEADER`.
pub(super) const LINK: PayloadBase = PayloadBase(0);

/// What is known of a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The family of the rule's table.
    pub(super) family: Family,
    /// Which of IPv4 and IPv6 it is.
    pub(super) network: Option<Family>,
    /// The number of its protocol.
    pub(super) transport: Option<u8>,
}

impl Context {
    pub(super) fn of(family: Family) -> Self {
        Self {
            family,
            network: matches!(family, Family::Ip | Family::Ip6).then_some(family),
            transport: None,
        }
    }

    /// The family whose headers are read.
    pub(super) fn header(self) -> Family {
        self.network.unwrap_or(self.family)
    }

    pub(super) fn learn(&mut self, statement: &Statement) {
        match said(statement) {
            Some(Said::Network(family)) => self.network = Some(family),
            Some(Said::Transport(protocol)) => self.transport = Some(protocol),
            Some(Said::Link) | None => {}
        }
    }
}

/// What a statement says of the headers of a packet.
enum Said {
    Link,
    Network(Family),
    Transport(u8),
}

fn said(statement: &Statement) -> Option<Said> {
    let Statement::Match(Match { fields, test }) = statement else {
        return None;
    };
    let ([field], Test::Compare(Comparison::Equal, value)) = (fields.as_slice(), test) else {
        return None;
    };
    if field.mask.is_some() {
        return None;
    }
    match (field.origin, value.as_slice()) {
        (Origin::Meta(META_IIFTYPE), _) => Some(Said::Link),
        (Origin::Meta(MetaKey::NFPROTO), [2]) | (Origin::Meta(META_PROTOCOL), [8, 0]) => {
            Some(Said::Network(Family::Ip))
        }
        (Origin::Meta(MetaKey::NFPROTO), [10]) | (Origin::Meta(META_PROTOCOL), [0x86, 0xdd]) => {
            Some(Said::Network(Family::Ip6))
        }
        (Origin::Meta(MetaKey::L4PROTO), &[protocol]) => Some(Said::Transport(protocol)),
        _ => None,
    }
}

/// Whether a statement says no more than which header a later one reads: `nft` puts it there by
/// itself, and does not list it.
pub(super) fn only_leads_on(statement: &Statement, behind: &[Statement]) -> bool {
    let Some(said) = said(statement) else {
        return false;
    };
    let matches = || {
        behind.iter().map_while(|next| match next {
            Statement::Match(matching) => Some((next, matching)),
            _ => None,
        })
    };
    let reads = |base: PayloadBase| {
        let is_of = |field: &Field| matches!(field.origin, Origin::Payload { base: read, .. } if read == base);
        matches().any(|(_, matching)| matching.fields.iter().any(is_of))
    };
    match said {
        Said::Link => reads(LINK),
        Said::Network(family) => {
            let icmp = if family == Family::Ip6 { 58 } else { 1 };
            let is_icmp = matches().any(|(next, _)| {
                matches!(self::said(next), Some(Said::Transport(protocol)) if protocol == icmp)
            });
            let answers = |next: &Statement| matches!(next, Statement::Reject(reject) if reject.kind == RejectKind::ICMP_UNREACHABLE);
            reads(PayloadBase::NETWORK)
                || is_icmp && reads(PayloadBase::TRANSPORT)
                || behind.first().is_some_and(answers)
        }
        // What nft has no name for, it reads as part of any such header.
        Said::Transport(protocol) => has_name(protocol) && reads(PayloadBase::TRANSPORT),
    }
}
