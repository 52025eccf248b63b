//! Whose tables, chains and rules are.

use crate::network::Name;
use crate::rules::{RuleKind, untag};

/// The program that tables, a chain or a rule belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// palisade: the network and the kind, of a rule that serves one network.
    Palisade(Option<(Name, RuleKind)>),
    /// libvirt.
    Libvirt,
    /// Docker.
    Docker,
    /// ufw.
    Ufw,
    /// firewalld.
    Firewalld,
    /// Another program, or an administrator.
    Unknown,
}

impl Owner {
    /// The owner of a chain of iptables, by its name.
    #[must_use]
    pub fn of_chain(name: &str) -> Self {
        const PREFIXES: [(&str, Owner); 5] = [
            ("PALISADE_", Owner::Palisade(None)),
            ("LIBVIRT_", Owner::Libvirt),
            ("DOCKER", Owner::Docker),
            ("ufw-", Owner::Ufw),
            ("ufw6-", Owner::Ufw),
        ];
        let mut prefixes = PREFIXES.into_iter();
        let found = prefixes.find(|(prefix, _)| name.starts_with(prefix));
        found.map_or(Self::Unknown, |(_, owner)| owner)
    }

    /// The owner of a rule in a chain of iptables, by the chain's name and the rule's comment. What has
    /// no tag of palisade's in its chains belongs to another program.
    #[must_use]
    pub fn in_chain(name: &str, comment: Option<&str>) -> Self {
        match Self::of_chain(name) {
            Self::Palisade(_) => {
                let tag = comment.and_then(untag);
                let serves = tag.and_then(|(network, mut kinds)| Some((network, kinds.next()?)));
                serves.map_or(Self::Unknown, |serves| Self::Palisade(Some(serves)))
            }
            other => other,
        }
    }

    /// Whether it is palisade.
    #[must_use]
    pub fn is_palisade(&self) -> bool {
        matches!(self, Self::Palisade(_))
    }

    /// The network that a rule of palisade's serves, and the rule's kind.
    #[must_use]
    pub fn serves(self) -> Option<(Name, RuleKind)> {
        match self {
            Self::Palisade(serves) => serves,
            _ => None,
        }
    }
}
