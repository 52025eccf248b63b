//! Mutants of a rule of nf_tables: of one of its expressions.

use palisade_nft::object::{Comparison, Expression, LookupTarget, MetaKey, Verdict};
use palisade_nft::program::Program;

use super::Mutant;

/// Every mutant of these expressions, in a table with these sets.
pub(super) fn of_expressions(
    expressions: &[Expression],
    program: &Program,
) -> Vec<Mutant<Vec<Expression>>> {
    let mut mutants = Vec::new();
    for (place, expression) in expressions.iter().enumerate() {
        for mutant in of_one(expression, program) {
            let mut all = expressions.to_vec();
            all[place] = mutant.result;
            mutants.push(Mutant::new(mutant.what, all));
        }
        if let Some(widened) = widened(expressions, place) {
            mutants.push(Mutant::new("widen by a byte", widened));
        }
    }
    mutants
}

fn of_one(expression: &Expression, program: &Program) -> Vec<Mutant<Expression>> {
    let one = |what: &str, result| vec![Mutant::new(what, result)];
    match expression {
        Expression::Verdict(verdict) => verdicts(verdict)
            .into_iter()
            .map(|other| Mutant::new(format!("{other} instead"), Expression::Verdict(other)))
            .collect(),
        Expression::Reject(_) => vec![
            Mutant::new("accept instead", Expression::Verdict(Verdict::Accept)),
            Mutant::new("drop instead", Expression::Verdict(Verdict::Drop)),
        ],
        Expression::Masquerade(_) | Expression::Nat(_) => {
            one("no translation", Expression::Verdict(Verdict::Accept))
        }
        Expression::Compare(compare) => {
            let mut mutants = Vec::new();
            let mut contrary = compare.clone();
            contrary.operator = match compare.operator {
                Comparison::Equal => Comparison::NotEqual,
                _ => Comparison::Equal,
            };
            mutants.push(Mutant::new("the contrary", Expression::Compare(contrary)));
            if let Some(place) = compare.value.iter().rposition(|&byte| byte != 0) {
                let mut other = compare.clone();
                other.value[place] = match compare.value.as_slice() {
                    [6] => 17, // The other protocol.
                    [17] => 6,
                    value => value[place] ^ 1,
                };
                mutants.push(Mutant::new("another value", Expression::Compare(other)));
            }
            mutants
        }
        Expression::Bitwise(bitwise) => {
            let Some(last) = bitwise.mask.iter().rposition(|&byte| byte != 0) else {
                return Vec::new();
            };
            let mut wider = bitwise.clone();
            wider.mask[last] &= wider.mask[last] - 1;
            one("widen by a bit", Expression::Bitwise(wider))
        }
        Expression::Load(load) => {
            let mut other = load.clone();
            let last = other.value.iter_mut().next_back();
            last.into_iter().for_each(|byte| *byte ^= 1);
            one("another port or address", Expression::Load(other))
        }
        Expression::Meta(meta) => {
            let mut other = *meta;
            other.key = match meta.key {
                MetaKey::IIFNAME => MetaKey::OIFNAME,
                MetaKey::OIFNAME => MetaKey::IIFNAME,
                _ => return Vec::new(),
            };
            one("the other interface", Expression::Meta(other))
        }
        Expression::Payload(payload) => {
            let mut other = *payload;
            other.offset = match payload.offset {
                12 => 16, // ip saddr, ip daddr
                16 => 12,
                8 => 24, // ip6 saddr, ip6 daddr
                24 => 8,
                _ => return Vec::new(),
            };
            one("the other address", Expression::Payload(other))
        }
        Expression::Lookup(lookup) if lookup.target == LookupTarget::None => {
            let mut contrary = lookup.clone();
            contrary.inverted = !lookup.inverted;
            let mut mutants = one("the contrary", Expression::Lookup(contrary));
            let key = program.set(&lookup.set).map(|set| set.set.key_type);
            let alike = program.sets.iter().find(|other| {
                Some(other.set.key_type) == key
                    && other.set.name != lookup.set
                    && other.set.name != "transaction"
            });
            if let Some(alike) = alike {
                let mut other = lookup.clone();
                other.set.clone_from(&alike.set.name);
                mutants.push(Mutant::new("another set", Expression::Lookup(other)));
            }
            mutants
        }
        _ => Vec::new(),
    }
}

fn verdicts(verdict: &Verdict) -> Vec<Verdict> {
    match verdict {
        Verdict::Accept => vec![Verdict::Drop, Verdict::Return],
        Verdict::Return => vec![Verdict::Accept, Verdict::Drop],
        Verdict::Jump(chain) => vec![Verdict::Goto(chain.clone()), Verdict::Accept],
        Verdict::Goto(chain) => vec![Verdict::Jump(chain.clone()), Verdict::Accept],
        _ => Vec::new(),
    }
}

/// An address compared by whole bytes, with one byte less.
fn widened(expressions: &[Expression], place: usize) -> Option<Vec<Expression>> {
    let mut all = expressions.to_vec();
    let [
        Expression::Payload(payload),
        Expression::Compare(compare),
        ..,
    ] = &mut all[place..]
    else {
        return None;
    };
    payload.len = payload.len.checked_sub(1).filter(|&len| len > 0)?;
    compare.value.pop();
    Some(all)
}
