//! A packet through tables as `iptables-save` prints them, the way the kernel takes it.
//!
//! Any rules may be there, also those of others. [`Tables`] are [`Chains`] for the one walk that there
//! is; what a packet alone cannot tell (marks, limits, extensions that this build does not know) leaves
//! it open whether a rule applies.

mod condition;
mod prepare;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use palisade_core::backend::Counted;
use palisade_core::evaluate::hook::{FILTER, MANGLE, RAW, SECURITY};
use palisade_core::evaluate::{
    Action, Answer, At, Base, Chains, DoubtKind, Effect, End, Hook, HookLayer, Matched, Member,
    RuleWords, Seen, Step, Subject, Unknown, Visit,
};
use palisade_core::network::{Family, Name};
use palisade_core::owner::Owner;

use crate::rule::tag;
use crate::text;
use prepare::{Prepared, Target};
use rule::{Ask, What};

const READDRESSES: &str =
    "it translates addresses: what comes then is told of the packet as it was";

/// The tables of a family, read once for many packets.
#[derive(Debug, Clone)]
pub struct Tables {
    family: Family,
    /// What they are called, in front of the name of each table.
    label: Option<String>,
    chains: Vec<Chain>,
}

/// A chain and its rules.
#[derive(Debug, Clone)]
struct Chain {
    table: String,
    name: String,
    /// Where it sees packets, if it is one of the kernel's.
    base: Option<Seen>,
    drops: bool,
    rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone)]
struct Rule {
    saved: text::Rule,
    asks: Vec<Ask>,
    action: Action,
    /// What it leaves behind at packets that go on.
    leaves: Leaves,
}

/// What a rule leaves behind at packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Nothing,
    /// Conntrack does not look at them.
    Untracked,
    /// They have a mark.
    Mark,
    /// Their connections have one.
    MarkOfConnection,
    /// They have that of their connections.
    Restored,
    /// Their connections have theirs.
    Saved,
}

impl Tables {
    /// The tables that were saved of a family.
    #[must_use]
    pub fn of(family: Family, saved: &[text::Table]) -> Self {
        let mut chains: Vec<Chain> = Vec::new();
        let mut numbers: HashMap<(&str, &str), usize> = HashMap::new();
        let mut rules: Vec<(usize, &str, Prepared)> = Vec::new();
        let mut number = |chains: &mut Vec<Chain>, table, name| {
            *numbers.entry((table, name)).or_insert_with(|| {
                chains.push(Chain::new(table, name));
                chains.len() - 1
            })
        };
        for table in saved {
            for chain in &table.chains {
                let place = number(&mut chains, &table.name, &chain.name);
                chains[place].set_policy(chain.policy.as_deref());
            }
            for rule in &table.rules {
                let place = number(&mut chains, &table.name, &rule.chain);
                rules.push((place, &table.name, Prepared::of(rule)));
            }
        }
        // These are always there, and their policy is the host's.
        for chain in ["INPUT", "OUTPUT"] {
            number(&mut chains, "filter", chain);
        }
        for (place, table, rule) in rules {
            let chain = |name: &str| numbers.get(&(table, name)).copied();
            chains[place].rules.push(Rule::of(rule, chain));
        }
        Self {
            family,
            label: None,
            chains,
        }
    }

    /// The same tables, whose names begin so.
    fn labelled(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// The tables that were saved of a family as a part of a ground, whose names begin so.
    #[must_use]
    pub fn member(label: &str, family: Family, saved: &[text::Table]) -> Member<'static> {
        let mut chains = saved.iter().flat_map(|table| &table.chains);
        let is_palisades = chains.any(|chain| Owner::of_chain(&chain.name).is_palisade());
        let owner = match is_palisades {
            true => Owner::Palisade(None),
            false => Owner::Unknown,
        };
        Member::new(label, owner, Self::of(family, saved).labelled(label))
    }

    fn rule(&self, at: At) -> &Rule {
        &self.chains[at.chain].rules[at.rule]
    }

    fn table(&self, chain: usize) -> String {
        let table = &self.chains[chain].table;
        match &self.label {
            Some(label) => format!("{label} {table}"),
            None => table.clone(),
        }
    }

    fn consequence(&self, rule: &Rule) -> String {
        let words = match rule.action {
            Action::End(End::Accept) => "accepted",
            Action::End(End::Drop) => "dropped",
            Action::End(End::Reject) => "refused",
            Action::End(End::Translate(_)) => "translated",
            Action::End(End::Dnat(to)) => return format!("it goes to {to} instead"),
            Action::End(End::Readdress) => READDRESSES,
            Action::Return => "back",
            Action::Continue if rule.untracks() => "conntrack does not look at it",
            Action::Continue => "on to the next rule",
            Action::Jump(chain) | Action::Goto(chain) => {
                return format!("on to {}", self.chains[chain].name);
            }
            Action::Anything => return rule.unknown(None),
        };
        words.to_owned()
    }
}

impl Chain {
    fn new(table: &str, name: &str) -> Self {
        Self {
            table: table.to_owned(),
            name: name.to_owned(),
            base: place(table, name).map(|(hook, _)| Seen::At(HookLayer::Ip, hook)),
            drops: false,
            rules: Vec::new(),
        }
    }

    /// Only chains of the kernel have one.
    fn set_policy(&mut self, policy: Option<&str>) {
        self.drops = policy == Some("DROP");
        if policy.is_some() {
            self.base.get_or_insert(Seen::Unknown);
        }
    }
}

/// Where a chain of the kernel sees packets, and its priority there.
fn place(table: &str, chain: &str) -> Option<(Hook, i32)> {
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        _ => return None,
    };
    let priority = match table {
        "raw" => RAW,
        "mangle" => MANGLE,
        "nat" => hook.nat_priority(),
        "filter" => FILTER,
        "security" => SECURITY,
        _ => return None,
    };
    Some((hook, priority))
}

impl Rule {
    /// `chain` finds the chains of its table.
    fn of(prepared: Prepared, chain: impl Fn(&str) -> Option<usize>) -> Self {
        let leaves = match prepared.target {
            Target::Untrack => Leaves::Untracked,
            Target::Mark => Leaves::Mark,
            Target::MarkConnection => Leaves::MarkOfConnection,
            Target::RestoreMark => Leaves::Restored,
            Target::SaveMark => Leaves::Saved,
            _ => Leaves::Nothing,
        };
        let action = match prepared.target {
            Target::Does(action) => action,
            Target::Jump(name) => chain(&name).map_or(Action::Anything, Action::Jump),
            Target::Goto(name) => chain(&name).map_or(Action::Anything, Action::Goto),
            _ => Action::Continue,
        };
        Self {
            saved: prepared.saved,
            asks: prepared.asks,
            action,
            leaves,
        }
    }

    fn untracks(&self) -> bool {
        self.leaves == Leaves::Untracked
    }

    /// What it changes of a packet that it applies to.
    fn effect(&self, subject: &Subject<'_>) -> Option<Effect> {
        match self.leaves {
            Leaves::Nothing => None,
            Leaves::Untracked => Some(Effect::Untrack),
            Leaves::Mark => Some(Effect::Mark),
            Leaves::MarkOfConnection => Some(Effect::MarkConnection),
            Leaves::Restored => {
                let is_none = subject.connection_mark() == Some(0);
                (!is_none).then_some(Effect::Mark)
            }
            Leaves::Saved => (subject.mark() != Some(0)).then_some(Effect::MarkConnection),
        }
    }

    /// What is not known of it.
    fn unknown(&self, part: Option<usize>) -> String {
        if let Some(ask) = part.and_then(|part| self.asks.get(part)) {
            return format!("the packet alone does not tell whether {}", ask.text);
        }
        if matches!(self.action, Action::End(End::Readdress | End::Dnat(_))) {
            return READDRESSES.to_owned();
        }
        let words = &self.saved.words;
        let target = words.behind("-j").or_else(|| words.behind("-g"));
        match target.filter(|name| !matches!(*name, "MASQUERADE")) {
            Some(name) => format!("what {name} does cannot be foretold"),
            None => "what its target does cannot be foretold".to_owned(),
        }
    }
}

impl Chains for Tables {
    fn bases(&self) -> Vec<Base> {
        let chains = self.chains.iter().enumerate();
        let bases = chains.filter_map(|(number, chain)| {
            let place = place(&chain.table, &chain.name);
            Some(Base {
                chain: number,
                table: self.table(number),
                name: chain.name.clone(),
                sees: chain.base?,
                families: self.family.into(),
                priority: place.map_or(FILTER, |(_, priority)| priority),
                is_nat: chain.table == "nat",
                drops: chain.drops,
                is_of_host: chain.table == "filter"
                    && matches!(chain.name.as_str(), "INPUT" | "OUTPUT"),
                devices: Vec::new(),
            })
        });
        bases.collect()
    }

    fn rules(&self, chain: usize) -> usize {
        self.chains[chain].rules.len()
    }

    fn next(&self, from: At, subject: &Subject<'_>) -> usize {
        let is_past = |rule: &Rule| {
            let mut asks = rule.asks.iter();
            asks.any(|ask| ask.holds(subject) == Answer::No)
        };
        let mut rules = self.chains[from.chain].rules[from.rule..].iter();
        let past = rules.position(|rule| !is_past(rule));
        past.map_or(usize::MAX, |past| from.rule + past)
    }

    fn step(&self, at: At, subject: &Subject<'_>) -> Step {
        let rule = self.rule(at);
        let which = |answer| {
            rule.asks
                .iter()
                .position(|ask| ask.holds(subject) == answer)
        };
        let (applies, part) = match (which(Answer::No), which(Answer::Unknown)) {
            (Some(failing), _) => (Answer::No, Some(failing)),
            (None, Some(open)) => (Answer::Unknown, Some(open)),
            (None, None) => (Answer::Yes, None),
        };
        let effect = rule.effect(subject).filter(|_| applies != Answer::No);
        Step {
            part,
            effects: effect.map(|effect| (applies, effect)).into_iter().collect(),
            ..Step::new(applies, rule.action)
        }
    }

    fn matches(&self, at: At) -> Matched {
        let rule = self.rule(at);
        if rule.action == Action::Continue && !rule.untracks() {
            return Matched::default();
        }
        let (condition, is_all) = condition::condition(&rule.asks);
        Matched {
            conditions: vec![condition],
            has_more: !is_all,
        }
    }

    fn leads_to(&self, at: At) -> Vec<usize> {
        match self.rule(at).action {
            Action::Jump(chain) | Action::Goto(chain) => vec![chain],
            _ => Vec::new(),
        }
    }

    fn words(&self, at: At) -> RuleWords {
        let rule = self.rule(at);
        RuleWords {
            table: self.table(at.chain),
            chain: rule.saved.chain.clone(),
            rule: rule.saved.words.to_string(),
        }
    }

    fn visit(&self, at: At, step: &Step, _: &Subject<'_>, _: &mut Option<Name>) -> Visit {
        let rule = self.rule(at);
        let (network, purpose) = tag(&rule.saved.words).unzip();
        let failing = step.part.and_then(|part| rule.asks.get(part));
        let RuleWords {
            table,
            chain,
            rule: words,
        } = self.words(at);
        Visit {
            table: Some(table),
            chain,
            handle: None,
            rule: words,
            network,
            purpose,
            matched: match step.action {
                Action::Anything if step.applies == Answer::Yes => None,
                _ => step.applies.into(),
            },
            why: match (step.applies, failing) {
                (Answer::No, Some(failing)) => format!("not {}", failing.text),
                (Answer::Unknown, _) if step.action != Action::Continue || rule.untracks() => {
                    rule.unknown(step.part)
                }
                _ => self.consequence(rule),
            },
            counter: rule.saved.counters.map(|counters| Counted {
                packets: counters.packets,
                bytes: counters.bytes,
            }),
        }
    }

    fn policy(&self, base: &Base, drops: bool) -> Option<Visit> {
        drops.then(|| Visit {
            table: Some(base.table.clone()),
            chain: base.name.clone(),
            handle: None,
            rule: "policy DROP".to_owned(),
            network: None,
            purpose: None,
            matched: Some(true),
            why: "no rule of this chain decided".to_owned(),
            counter: None,
        })
    }

    fn nat_because(&self, at: At, visit: &Visit, _: &Subject<'_>) -> String {
        match tag(&self.rule(at).saved.words) {
            Some((network, purpose)) => format!("{network}: {}", purpose.explanation()),
            None => visit.rule.clone(),
        }
    }

    fn unknown(&self, at: At, part: Option<usize>) -> Unknown {
        let rule = self.rule(at);
        let ask = part.and_then(|part| rule.asks.get(part));
        let kind = match ask.map(|ask| &ask.what) {
            None => DoubtKind::Statement,
            Some(What::Route | What::ReversePath { .. }) => DoubtKind::Route,
            Some(_) => DoubtKind::Match,
        };
        Unknown {
            kind,
            why: rule.unknown(part),
            reads: ask
                .and_then(|ask| ask.read(self.family))
                .into_iter()
                .collect(),
        }
    }

    fn marks_connections(&self) -> bool {
        let mut rules = self.chains.iter().flat_map(|chain| &chain.rules);
        rules.any(|rule| matches!(rule.leaves, Leaves::MarkOfConnection | Leaves::Saved))
    }

    fn is_first_registered(&self) -> bool {
        true
    }
}
