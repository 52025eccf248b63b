//! Whose tables and rules of nf_tables are.

use palisade_core::owner::Owner;

use crate::layout::{is_of_skeleton, tag_of_rule, version};
use crate::object::{Rule, Table};
use crate::program::Program;

/// The owner of a table. Tables of iptables belong to many.
#[must_use]
pub fn of_table(table: &Table) -> Owner {
    match table.name.as_str() {
        _ if version(table).is_some() => Owner::Palisade(None),
        "libvirt_network" => Owner::Libvirt,
        "firewalld" => Owner::Firewalld,
        _ => Owner::Unknown,
    }
}

/// The owner of a table with what is in it: also of one of iptables' that palisade has chains in.
#[must_use]
pub(crate) fn of_program(program: &Program) -> Owner {
    let mut chains = program.chains.iter();
    let is_in = |name: &str| Owner::of_chain(name).is_palisade();
    match of_table(&program.table) {
        Owner::Unknown if chains.any(|chain| is_in(&chain.chain.name)) => Owner::Palisade(None),
        owner => owner,
    }
}

/// The owner of a rule in this table: of iptables' tables, each chain has its own.
#[must_use]
pub fn in_table(table: &Table, rule: &Rule) -> Owner {
    match of_table(table) {
        Owner::Palisade(_) => in_own_table(rule),
        Owner::Unknown => Owner::in_chain(&rule.chain, rule.comment()),
        other => other,
    }
}

/// The owner of a rule in a table of palisade's.
#[must_use]
pub fn in_own_table(rule: &Rule) -> Owner {
    if is_of_skeleton(rule) {
        return Owner::Palisade(None);
    }
    tag_of_rule(rule).map_or(Owner::Unknown, |tag| Owner::Palisade(Some(tag)))
}

#[cfg(test)]
mod tests {
    use palisade_core::network::Family::Ipv4;

    use super::*;
    use crate::object::{Family, Userdata};

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
        let shared = Table {
            family: Family::Ip,
            name: "filter".to_owned(),
            flags: 0,
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        };
        let of = |chain, comment| in_table(&shared, &rule(chain, comment));
        let (network, kind) = of("PALISADE_FWI", "lab: in").serves().unwrap();
        assert_eq!((network.as_str(), kind.words()), ("lab", "in"));
        // Other programs' rules: in palisade's chain, and with a comment like a tag.
        assert_eq!(of("PALISADE_FWI", ""), Owner::Unknown);
        assert_eq!(of("FORWARD", "lab: in"), Owner::Unknown);
        assert_eq!(of("LIBVIRT_FWI", "lab: in"), Owner::Libvirt);
        assert_eq!(of("ufw-user-input", ""), Owner::Ufw);
        let own = crate::layout::table(&"palisade".parse().unwrap(), Ipv4);
        assert!(in_table(&own, &rule("guest_output", "lab: in")).is_palisade());
        assert_eq!(
            in_table(&own, &rule("guest_output", "mine")),
            Owner::Unknown
        );
    }
}
