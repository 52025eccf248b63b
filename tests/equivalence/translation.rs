//! Rules of nf_tables in a form that does not depend on who wrote them, nor on names of tables and
//! chains: those are private to each backend.

use std::collections::BTreeSet;

use palisade_nft::object::{BaseChain, Comparison, MetaKey, PayloadBase, Rule, Verdict};
use palisade_nft::program::{FilledChain, Program};
use palisade_nft::statement::{Field, Match, Origin, Statement, Test, statements};

/// A rule without its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bare {
    /// Whose it is and what for: the comment.
    pub(crate) comment: String,
    /// What it asks, in no order: all of it must hold.
    asks: BTreeSet<String>,
    /// What it does.
    does: Vec<Statement>,
    is_counting: bool,
}

/// A base chain, and where packets are sent from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// Type, hook, priority and policy.
    pub(crate) entry: (String, u32, i32, u32),
    /// The rules that packets meet, a list for each chain that they are sent to.
    pub(crate) chains: Vec<Vec<Bare>>,
}

/// What stands at a hook of a table; none if the table has no chain there.
pub(crate) fn way(program: &Program, kind: &str, hook: u32) -> Option<Way> {
    let (chain, base) = base_chain(program, kind, hook)?;
    let mut chains = Vec::new();
    let mut own = Vec::new();
    for rule in &chain.rules {
        match jump(rule) {
            Some(to) => chains.push(bare(&program.chain(&to).expect("the chain").rules)),
            None => own.extend(bare(std::slice::from_ref(rule))),
        }
    }
    if !own.is_empty() {
        chains.push(own);
    }
    let entry = (base.kind.clone(), base.hook.0, base.priority, base.policy.0);
    Some(Way { entry, chains })
}

fn base_chain<'a>(
    program: &'a Program,
    kind: &str,
    hook: u32,
) -> Option<(&'a FilledChain, &'a BaseChain)> {
    program.chains.iter().find_map(|chain| {
        let base = chain.chain.base.as_ref()?;
        (base.kind == kind && base.hook.0 == hook).then_some((chain, base))
    })
}

/// Where a rule sends every packet.
fn jump(rule: &Rule) -> Option<String> {
    match statements(&rule.expressions).as_slice() {
        [
            Statement::Counter(_),
            Statement::Verdict(Verdict::Jump(chain)),
        ] => Some(chain.clone()),
        _ => None,
    }
}

fn bare(rules: &[Rule]) -> Vec<Bare> {
    let bare = |rule: &Rule| {
        let mut bare = Bare {
            comment: rule.userdata.text().unwrap_or_default().to_owned(),
            asks: BTreeSet::new(),
            does: Vec::new(),
            is_counting: false,
        };
        for statement in statements(&rule.expressions) {
            match statement {
                Statement::Counter(_) => bare.is_counting = true,
                Statement::Match(matching) => drop(bare.asks.insert(asked(rule, &matching))),
                Statement::Verdict(Verdict::Jump(chain)) => {
                    bare.does
                        .push(Statement::Verdict(Verdict::Jump(place(chain))));
                }
                other => bare.does.push(other),
            }
        }
        bare
    };
    rules.iter().map(bare).collect()
}

/// The administrator's chain of this name, by that of nftables.
fn place(chain: String) -> String {
    match chain.as_str() {
        "PALISADE_ADMIN_FWO" => "admin_from_guest".to_owned(),
        "PALISADE_ADMIN_FWI" => "admin_to_guest".to_owned(),
        "PALISADE_ADMIN_INP" => "admin_input".to_owned(),
        _ => chain,
    }
}

/// A match in words that are the same however the kernel is told to look at the packet.
fn asked(rule: &Rule, matching: &Match) -> String {
    if let ([field], Test::Compare(operator, value)) = (&*matching.fields, &matching.test) {
        if let Some((end, address, prefix)) = field.prefix(rule.family, value) {
            return format!("{end:?} {operator:?} {address}/{prefix}");
        }
        if is_protocol(field) && *operator == Comparison::Equal {
            return format!("protocol {value:?}");
        }
    }
    format!("{matching:?}")
}

/// `meta l4proto`, and what the translator writes for IPv4: `ip protocol`.
fn is_protocol(field: &Field) -> bool {
    let in_header = Origin::Payload {
        base: PayloadBase::NETWORK,
        offset: 9,
        len: 1,
    };
    let known = [Origin::Meta(MetaKey::L4PROTO), in_header];
    field.mask.is_none() && known.contains(&field.origin)
}
