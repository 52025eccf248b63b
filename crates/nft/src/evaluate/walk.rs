//! The way of a packet through hooks, base chains and the chains that they call.
//!
//! Where it is not known whether a rule applies, the packet goes on as if it did not, and beside it
//! goes a *doubt*: what would come of it if the rule did. A doubt that comes to the same end as the
//! packet is none.

use palisade_core::evaluate::{Fate, Flow, Nat, Outcome, Packet, Verdict, Visit, Way};
use palisade_core::network::Name;

use super::answer::Answer;
use super::bits::{self, Byte};
use super::frame::{self, Entrance, Layer, Place};
use super::step::{Action, Effect, End, Step};
use super::subject::{Subject, Tracking};
use super::tables::{Base, Indexed, Tables};
use super::words;
use crate::object::{Chain, Expression, Family, Hook, PayloadBase, Policy, Rule};
use crate::program::FilledChain;

/// `NFT_JUMP_STACK_SIZE`: how deep chains can call each other.
const DEEPEST: usize = 16;
/// How many rules are asked at most: the kernel has a like bound for each table.
const LONGEST: usize = 1_000_000;

/// A packet on its way.
pub(super) struct Walk<'a, 'p> {
    tables: &'a Tables<'a>,
    subject: Subject<'p>,
    /// All places of its way: every packet has some.
    places: Vec<Place<'p>>,
    /// What it met, if somebody wants to know.
    path: Option<Vec<Visit>>,
    doubts: Vec<Doubtful<'a>>,
    /// What rules left open of the packet, and which rules.
    unsure: Vec<(Effect, &'a Rule)>,
    /// How the packet leaves this base chain.
    end: Option<End>,
    /// The element that it was found by in this base chain, for rules that serve many networks.
    owner: Option<Name>,
    /// What kept NAT from it, or did it, in words.
    nat_because: Option<String>,
    /// Whether this base chain translates.
    in_nat: bool,
    /// How many rules may still be asked.
    left: usize,
}

/// A rule of which it is not known whether it applies, or what it does.
struct Doubtful<'a> {
    what: What<'a>,
    in_nat: bool,
    /// The rule that changed what is asked.
    changed_by: Option<&'a Rule>,
    /// How the packet may leave the base chain by it.
    ends: Vec<End>,
}

/// What is not known.
enum What<'a> {
    /// Whether a rule applies, and the expression that leaves it open.
    Rule(&'a Rule, Option<usize>),
    /// Whether the packet enters a base chain at all: it does if it passes these devices.
    Entrance(&'a Chain, String),
    /// What a change of the packet makes of its addresses.
    Change(&'a Rule, Change),
}

/// What a rule changes otherwise than by NAT.
#[derive(Clone, Copy)]
enum Change {
    Untracked,
    Addresses,
}

/// Who is at a place: the packet itself, and the doubts that would have led it there.
#[derive(Debug, Clone, Default)]
struct Who {
    packet: bool,
    doubts: Vec<usize>,
}

impl Who {
    fn packet() -> Self {
        Self {
            packet: true,
            doubts: Vec::new(),
        }
    }

    fn doubt(doubt: usize) -> Self {
        Self {
            packet: false,
            doubts: vec![doubt],
        }
    }

    fn is_nobody(&self) -> bool {
        !self.packet && self.doubts.is_empty()
    }

    /// A doubt that comes to where the packet is has changed nothing.
    fn join(&mut self, other: Self) {
        self.packet |= other.packet;
        if self.packet {
            self.doubts.clear();
        } else {
            self.doubts.extend(other.doubts);
            self.doubts.sort_unstable();
            self.doubts.dedup();
        }
    }
}

/// Where a chain stands among those that call each other: its table, and how many have been called.
#[derive(Clone, Copy)]
struct Level<'a> {
    table: &'a Indexed<'a>,
    depth: usize,
}

impl<'a, 'p> Walk<'a, 'p> {
    pub(super) fn new(tables: &'a Tables<'a>, packet: &'p Packet) -> Self
    where
        'a: 'p,
    {
        let places = frame::places(packet, &tables.bridges);
        Self {
            tables,
            subject: Subject::new(packet, &tables.interfaces, places[0]),
            places,
            path: None,
            doubts: Vec::new(),
            unsure: Vec::new(),
            end: None,
            owner: None,
            nat_because: None,
            in_nat: false,
            left: LONGEST,
        }
    }

    pub(super) fn with_path(mut self) -> Self {
        self.path = Some(Vec::new());
        self
    }

    pub(super) fn outcome(mut self) -> Outcome {
        let packet = self.subject.packet();
        let mut nat = Nat::None;
        let verdict = self.verdict(&mut nat);
        let decided = self.subject.flow().nat();
        nat = decided.map_or(nat, |(nat, _)| nat);
        let nat_because = match (verdict, packet.way(), decided) {
            (Verdict::Reject | Verdict::Drop, _, _) => "it does not get that far".to_owned(),
            (_, Way::In, _) => "the host takes it itself".to_owned(),
            (_, _, Some((_, because))) => because.to_owned(),
            _ => self
                .nat_because
                .take()
                .unwrap_or_else(|| "no rule translates it".to_owned()),
        };
        if verdict != Verdict::Accept || packet.way() == Way::In {
            nat = Nat::None;
        }
        let doubts = std::mem::take(&mut self.doubts);
        Outcome {
            fate: Fate { verdict, nat },
            doubts: doubts
                .iter()
                .filter_map(|doubt| doubt.told(verdict))
                .collect(),
            path: self.path.unwrap_or_default(),
            nat_because,
            is_untracked: self.subject.flow() == Flow::Untracked,
        }
    }

    fn verdict(&mut self, nat: &mut Nat) -> Verdict {
        let packet = self.subject.packet();
        let tables = self.tables;
        for place in std::mem::take(&mut self.places) {
            // NAT asks about the first packet of each flow alone, and only until one translates.
            let mut is_settled = false;
            if place.layer == Layer::Ip {
                self.nat_because = None;
            }
            for (base, entrance) in tables.at(Family::from(packet.family()), place) {
                if base.is_nat() && (is_settled || self.subject.flow().nat().is_some()) {
                    continue;
                }
                self.subject.comes_to(place, base.base.priority);
                match self.base_chain(base, entrance) {
                    End::Accept => {}
                    End::Drop => return Verdict::Drop,
                    End::Reject => return Verdict::Reject,
                    End::Translate(translation) => {
                        if place.hook == Hook::POSTROUTING {
                            *nat = translation;
                        }
                        is_settled = true;
                        self.subject.translate();
                    }
                    End::Readdress => {
                        is_settled = true;
                        self.subject.translate();
                    }
                }
            }
        }
        Verdict::Accept
    }

    fn base_chain(&mut self, base: &Base<'a>, entrance: Entrance) -> End {
        self.in_nat = base.is_nat();
        self.owner = None;
        self.end = None;
        let first = self.doubts.len();
        let table = self.tables.table_of(base);
        let who = match entrance {
            Entrance::Perhaps => Who::doubt(self.doubt_at_entrance(base)),
            Entrance::Sure | Entrance::Closed => Who::packet(),
        };
        let is_in = who.packet;
        let left = self.chain(Level { table, depth: 0 }, base.chain, who);
        let policy = if base.base.policy == Policy::DROP {
            End::Drop
        } else {
            End::Accept
        };
        if left.packet
            && let Some(path) = &mut self.path
        {
            path.push(words::of_policy(&base.chain.chain, base.base));
        }
        self.leave(&left, policy);
        // Past a chain that it may not enter, it goes on.
        let end = self.end.unwrap_or(if is_in { policy } else { End::Accept });
        for doubt in &mut self.doubts[first..] {
            // What a translation makes of it stays open, also where it is sure to come.
            doubt
                .ends
                .retain(|&other| other != end || other == End::Readdress);
        }
        end
    }

    /// All rules of a chain, one after another. Returns who comes back from it.
    fn chain(&mut self, level: Level<'a>, chain: &'a FilledChain, who: Who) -> Who {
        let mut here = who;
        let mut back = Who::default();
        for (at, rule) in chain.rules.iter().enumerate() {
            if here.is_nobody() {
                break;
            }
            if self.left == 0 {
                return here; // Nobody writes rules that come to this.
            }
            self.left -= 1;
            if self.path.is_none() && self.subject.is_past(rule) {
                continue;
            }
            let step = Step::run(level.table, rule, &self.subject);
            if here.packet {
                self.tell(level.table, rule, &step, &chain.rules[at + 1..]);
            }
            self.change(rule, &step, &here);
            let is_sure = step.applies == Answer::Yes && step.action != Action::Anything;
            if step.applies == Answer::No || step.action == Action::Continue {
                continue;
            }
            let those = if is_sure {
                if here.packet && step.action == Action::End(End::Readdress) {
                    self.doubt(rule, &step, vec![End::Readdress]);
                }
                std::mem::take(&mut here)
            } else {
                let mut doubts = here.doubts.clone();
                if here.packet {
                    doubts.push(self.doubt(rule, &step, Vec::new()));
                }
                Who {
                    packet: false,
                    doubts,
                }
            };
            let on = self.act(level, step.action, those, &mut back);
            here.join(on);
        }
        here.join(back);
        here
    }

    /// What a rule that applies does. Returns who goes on to the next rule.
    fn act(&mut self, level: Level<'a>, action: Action<'a>, who: Who, back: &mut Who) -> Who {
        let mut call = |chain: &str, who: Who| {
            let depth = level.depth + 1;
            match level.table.chain(chain) {
                Some(chain) if depth <= DEEPEST => self.chain(Level { depth, ..level }, chain, who),
                _ => who,
            }
        };
        match action {
            Action::Continue => who,
            Action::Return => {
                back.join(who);
                Who::default()
            }
            Action::Jump(chain) => call(chain, who),
            Action::Goto(chain) => {
                let returned = call(chain, who);
                back.join(returned);
                Who::default()
            }
            Action::End(end) => {
                self.leave(&who, end);
                Who::default()
            }
            Action::Anything => {
                for end in [End::Accept, End::Drop, End::Reject] {
                    self.leave(&who, end);
                }
                who
            }
        }
    }

    /// What a rule changes of the packet is so for all that comes then.
    fn change(&mut self, rule: &'a Rule, step: &Step<'a>, here: &Who) {
        for (applies, effect) in &step.effects {
            let is_sure = here.packet && *applies == Answer::Yes;
            match effect {
                Effect::Untrack if !self.subject.can_be_untracked() => {}
                Effect::Untrack if is_sure => self.subject.tracking = Tracking::Off,
                Effect::Untrack if self.subject.tracking == Tracking::On => {
                    self.subject.tracking = Tracking::Perhaps;
                    self.unsure.push((Effect::Untrack, rule));
                    self.push(What::Change(rule, Change::Untracked), Vec::new());
                }
                Effect::Untrack => {}
                Effect::Write {
                    base,
                    offset,
                    bytes,
                } => {
                    let unknown = vec![Byte::UNKNOWN; bytes.len()];
                    let written = if is_sure { bytes } else { &unknown };
                    self.subject.write(*base, *offset, written);
                    if bits::certain(written).is_none() {
                        self.unsure.push((effect.clone(), rule));
                    }
                    if effect.reaches(PayloadBase::NETWORK, &self.subject.addresses()) {
                        self.push(What::Change(rule, Change::Addresses), Vec::new());
                    }
                }
            }
        }
    }

    /// The rule that left open what this one asks up to an expression.
    fn changed_by(&self, asking: &'a Rule, because: Option<usize>) -> Option<&'a Rule> {
        let asked = asking.expressions.get(..because?)?.iter().rev();
        asked
            .take_while(|it| !is_asking(it))
            .find_map(|expression| {
                let mut unsure = self.unsure.iter().rev();
                let changed = unsure.find(|(effect, _)| match expression {
                    Expression::Payload(it) => {
                        effect.reaches(it.base, &(it.offset..it.offset.saturating_add(it.len)))
                    }
                    Expression::Conntrack(_) => *effect == Effect::Untrack,
                    _ => false,
                })?;
                Some(changed.1)
            })
    }

    fn leave(&mut self, who: &Who, end: End) {
        if who.packet {
            self.end = Some(end);
        }
        for &doubt in &who.doubts {
            self.doubts[doubt].ends.push(end);
        }
    }

    fn doubt(&mut self, rule: &'a Rule, step: &Step<'a>, ends: Vec<End>) -> usize {
        let doubt = self.push(What::Rule(rule, step.because), ends);
        self.doubts[doubt].changed_by = self.changed_by(rule, step.because);
        doubt
    }

    fn doubt_at_entrance(&mut self, base: &Base<'a>) -> usize {
        let what = What::Entrance(&base.chain.chain, base.devices());
        self.push(what, Vec::new())
    }

    fn push(&mut self, what: What<'a>, ends: Vec<End>) -> usize {
        self.doubts.push(Doubtful {
            what,
            in_nat: self.in_nat,
            changed_by: None,
            ends,
        });
        self.doubts.len() - 1
    }

    /// Notes a rule that the packet met, and what it means for NAT.
    fn tell(&mut self, table: &'a Indexed<'a>, rule: &'a Rule, step: &Step<'_>, below: &'a [Rule]) {
        if self.path.is_none() {
            return;
        }
        let mut visit = words::of_rule(table.program, rule, step, self.owner.as_ref());
        if visit.network.is_none() && visit.purpose.is_some() {
            visit.network = self.owner_below(table, below);
        }
        if step.hit.is_some() && visit.network.is_some() {
            self.owner.clone_from(&visit.network);
        }
        let decides = !matches!(
            step.action,
            Action::Continue | Action::Jump(_) | Action::Goto(_)
        );
        if self.in_nat && step.applies == Answer::Yes && decides {
            self.nat_because = Some(words::of_nat(&visit, step));
        }
        if let Some(path) = &mut self.path {
            path.push(visit);
        }
    }

    /// For which network an exception for all is, that stands above the rules which find networks:
    /// the one that they would have found.
    fn owner_below(&mut self, table: &'a Indexed<'a>, below: &'a [Rule]) -> Option<Name> {
        below.iter().find_map(|rule| {
            let step = Step::run(table, rule, &self.subject);
            let (_, element) = step.hit.filter(|_| step.applies == Answer::Yes)?;
            element.userdata.text()?.parse().ok()
        })
    }
}

/// Whether what stands before is about another question.
fn is_asking(expression: &Expression) -> bool {
    use Expression::{Compare, Lookup, Range};
    matches!(expression, Compare(_) | Range(_) | Lookup(_))
}

impl Doubtful<'_> {
    /// The doubt in words, if it may change this verdict or the translation.
    fn told(&self, verdict: Verdict) -> Option<palisade_core::evaluate::Doubt> {
        let may_end = |wanted: Verdict| {
            self.ends.iter().any(|end| match end {
                End::Drop => wanted == Verdict::Drop,
                End::Reject => wanted == Verdict::Reject,
                End::Accept | End::Translate(_) | End::Readdress => wanted == Verdict::Accept,
            })
        };
        let may = Verdict::ALL
            .into_iter()
            .filter(|&other| other != verdict && may_end(other))
            .collect::<Vec<_>>();
        let translates = match self.what {
            What::Change(..) => true,
            What::Rule(..) | What::Entrance(..) => self.in_nat && !self.ends.is_empty(),
        };
        let may_translate = translates && verdict == Verdict::Accept;
        if may.is_empty() && !may_translate {
            return None;
        }
        Some(match &self.what {
            What::Rule(rule, because) => {
                let why = words::unknown(rule, *because, self.changed_by);
                words::of_doubt(rule, why, may, may_translate)
            }
            What::Change(rule, change) => {
                let why = match change {
                    Change::Untracked => {
                        "it may keep conntrack from the packet, and so from all translation"
                    }
                    Change::Addresses => "it writes an address of the packet without translation",
                };
                words::of_doubt(rule, why.to_owned(), may, may_translate)
            }
            What::Entrance(chain, devices) => words::of_entrance(chain, devices, may),
        })
    }
}
