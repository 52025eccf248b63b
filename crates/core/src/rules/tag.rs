//! The comment that each rule of a network carries, in every backend.

use super::kind::RuleKind;
use super::matches::Protocol;
use super::rule::Rule;
use crate::network::Name;

impl Rule {
    /// `default: nat udp`: the network, the kind, and the protocol where the rule matches one.
    #[must_use]
    pub fn tag(&self) -> String {
        let (owner, kind) = (self.owner.comment(), self.kind);
        match self.matches.protocol {
            Some(protocol) => format!("{owner}: {kind} {protocol}"),
            None => format!("{owner}: {kind}"),
        }
    }
}

/// The network that a rule's [tag](Rule::tag) names, and the kinds that its words may mean: the
/// requests of a service and the replies have the same.
#[must_use]
pub fn untag(tag: &str) -> Option<(Name, impl Iterator<Item = RuleKind> + use<'_>)> {
    // A name may hold a colon itself; the words do not.
    let (owner, words) = tag.rsplit_once(": ")?;
    let mut protocols = Protocol::ALL.iter();
    let without = protocols.find_map(|protocol| words.strip_suffix(&format!(" {protocol}")));
    Some((
        Name::from_comment(owner)?,
        RuleKind::named(without.unwrap_or(words)),
    ))
}
