//! The seam between the walk and those who have rules: nf_tables, iptables, and the rules of networks.

use super::subject::{Effect, Read, Subject};
use super::{Answer, Condition, DoubtKind, Hook, HookLayer, Nat, Visit};
use crate::network::{Family, Name};

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

    /// What a rule matches, and where it leads.
    fn matches(&self, at: At) -> Matched;

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

/// A base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The chain.
    pub chain: usize,
    /// The table that it is in, as `nft` or `iptables` name it.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where it sees packets.
    pub sees: Seen,
    /// The families whose packets it sees.
    pub families: Families,
    /// Its priority.
    pub priority: i32,
    /// Whether it sees the first packet of each flow alone, to translate it.
    pub is_nat: bool,
    /// Whether its policy is to drop.
    pub drops: bool,
    /// Whether the policy is the host's own, for packets that it takes or sends itself.
    pub is_of_host: bool,
    /// At devices' hooks: those whose packets it sees. A name that ends with `*` stands for all that
    /// begin so.
    pub devices: Vec<String>,
}

/// Where a base chain sees packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// At this hook of this layer.
    At(HookLayer, Hook),
    /// At a hook that this build does not know.
    Unknown,
}

/// The families of packets that a base chain sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Both.
    Both,
}

impl Families {
    /// Whether packets of this family are among them.
    #[must_use]
    pub fn has(self, family: Family) -> bool {
        match self {
            Self::Both => true,
            Self::Ipv4 => family == Family::Ipv4,
            Self::Ipv6 => family == Family::Ipv6,
        }
    }
}

impl From<Family> for Families {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
        }
    }
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
    /// The addresses are translated to what our types do not hold, or the destination is.
    Readdress,
}

/// What a rule matches, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matched {
    /// The packets: those for which one of these holds.
    pub conditions: Vec<Condition>,
    /// Whether it matches something else too.
    pub has_more: bool,
    /// The chains that it leads to.
    pub chains: Vec<usize>,
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

impl Base {
    /// Where packets meet it: the layer and the hook, where the kernel calls it (chains that translate
    /// are called in one place, in the order of their own priorities there), and its own priority.
    pub(super) fn order(&self) -> (Seen, i32, i32) {
        let called = match self.sees {
            Seen::At(_, hook) if self.is_nat => hook.nat_priority(),
            _ => self.priority,
        };
        (self.sees, called, self.priority)
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
