//! What a packet met, in words.

use ipnet::IpNet;
use palisade_core::backend::Counted;
use palisade_core::evaluate::{Action, Answer, DoubtKind, End, Visit};
use palisade_core::network::{self, Name};
use palisade_core::rules::RuleKind;

use super::Table;
use super::rule::Run;
use crate::layout::{self, SetId};
use crate::object::{BaseChain, Chain, Counter, Element, Expression, Family, Rule, Set};
use crate::owner;
use crate::statement::{concatenation, statements, texts};
use crate::wire::foreign;

/// A rule that was asked. `owner` is the network that an element before it was for.
pub(super) fn of_rule(
    table: &Table<'_>,
    rule: &Rule,
    run: &Run<'_>,
    owner: Option<&Name>,
) -> Visit {
    let step = &run.step;
    let hit = run.hit;
    let (network, purpose) = served(table, rule, hit, owner);
    let of_element = hit.and_then(|(_, element)| counted(&element.expressions));
    Visit {
        table: Some(table_of(rule)),
        chain: rule.chain.clone(),
        handle: rule.handle,
        rule: text(rule),
        network,
        purpose,
        matched: step.applies.into(),
        why: match step.applies {
            Answer::No => format!("`{}` does not hold", condition(rule, step.part)),
            Answer::Unknown => unknown(rule, step.part).1,
            Answer::Yes => match hit {
                Some((set, element)) => {
                    let key = concatenation(set.key_type, &element.key);
                    format!(
                        "`{key}` is in @{}: {}",
                        set.name,
                        consequence(table, step.action)
                    )
                }
                None => consequence(table, step.action),
            },
        },
        counter: of_element.or_else(|| counted(&rule.expressions)),
    }
}

/// The end of a base chain at which no rule decided.
pub(super) fn of_policy(chain: &Chain, base: &BaseChain) -> Visit {
    Visit {
        table: Some(format!("{} {}", chain.family, chain.table)),
        chain: chain.name.clone(),
        handle: None,
        rule: format!("policy {}", base.policy),
        network: None,
        purpose: None,
        matched: Some(true),
        why: format!("no rule of this base chain decided: {}", base.policy),
        counter: None,
    }
}

/// Why the source is translated so, or is not: the rule that decided it.
pub(super) fn of_nat(visit: &Visit, run: &Run<'_>) -> String {
    let what = visit.purpose.map(RuleKind::explanation);
    if let (Some(network), Some(subnet)) = (&visit.network, within(run)) {
        return format!("{network}: within {subnet}, packets keep their source");
    }
    match (&visit.network, what) {
        (Some(network), Some(what)) => format!("{network}: {what}"),
        (Some(network), None) => format!("{network}: {}", visit.rule),
        (None, Some(what)) => what.to_owned(),
        (None, None) => match &visit.table {
            Some(table) => format!("{table} {}: {}", visit.chain, visit.rule),
            None => visit.rule.clone(),
        },
    }
}

/// The subnet that a packet does not leave, if that is what a rule looked up.
fn within(run: &Run<'_>) -> Option<IpNet> {
    let (set, element) = run.hit?;
    layout::exemption(family_of(set.family)?, SetId::of(set)?, &element.key)
}

pub(super) fn table_of(rule: &Rule) -> String {
    format!("{} {}", rule.family, rule.table)
}

/// The rule without what its counter says: that stands beside it.
pub(super) fn text(rule: &Rule) -> String {
    format!("{rule:#}")
}

/// For which network a rule of ours stands, and what for.
fn served(
    table: &Table<'_>,
    rule: &Rule,
    hit: Option<(&Set, &Element)>,
    found: Option<&Name>,
) -> (Option<Name>, Option<RuleKind>) {
    if layout::version(&table.program.table).is_none() {
        return owner::in_table(&table.program.table, rule).serves().unzip();
    }
    if let Some((set, element)) = hit {
        let network = element.userdata.text().and_then(Name::from_comment);
        return (network, kind_of(set, element));
    }
    let comment = rule.userdata.text().unwrap_or_default();
    if layout::is_of_skeleton(rule) {
        let purpose = layout::kind_of_skeleton(comment);
        return (purpose.and(found.cloned()), purpose);
    }
    layout::tag_of_rule(rule).unzip()
}

/// The kind of the rules that an element stands for, if it stands for any.
fn kind_of(set: &Set, element: &Element) -> Option<RuleKind> {
    let family = family_of(set.family)?;
    let id = SetId::of(set)?;
    let rules = layout::read_element(family, id, element.into())?;
    let kind = rules.first().map(|rule| rule.kind);
    kind.filter(|_| id.decides())
}

fn family_of(family: Family) -> Option<network::Family> {
    match family {
        Family::Ip => Some(network::Family::Ipv4),
        Family::Ip6 => Some(network::Family::Ipv6),
        _ => None,
    }
}

fn counted(expressions: &[Expression]) -> Option<Counted> {
    expressions.iter().find_map(|expression| match expression {
        Expression::Counter(counter) => Some(counter.counted()),
        _ => None,
    })
}

impl Counter {
    fn counted(self) -> Counted {
        Counted {
            packets: self.packets,
            bytes: self.bytes,
        }
    }
}

/// What follows from a rule that applies.
fn consequence(table: &Table<'_>, action: Action) -> String {
    let name = |chain: usize| &table.program.chains[chain].chain.name;
    match action {
        Action::Continue => "on to the next rule".to_owned(),
        Action::Return => "return".to_owned(),
        Action::Jump(chain) => format!("jump {}", name(chain)),
        Action::Goto(chain) => format!("goto {}", name(chain)),
        Action::Anything => "what it does is not known".to_owned(),
        Action::End(End::Accept) => "accept".to_owned(),
        Action::End(End::Drop) => "drop".to_owned(),
        Action::End(End::Reject) => "reject".to_owned(),
        Action::End(End::Translate(nat)) => nat.to_string(),
        Action::End(End::Dnat(to)) => format!("it goes to {to} instead"),
        Action::End(End::Readdress) => "its addresses are translated".to_owned(),
    }
}

/// What is not known about a rule, where the expression at this place leaves it open, or what it does.
pub(super) fn unknown(rule: &Rule, place: Option<usize>) -> (DoubtKind, String) {
    let Some(place) = place else {
        return (DoubtKind::Statement, unknown_statement(rule));
    };
    let (is_route, what) = match rule.expressions.get(place) {
        Some(Expression::Unknown { name, data }) => match foreign::extension(data) {
            Some(extension) if name == "match" => {
                let is_route = extension == "rpfilter";
                (is_route, format!("what xtables' match `{extension}` asks"))
            }
            _ => (name == "fib", format!("what `{name}` asks")),
        },
        Some(Expression::Limit(_)) => (false, "what `limit` asks".to_owned()),
        _ => {
            let before = place.checked_sub(1).and_then(|at| rule.expressions.get(at));
            let is_route = matches!(before, Some(Expression::Fib(_)));
            let condition = condition(rule, Some(place));
            (is_route, format!("whether `{condition}` holds"))
        }
    };
    let kind = match is_route {
        true => DoubtKind::Route,
        false => DoubtKind::Match,
    };
    (kind, format!("{what} is not known here"))
}

fn unknown_statement(rule: &Rule) -> String {
    match rule.expressions.last() {
        Some(Expression::Unknown { name, data }) => match foreign::extension(data) {
            Some(extension) if name == "target" => {
                format!("what xtables' target `{extension}` does is not known here")
            }
            _ => format!("what `{name}` does is not known here"),
        },
        _ => "what it does to the packet is not known here".to_owned(),
    }
}

/// The statement that the expression at this place ends.
fn condition(rule: &Rule, because: Option<usize>) -> String {
    let end = because.map_or(0, |place| place + 1);
    let said = rule
        .expressions
        .get(..end)
        .map(statements)
        .unwrap_or_default();
    texts(&said, rule.family).pop().unwrap_or_default()
}
