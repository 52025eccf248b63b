//! Where base chains see packets.

use std::ops::ControlFlow;

use palisade_core::evaluate::each_class;

use super::*;

const KNOWN: [Hook; 5] = [
    Hook::PREROUTING,
    Hook::INPUT,
    Hook::FORWARD,
    Hook::OUTPUT,
    Hook::POSTROUTING,
];

/// A table of a family whose only chain, at this hook, drops what comes from a device.
fn dropping(family: Family, hook: Hook, expressions: Vec<Expression>) -> Program {
    let mut dropping = chain("base", Some((hook, 0, Policy::ACCEPT)), vec![expressions]);
    dropping.chain.family = family;
    dropping.rules[0].family = family;
    let mut program = host(vec![dropping], vec![]);
    program.table.family = family;
    program
}

/// Whatever a table matches at whichever hook: one of the classes of packets shows it.
#[test]
fn classes_show_rules_at_every_hook() {
    let inet = (Family::Inet, network::Family::BOTH.to_vec());
    let ip = (Family::Ip, vec![network::Family::Ipv4]);
    let ip6 = (Family::Ip6, vec![network::Family::Ipv6]);
    for (family, packets) in [inet, ip, ip6] {
        for hook in KNOWN {
            let name = match hook {
                Hook::OUTPUT | Hook::POSTROUTING => Direction::Out,
                _ => Direction::In,
            };
            let mut rule = expressions(&[interface(name, &"br0".parse().unwrap())]);
            rule.push(says(Says::Drop));
            let program = dropping(family, hook, rule);
            let table = ground([&program]);
            for &of in &packets {
                let (conditions, unknown) = table.conditions(of);
                assert_eq!(unknown, []);
                let mut verdicts = Vec::new();
                each_class(&conditions, of, &mut |packet| {
                    verdicts.push(table.fate(packet).verdict);
                    ControlFlow::Continue(())
                });
                assert!(verdicts.contains(&Verdict::Drop), "{family} {hook}");
                assert!(verdicts.contains(&Verdict::Accept), "{family} {hook}");
            }
        }
    }
}

/// A device's packets are seen before everything else.
#[test]
fn ingress_is_a_hook_of_a_device() {
    let with_device = |family, hook| {
        let mut program = dropping(family, hook, vec![says(Says::Drop)]);
        // `NFTA_HOOK_DEV`.
        let device = crate::object::Attribute {
            kind: 3,
            bytes: b"br0\0".to_vec(),
        };
        let base = program.chains[0].chain.base.as_mut().unwrap();
        base.hook_extra.push(device);
        program
    };
    for (family, hook) in [(Family::Netdev, Hook(0)), (Family::Inet, Hook(5))] {
        assert_eq!(
            verdict(&with_device(family, hook)),
            Verdict::Drop,
            "{family}"
        );
    }
    assert_eq!(
        verdict(&with_device(Family::Netdev, Hook(1))),
        Verdict::Accept,
        "it leaves through another device"
    );
}

#[test]
fn a_hook_that_is_not_known_is_a_doubt() {
    for (family, hook) in [
        (Family::Ip, Hook(5)),
        (Family::Inet, Hook(6)),
        (Family::Netdev, Hook(2)),
        (Family::Other(99), Hook(0)),
    ] {
        let program = dropping(family, hook, vec![says(Says::Drop)]);
        let outcome = of(&program);
        assert_eq!(outcome.fate.verdict, Verdict::Accept);
        let kinds: Vec<DoubtKind> = outcome.doubts.iter().map(|doubt| doubt.kind).collect();
        assert_eq!(kinds, [DoubtKind::Hook], "{family} {hook}");
        let (_, unknown) = ground([&program]).conditions(network::Family::Ipv4);
        assert_eq!(unknown.len(), 1, "{family} {hook}");
    }
    // No packet of IP comes there.
    let arp = dropping(Family::Arp, Hook(0), vec![says(Says::Drop)]);
    assert!(of(&arp).is_certain());
}

/// Where a rule asks the host's routes, nobody has to look for that in its words.
#[test]
fn doubts_have_a_kind() {
    let kind = |expression: &str| {
        let unknown = Expression::Unknown {
            name: expression.to_owned(),
            data: Vec::new(),
        };
        let rule = vec![unknown, says(Says::Drop)];
        of(&dropping(Family::Inet, Hook::FORWARD, rule)).doubts[0].kind
    };
    assert_eq!(kind("fib"), DoubtKind::Route);
    assert_eq!(kind("limit"), DoubtKind::Match);
    assert_eq!(kind("queue"), DoubtKind::Statement);
}
