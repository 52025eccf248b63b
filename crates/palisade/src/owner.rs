//! Whose tables, chains and rules are.

use palisade_core::network::Name;
use palisade_core::rules::RuleKind;
use palisade_iptables::rule::{tag, untag};
use palisade_iptables::text;
use palisade_nft::layout;
use palisade_nft::object::{Rule, Table};

/// The program that a table, a chain or a rule belongs to.
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
    /// The owner of a table of nf_tables. Tables of iptables belong to many.
    #[must_use]
    pub fn of_table(table: &Table) -> Self {
        match table.name.as_str() {
            _ if layout::version(table).is_some() => Self::Palisade(None),
            "libvirt_network" => Self::Libvirt,
            "firewalld" => Self::Firewalld,
            _ => Self::Unknown,
        }
    }

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

    /// The owner of a rule of nf_tables, also of one that programs of iptables put there. What has
    /// no tag of palisade's in its chains belongs to another program.
    #[must_use]
    pub fn of_rule(rule: &Rule) -> Self {
        let of_chain = Self::of_chain(&rule.chain);
        let tag = match of_chain {
            Self::Palisade(_) => rule.comment().and_then(untag),
            _ if layout::is_of_skeleton(rule) => return Self::Palisade(None),
            _ => layout::tag_of_rule(rule),
        };
        Self::tagged(tag, of_chain)
    }

    /// The owner of a rule as `iptables-save` prints it.
    #[must_use]
    pub fn of_saved(rule: &text::Rule) -> Self {
        let of_chain = Self::of_chain(&rule.chain);
        Self::tagged(
            tag(&rule.words).filter(|_| of_chain.is_palisade()),
            of_chain,
        )
    }

    fn tagged(tag: Option<(Name, RuleKind)>, of_chain: Self) -> Self {
        match (tag, of_chain) {
            (None, Self::Palisade(_)) => Self::Unknown,
            (None, other) => other,
            (serves, _) => Self::Palisade(serves),
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

#[cfg(test)]
mod tests {
    use palisade_nft::object::{Family, Userdata};

    use super::*;

    fn rule(chain: &str, comment: &str) -> Rule {
        Rule {
            family: Family::Ip,
            table: "filter".to_owned(),
            chain: chain.to_owned(),
            expressions: Vec::new(),
            userdata: Userdata::comment(comment),
            handle: None,
            position: None,
            extra: Vec::new(),
        }
    }

    #[test]
    fn rules_belong_to_the_network_of_their_tag() {
        let serves = Owner::of_rule(&rule("PALISADE_FWI", "lab: in")).serves();
        let (network, kind) = serves.unwrap();
        assert_eq!((network.as_str(), kind.words()), ("lab", "in"));
        // Another program's rule in palisade's chain.
        assert_eq!(Owner::of_rule(&rule("PALISADE_FWI", "")), Owner::Unknown);
        assert_eq!(Owner::of_rule(&rule("LIBVIRT_FWI", "x")), Owner::Libvirt);
        assert_eq!(Owner::of_rule(&rule("ufw-user-input", "")), Owner::Ufw);
        assert_eq!(Owner::of_rule(&rule("FORWARD", "")), Owner::Unknown);
    }
}
