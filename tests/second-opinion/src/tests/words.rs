//! rustables' own words for what rules match. Its expressions are not always ours: it compares a
//! name without the zeros behind it, and masks all of an address. They mean the same.

use palisade_nft::object::Family;
use palisade_nft::statement::statements;
use rustables::Protocol;

use super::{place, read_rule};

/// A rule as our decoder and our statements have it, in nft syntax.
fn text(family: Family, rule: &rustables::Rule) -> String {
    let rule = read_rule(rule);
    let statements = statements(&rule.expressions);
    let texts: Vec<String> = statements
        .iter()
        .map(|statement| statement.text(family).to_string())
        .collect();
    texts.join(" ")
}

fn rule(family: Family) -> rustables::Rule {
    rustables::Rule::new(&place(family).1).unwrap()
}

#[test]
fn interfaces() {
    let rule = rule(Family::Ip).iiface("virbr0").unwrap();
    let rule = rule.oiface("eth0").unwrap().accept();
    assert_eq!(
        text(Family::Ip, &rule),
        "iifname \"virbr0\" oifname \"eth0\" accept"
    );
}

#[test]
fn networks() {
    for (family, net, prefix) in [
        (Family::Ip, "192.168.122.0/24", "ip"),
        (Family::Ip, "10.0.0.0/9", "ip"),
        (Family::Ip6, "fd00:1::/64", "ip6"),
        (Family::Ip6, "fd00:2::/61", "ip6"),
    ] {
        let rule = rule(family).snetwork(net.parse().unwrap()).unwrap();
        let rule = rule.dnetwork(net.parse().unwrap()).unwrap().drop();
        let text = text(family, &rule);
        assert!(text.contains(&format!("{prefix} saddr {net}")), "{text}");
        assert!(text.contains(&format!("{prefix} daddr {net}")), "{text}");
        assert!(text.ends_with(" drop"), "{text}");
    }
}

#[test]
fn protocols_ports_and_flows() {
    let rule = rule(Family::Ip).dport(53, Protocol::UDP);
    let rule = rule.established().unwrap().masquerade();
    assert_eq!(
        text(Family::Ip, &rule),
        "meta l4proto udp th dport 53 ct state established masquerade"
    );
}
