//! Which rules are the same: those with one comment that do the same, whatever their counters say and
//! whichever registers they pass values in.

use palisade_core::identity::{Digest, Digester};

use crate::object::{Counter, Expression, Rule};
use crate::statement::{Statement, expressions, statements};
use crate::wire;

/// Whether two rules are the same, in whichever chains they are.
pub(crate) fn is_same(one: &Rule, other: &Rule) -> bool {
    comment(one) == comment(other) && normalised(one) == normalised(other)
}

/// A digest of a rule's comment and of what it does: the same for the same rules.
pub(crate) fn digest(rule: &Rule) -> Digest {
    let mut bytes = Vec::with_capacity(512);
    wire::expression::encode_all(&normalised(rule), &mut bytes);
    let mut digester = Digester::default();
    digester.add(comment(rule).as_bytes());
    digester.add(&bytes);
    digester.digest()
}

/// A rule's comment; empty if it has none.
pub(crate) fn comment(rule: &Rule) -> &str {
    rule.userdata.text().unwrap_or_default()
}

/// A rule's expressions with counters at zero. Those that this build understands are as this build
/// writes them.
fn normalised(rule: &Rule) -> Vec<Expression> {
    let mut statements = statements(&rule.expressions);
    for statement in &mut statements {
        if let Statement::Counter(counter) = statement {
            *counter = Counter::default();
        }
    }
    let is_other = |statement: &Statement| matches!(statement, Statement::Other(_));
    if !statements.iter().any(is_other) {
        return expressions(&statements);
    }
    let mut expressions = rule.expressions.clone();
    for expression in &mut expressions {
        if let Expression::Counter(counter) = expression {
            *counter = Counter::default();
        }
    }
    expressions
}

#[cfg(test)]
mod tests {
    use palisade_core::network::{Description, Family, Forward, Nat, Network};

    use super::*;
    use crate::layout::{Item, Layout, TableName};
    use crate::object::{Compare, Comparison, Meta, MetaKey, Register, Verdict};

    fn made() -> Vec<Rule> {
        let network = Network::new(Description {
            subnets: vec!["10.0.0.0/24".parse().unwrap(), "fd00::/64".parse().unwrap()],
            ipv6: true,
            dhcp: true,
            tftp: true,
            ..Description::new(
                "default".parse().unwrap(),
                Some("virbr0".parse().unwrap()),
                Forward::Nat(Nat::default()),
            )
        });
        let network = network.unwrap();
        let table = TableName::default();
        let mut rules = Vec::new();
        for layout in Layout::ALL {
            for family in Family::BOTH {
                let skeleton = layout.skeleton(&table, family, [&network]);
                rules.extend(skeleton.into_iter().flat_map(|skeleton| skeleton.rules));
                let items = layout.items(&table, family, &network).into_iter();
                rules.extend(items.filter_map(|item| match item {
                    Item::Rule(rule) => Some(rule),
                    Item::Element { .. } => None,
                }));
            }
        }
        assert!(rules.len() > 40, "{}", rules.len());
        rules
    }

    #[test]
    fn what_counters_say_is_no_difference_and_all_else_is() {
        let rules = made();
        for (i, rule) in rules.iter().enumerate() {
            let mut counted = rule.clone();
            for expression in &mut counted.expressions {
                if let Expression::Counter(counter) = expression {
                    (counter.packets, counter.bytes) = (7, 700);
                }
            }
            counted.handle = Some(9);
            assert!(is_same(rule, &counted));
            assert_eq!(digest(rule), digest(&counted));
            for other in &rules[..i] {
                assert_eq!(is_same(rule, other), digest(rule) == digest(other));
            }
            let mut commented = rule.clone();
            commented.userdata = crate::object::Userdata::comment("another");
            assert!(!is_same(rule, &commented));
            assert_ne!(digest(rule), digest(&commented));
            let mut longer = rule.clone();
            longer
                .expressions
                .push(Expression::Verdict(Verdict::Return));
            assert!(!is_same(rule, &longer));
            assert_ne!(digest(rule), digest(&longer));
        }
    }

    /// What this build makes is in the normal form, so that what is recorded of a rule is what the
    /// kernel is asked for.
    #[test]
    fn rules_that_this_build_makes_are_in_the_normal_form() {
        for rule in made() {
            assert_eq!(normalised(&rule), rule.expressions);
        }
    }

    #[test]
    fn registers_are_no_difference() {
        let through = |register: Register| {
            let mut rule = made().swap_remove(0);
            rule.expressions = vec![
                Expression::Meta(Meta {
                    key: MetaKey::L4PROTO,
                    destination: register,
                }),
                Expression::Compare(Compare {
                    source: register,
                    operator: Comparison::Equal,
                    value: vec![6],
                }),
            ];
            rule
        };
        let (one, other) = (
            through(Register::FIRST),
            through(Register::at_word(5).unwrap()),
        );
        assert_ne!(one, other);
        assert!(is_same(&one, &other));
        assert_eq!(digest(&one), digest(&other));
    }
}
