//! A table's chains, for the walk through them.

use palisade_core::evaluate::{
    At, Base, Chains, Families, Hook, HookLayer, Matched, Read, RuleWords, Seen, Step, Subject,
    Unknown, Visit,
};
use palisade_core::network::Name;

use super::{Table, conditions, load, rule, words};
use crate::object::{
    self, Comparison, Conntrack, ConntrackKey, Expression, Family, Meta, MetaKey, Policy, Rule,
};
use crate::wire;

/// `NFT_TABLE_F_DORMANT`: no packet enters.
const DORMANT: u32 = 1;
/// The length of an interface's name in a register: `IFNAMSIZ`.
const INTERFACE_NAME: usize = 16;

impl Chains for Table<'_> {
    fn bases(&self) -> Vec<Base> {
        let table = &self.program.table;
        if table.flags & DORMANT != 0 {
            return Vec::new();
        }
        let chains = self.program.chains.iter().enumerate();
        let bases = chains.filter_map(|(chain, filled)| {
            let base = filled.chain.base.as_ref()?;
            Some(Base {
                chain,
                table: format!("{} {}", table.family, table.name),
                name: filled.chain.name.clone(),
                sees: seen(table.family, base.hook)?,
                families: match table.family {
                    Family::Ip => Families::Ipv4,
                    Family::Ip6 => Families::Ipv6,
                    _ => Families::Both,
                },
                priority: base.priority,
                is_nat: base.kind == "nat",
                drops: base.policy == Policy::DROP,
                is_of_host: false,
                devices: wire::chain::devices(base),
            })
        });
        bases.collect()
    }

    fn rules(&self, chain: usize) -> usize {
        self.program.chains[chain].rules.len()
    }

    fn next(&self, from: At, subject: &Subject<'_>) -> usize {
        let mut rules = self.program.chains[from.chain].rules[from.rule..].iter();
        let past = rules.position(|rule| !is_past(rule, subject));
        past.map_or(usize::MAX, |past| from.rule + past)
    }

    fn step(&self, at: At, subject: &Subject<'_>) -> Step {
        self.run(at, subject).step
    }

    fn matches(&self, at: At) -> Matched {
        let rule = self.rule(at);
        let (conditions, is_all) = conditions::of_rule(&self.program, rule);
        Matched {
            conditions,
            has_more: !is_all,
        }
    }

    fn leads_to(&self, at: At) -> Vec<usize> {
        let expressions = self.rule(at).expressions.iter();
        let chains = expressions.filter_map(|expression| match expression {
            Expression::Verdict(object::Verdict::Jump(chain) | object::Verdict::Goto(chain)) => {
                self.chain(chain)
            }
            _ => None,
        });
        chains.collect()
    }

    fn words(&self, at: At) -> RuleWords {
        let rule = self.rule(at);
        RuleWords {
            table: words::table_of(rule),
            chain: rule.chain.clone(),
            rule: words::text(rule),
        }
    }

    fn visit(&self, at: At, _: &Step, subject: &Subject<'_>, found: &mut Option<Name>) -> Visit {
        let run = self.run(at, subject);
        let mut visit = words::of_rule(self, self.rule(at), &run, found.as_ref());
        if visit.network.is_none() && visit.purpose.is_some() {
            visit.network = self.found_below(at, subject);
        }
        if run.hit.is_some() && visit.network.is_some() {
            found.clone_from(&visit.network);
        }
        visit
    }

    fn policy(&self, base: &Base, _: bool) -> Option<Visit> {
        let chain = &self.program.chains[base.chain].chain;
        Some(words::of_policy(chain, chain.base.as_ref()?))
    }

    fn nat_because(&self, at: At, visit: &Visit, subject: &Subject<'_>) -> String {
        words::of_nat(visit, &self.run(at, subject))
    }

    fn marks_connections(&self) -> bool {
        let chains = self.program.chains.iter();
        let mut rules = chains.flat_map(|chain| &chain.rules);
        rules.any(|rule| rule.expressions.iter().any(rule::marks_connections))
    }

    fn unknown(&self, at: At, part: Option<usize>) -> Unknown {
        let rule = self.rule(at);
        let (kind, why) = words::unknown(rule, part);
        Unknown {
            kind,
            why,
            reads: reads(rule, part),
        }
    }
}

impl Table<'_> {
    fn rule(&self, at: At) -> &Rule {
        &self.program.chains[at.chain].rules[at.rule]
    }

    fn run(&self, at: At, subject: &Subject<'_>) -> rule::Run<'_> {
        rule::Run::of(self, self.rule(at), subject)
    }

    /// For which network an exception for all is, that stands above the rules which find networks:
    /// the one that they would have found.
    fn found_below(&self, at: At, subject: &Subject<'_>) -> Option<Name> {
        (at.rule + 1..self.rules(at.chain)).find_map(|rule| {
            let run = self.run(At { rule, ..at }, subject);
            let (_, element) = run.hit.filter(|_| run.applies())?;
            Name::from_comment(element.userdata.text()?)
        })
    }
}

/// Whether a rule begins by matching another interface than the packet's. So do most rules of `flat`,
/// and a glance at them takes a tenth of the time of running them.
fn is_past(rule: &Rule, subject: &Subject<'_>) -> bool {
    let [Expression::Meta(meta), Expression::Compare(compare), ..] = &rule.expressions[..] else {
        return false;
    };
    let device = match meta.key {
        MetaKey::IIFNAME => subject.place().input,
        MetaKey::OIFNAME => subject.place().output,
        _ => return false,
    };
    let is_matched = compare.source == meta.destination && compare.operator == Comparison::Equal;
    is_matched && compare.value.len() == INTERFACE_NAME && device.is_not(&compare.value)
}

/// Where base chains of a family see packets, by the kernel's number of the hook; none where no packet
/// of IP comes.
fn seen(family: Family, hook: object::Hook) -> Option<Seen> {
    const NETDEV: [Hook; 2] = [Hook::Ingress, Hook::Egress];
    const OTHERS: [Hook; 5] = [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
    ];
    /// `NF_INET_INGRESS`.
    const INET_INGRESS: object::Hook = object::Hook(5);
    let (layer, hooks): (HookLayer, &[Hook]) = match family {
        Family::Arp => return None,
        Family::Inet if hook == INET_INGRESS => {
            return Some(Seen::At(HookLayer::Device, Hook::Ingress));
        }
        Family::Ip | Family::Ip6 | Family::Inet => (HookLayer::Ip, &OTHERS),
        Family::Bridge => (HookLayer::Bridge, &OTHERS),
        Family::Netdev => (HookLayer::Device, &NETDEV),
        Family::Other(_) => return Some(Seen::Unknown),
    };
    let known = usize::try_from(hook.0)
        .ok()
        .and_then(|hook| hooks.get(hook));
    Some(known.map_or(Seen::Unknown, |&hook| Seen::At(layer, hook)))
}

/// What a rule loads of a packet for the part that is not known.
fn reads(rule: &Rule, part: Option<usize>) -> Vec<Read> {
    let is_match = |expression: &&Expression| {
        use Expression::{Compare, Lookup, Range};
        matches!(expression, Compare(_) | Range(_) | Lookup(_))
    };
    let before = part.and_then(|part| rule.expressions.get(..part));
    let loads = before.unwrap_or_default().iter().rev();
    let loads = loads.take_while(|it| !is_match(it));
    let read = loads.filter_map(|expression| match expression {
        Expression::Payload(it) => {
            let bytes = it.offset..it.offset.saturating_add(it.len);
            Some(Read::Bytes(rule::header(it.base)?, bytes))
        }
        Expression::Conntrack(Conntrack {
            key: ConntrackKey(load::CONNTRACK_MARK),
            ..
        }) => Some(Read::ConnectionMark),
        Expression::Conntrack(_) => Some(Read::Flow),
        Expression::Meta(Meta {
            key: MetaKey(load::META_MARK),
            ..
        }) => Some(Read::Mark),
        _ => None,
    });
    read.collect()
}
