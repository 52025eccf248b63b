//! Statements as `nft` writes them.

use super::*;
use crate::object::{Expression, LookupTarget, NatKind};
use crate::statement::{
    Direction, End, address, address_field, expressions, in_set, interface, interface_field,
    known_flow, protocol, statements,
};
use crate::statement::{Match, Test, To, Translate};
use palisade_core::rules::Protocol;

fn shown(family: Family, statement: &Statement) -> String {
    let alone = std::slice::from_ref(statement);
    let lowered = expressions(alone);
    assert_eq!(statements(&lowered), alone, "read back");
    statement.text(family).to_string()
}

#[test]
fn as_nft_writes_it() {
    let v4 = |s| shown(Family::Ip, &s);
    let v6 = |s| shown(Family::Ip6, &s);
    let net = |text: &str| text.parse().unwrap();
    use Comparison::{Equal, NotEqual};
    assert_eq!(
        v4(interface(Direction::In, &"virbr0".parse().unwrap())),
        "iifname \"virbr0\""
    );
    assert_eq!(
        v4(address(End::Source, Equal, net("10.0.0.0/24"))),
        "ip saddr 10.0.0.0/24"
    );
    assert_eq!(
        v4(address(End::Source, Equal, net("10.0.0.0/26"))),
        "ip saddr 10.0.0.0/26"
    );
    assert_eq!(
        v4(address(End::Destination, NotEqual, net("10.1.2.3/32"))),
        "ip daddr != 10.1.2.3"
    );
    assert_eq!(
        v6(address(End::Destination, Equal, net("ff02::/16"))),
        "ip6 daddr ff02::/16"
    );
    assert_eq!(
        v6(address(End::Source, Equal, net("fd00::/61"))),
        "ip6 saddr fd00::/61"
    );
    assert_eq!(v4(known_flow()), "ct state established,related");
    assert_eq!(v4(protocol(Protocol::Udp)), "meta l4proto udp");
    let masked = || address_field(Family::Ip, End::Source, 24);
    assert_eq!(
        v4(in_set(
            vec![interface_field(Direction::Out), masked()],
            "out_24"
        )),
        "oifname . ip saddr & 255.255.255.0 @out_24"
    );
    assert_eq!(
        v4(in_set(vec![masked()], "nat_24")),
        "ip saddr & 255.255.255.0 == @nat_24"
    );
}

#[test]
fn a_name_is_a_beginning_unless_its_end_is_compared() {
    let compared = |value: &[u8]| {
        let field = interface_field(Direction::In);
        let test = Test::Compare(Comparison::Equal, value.to_vec());
        let fields = vec![field];
        shown(Family::Ip, &Statement::Match(Match { fields, test }))
    };
    assert_eq!(compared(b"virbr"), "iifname \"virbr*\"");
    assert_eq!(compared(b"virbr0\0"), "iifname \"virbr0\"");
}

#[test]
fn maps_of_verdicts() {
    let field = interface_field(Direction::In);
    let mut rule = expressions(&[in_set(vec![field], "ways")]);
    if let Some(Expression::Lookup(lookup)) = rule.last_mut() {
        lookup.target = LookupTarget::Verdict;
    }
    let told = texts(&statements(&rule), Family::Ip);
    assert_eq!(told, ["iifname vmap @ways"]);
}

#[test]
fn translations() {
    let snat = |start: [u8; 4], end: [u8; 4], ports| {
        Statement::Translate(Translate {
            to: To::Addresses {
                kind: NatKind::Source,
                family: Family::Ip,
                range: Some((start.into(), end.into())),
            },
            ports,
            flags: 0,
        })
    };
    let ports = Some((1024, 65535));
    let masquerade = |ports| {
        let to = To::OutgoingDevice;
        Statement::Translate(Translate {
            to,
            ports,
            flags: 0,
        })
    };
    let v4 = |s| shown(Family::Ip, &s);
    assert_eq!(v4(masquerade(None)), "masquerade");
    assert_eq!(v4(masquerade(ports)), "masquerade to :1024-65535");
    assert_eq!(v4(masquerade(Some((7, 7)))), "masquerade to :7");
    assert_eq!(
        v4(snat([1, 2, 3, 4], [1, 2, 3, 4], None)),
        "snat to 1.2.3.4"
    );
    assert_eq!(
        v4(snat([1, 2, 3, 4], [1, 2, 3, 9], ports)),
        "snat to 1.2.3.4-1.2.3.9:1024-65535"
    );
}

#[test]
fn what_is_not_understood_is_kept() {
    let unknown = Expression::Unknown {
        name: "limit".into(),
        data: vec![1, 2, 3],
    };
    let lonely = expressions(&[interface(Direction::In, &"eth0".parse().unwrap())])[0].clone();
    let read = statements(&[lonely.clone(), unknown.clone()]);
    assert_eq!(read, [Statement::Other(lonely), Statement::Other(unknown)]);
}
