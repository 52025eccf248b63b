//! The seam between the walk and those who have rules: nf_tables, iptables, and the rules of networks.

use super::subject::{Effect, Read, Subject};
use super::{Answer, Base, Condition, Destination, DoubtKind, Nat, Visit};
use crate::network::Name;
use crate::words::into_shown;

/// Base chains, and the chains that they lead to, of one technology. Chains are called by numbers
/// that the technology gives.
pub trait Chains {
    /// The base chains, in the order in which they were registered.
    fn bases(&self) -> Vec<Base>;

    /// How many rules a chain has.
    fn rules(&self, chain: usize) -> usize;

    /// The number of the first rule, from this one on, of which a glance does not tell that it does not
    /// apply. It may always be this one; it is asked only where nobody wants to know the rules that were
    /// met, and saves most of the time.
    fn next(&self, from: At, subject: &Subject<'_>) -> usize {
        let _ = subject;
        from.rule
    }

    /// What a rule makes of a packet.
    fn step(&self, at: At, subject: &Subject<'_>) -> Step;

    /// What a rule matches, if it does more than go on to the next rule.
    fn matches(&self, at: At) -> Matched;

    /// The chains that a rule leads to.
    fn leads_to(&self, at: At) -> Vec<usize>;

    /// A rule in words.
    fn words(&self, at: At) -> RuleWords;

    /// A rule that a packet met, in words. `found` is the network that earlier rules of the base chain
    /// found, if one did.
    fn visit(&self, at: At, step: &Step, subject: &Subject<'_>, found: &mut Option<Name>) -> Visit;

    /// The end of a base chain at which no rule decided and which drops or lets pass, in words; none if
    /// it is not worth any.
    fn policy(&self, base: &Base, drops: bool) -> Option<Visit>;

    /// Why the source is translated so, or is not: the rule that decided it, in words.
    fn nat_because(&self, at: At, visit: &Visit, subject: &Subject<'_>) -> String;

    /// What is not known of a rule; `part` is the one that leaves it open, if it is one of the matches.
    fn unknown(&self, at: At, part: Option<usize>) -> Unknown;

    /// Whether a rule gives marks to connections.
    fn marks_connections(&self) -> bool {
        false
    }

    /// Whether the base chains count as registered before all others. Nobody can tell, where others
    /// with the same priority are of another technology.
    fn is_first_registered(&self) -> bool {
        false
    }
}

/// A rule: its chain, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The chain.
    pub chain: usize,
    /// The number, from zero.
    pub rule: usize,
}

/// What a rule makes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whether it applies.
    pub applies: Answer,
    /// What it does then.
    pub action: Action,
    /// The part at which it ends if it does not apply, or the first of which that is not known.
    pub part: Option<usize>,
    /// What it changes of the packet, and whether it comes to that.
    pub effects: Vec<(Answer, Effect)>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: on with the next rule.
    Continue,
    /// Back to where this chain was called.
    Return,
    /// Into a chain, and back.
    Jump(usize),
    /// Into a chain, and not back here.
    Goto(usize),
    /// The end of this base chain.
    End(End),
    /// Something that this build cannot know.
    Anything,
}

/// How a base chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It lets the packet pass.
    Accept,
    /// The packet is lost.
    Drop,
    /// The packet is refused.
    Reject,
    /// The source is translated.
    Translate(Nat),
    /// The destination becomes this one.
    Dnat(Destination),
    /// The addresses are translated to what our types do not hold, or the destination is.
    Readdress,
}

/// What a rule matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matched {
    /// The packets: those for which one of these holds.
    pub conditions: Vec<Condition>,
    /// Whether it matches something else too.
    pub has_more: bool,
}

/// A rule in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWords {
    /// Its table.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// What it says.
    pub rule: String,
}

/// What is not known of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Which kind of thing.
    pub kind: DoubtKind,
    /// In words.
    pub why: String,
    /// What the part of the rule that is not known reads of the packet.
    pub reads: Vec<Read>,
}

impl RuleWords {
    /// The same, safe to print: names and texts of other programs may hold anything.
    pub(super) fn shown(self) -> Self {
        Self {
            table: into_shown(self.table),
            chain: into_shown(self.chain),
            rule: into_shown(self.rule),
        }
    }
}

impl Step {
    /// One of a rule that does not apply, or leaves open whether it does.
    #[must_use]
    pub fn new(applies: Answer, action: Action) -> Self {
        Self {
            applies,
            action,
            part: None,
            effects: Vec::new(),
        }
    }
}
