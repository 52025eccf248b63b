//! The way of a packet through hooks, base chains and the chains that they call.
//!
//! Where it is not known whether a rule applies, the packet goes on as if it did not, and beside it
//! goes a *doubt*: what would come of it if the rule did. A doubt that comes to the same end as the
//! packet is none.

use super::bits::{self, Byte};
use super::chains::{Action, At, Chains, End, RuleWords, Step};
use super::obstacle::{DecidingRule, Obstacle, Obstacles};
use super::place::{self, Entrance, Place};
use super::registry::Registry;
use super::subject::{ConnectionMark, Effect, Subject, Tracking};
use super::{
    Answer, Base, Destination, Doubt, DoubtKind, Fate, Hook, HookLayer, Nat, Outcome, Packet, Seen,
    Stop, Verdict, Visit, Way,
};
use crate::network::Name;
use crate::words::into_shown;

/// `NFT_JUMP_STACK_SIZE`: how deep chains can call each other.
const DEEPEST: usize = 16;
/// How many rules a packet meets at most: the kernel has a like bound for each table.
const LONGEST: usize = 1_000_000;

/// A packet on its way.
pub(super) struct Walk<'a, 'p> {
    registry: &'a Registry<'a>,
    /// The only tables that it goes through, if not all.
    member: Option<usize>,
    packet: &'p Packet,
    subject: Subject<'p>,
    /// All places of its way: every packet has some.
    places: Vec<Place<'p>>,
    /// What it met, if that is wanted.
    path: Option<Vec<Visit>>,
    doubts: Vec<Doubtful<'a>>,
    /// What rules left open of the packet, and which rules.
    unsure: Vec<(Effect, RuleOf<'a>)>,
    /// How the packet leaves this base chain.
    end: Option<End>,
    /// The network that it was found for in this base chain, by rules that serve many networks.
    found: Option<Name>,
    /// What kept NAT from it, or did it, in words.
    nat_because: Option<String>,
    /// The base chain.
    base: Option<&'a Base>,
    /// Whether the packet is stopped whatever the doubts come to.
    is_stopped: bool,
    /// How many rules may still be met.
    left: usize,
    /// The rule by which the packet leaves this base chain.
    decided_by: Option<RuleOf<'a>>,
    /// The rule that keeps conntrack from it.
    untracked_by: Option<DecidingRule>,
    /// The rule that translates its addresses.
    translated_by: Option<DecidingRule>,
    /// The number of the member whose base chain it is in.
    in_member: usize,
    /// What stops it, if it is to go on behind that.
    obstacles: Option<Vec<Obstacle>>,
}

/// A stop that a doubt may lead past, and what was met until then.
struct DoubtfulStop<'a> {
    verdict: Verdict,
    base: Option<&'a Base>,
    end: Option<End>,
    met: usize,
    doubts: usize,
}

/// A rule, and whose it is.
#[derive(Clone, Copy)]
struct RuleOf<'a> {
    chains: &'a dyn Chains,
    at: At,
}

/// Something of which it is not known whether it comes to it, or what it does.
struct Doubtful<'a> {
    what: What<'a>,
    base: &'a Base,
    /// The rule that changed what is matched.
    changed_by: Option<RuleOf<'a>>,
    /// How the packet may leave the base chain by it.
    ends: Vec<End>,
}

/// What is not known.
#[derive(Clone, Copy)]
enum What<'a> {
    /// Whether a rule applies, and the part that leaves it open.
    Rule(RuleOf<'a>, Option<usize>),
    /// What a rule that is sure to translate addresses makes of them.
    Readdress(RuleOf<'a>),
    /// Whether the packet is kept from conntrack.
    Untracked(RuleOf<'a>),
    /// What a rule that writes an address makes of it.
    Rewritten(RuleOf<'a>),
    /// What comes behind a rule that leads too deep, or too far.
    Endless(RuleOf<'a>),
    /// Whether the packet enters the base chain: it does if it passes one of its devices.
    Entrance,
    /// Whether packets of this kind come to the base chain at all.
    Hook,
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

/// The base chain in which the packet is, for the chains that it calls.
#[derive(Clone, Copy)]
struct Level<'a> {
    chains: &'a dyn Chains,
    base: &'a Base,
    /// How many chains have been called.
    depth: usize,
}

impl<'a, 'p> Walk<'a, 'p> {
    pub(super) fn new(registry: &'a Registry<'a>, packet: &'p Packet) -> Self
    where
        'a: 'p,
    {
        let devices = &registry.devices;
        let places = place::places(packet, devices);
        Self {
            registry,
            member: None,
            packet,
            subject: Subject::new(packet, devices, places[0], registry.connection),
            places,
            path: None,
            doubts: Vec::new(),
            unsure: Vec::new(),
            end: None,
            found: None,
            nat_because: None,
            base: None,
            is_stopped: false,
            left: LONGEST,
            decided_by: None,
            untracked_by: None,
            translated_by: None,
            in_member: 0,
            obstacles: None,
        }
    }

    /// As far as packets come before the host looks for their route.
    pub(super) fn before_routing(mut self) -> Self {
        let is_last =
            |place: &Place<'_>| (place.layer, place.hook) == (HookLayer::Ip, Hook::Prerouting);
        let last = self.places.iter().position(is_last);
        self.places.truncate(last.map_or(0, |last| last + 1));
        self
    }

    pub(super) fn with_path(mut self) -> Self {
        self.path = Some(Vec::new());
        self
    }

    pub(super) fn in_member(mut self, member: usize) -> Self {
        self.member = Some(member);
        self
    }

    pub(super) fn fate(mut self) -> Fate {
        let (verdict, nat) = self.verdict();
        self.settled(verdict, nat)
    }

    pub(super) fn obstacles(mut self) -> Obstacles {
        self.obstacles = Some(Vec::new());
        let (verdict, nat) = self.verdict();
        let nat = self.settled(verdict, nat).nat;
        Obstacles {
            nat,
            translated_by: self.translated_by,
            untracked_by: self.untracked_by,
            all: self.obstacles.unwrap_or_default(),
        }
    }

    pub(super) fn outcome(mut self) -> Outcome {
        let (verdict, nat) = self.verdict();
        if verdict.passes() {
            let family = self.packet.family();
            for (chains, base) in self.registry.bases(self.member) {
                let decides = chains.rules(base.chain) > 0 || base.drops;
                if base.sees == Seen::Unknown && base.families.has(family) && decides {
                    self.push(What::Hook, base, vec![End::Drop, End::Reject]);
                }
            }
        }
        let fate = self.settled(verdict, nat);
        let way = self.packet.way();
        let decided = self.subject.flow_at_end().nat();
        let nat_because = match (verdict, way, decided) {
            (Verdict::Reject | Verdict::Drop, ..) => "it does not get that far".to_owned(),
            (_, Way::In, _) if !matches!(fate.nat, Nat::Dnat { .. }) => {
                "the host takes it itself".to_owned()
            }
            (_, _, Some((_, because))) => because.to_owned(),
            _ => self
                .nat_because
                .take()
                .unwrap_or_else(|| "no rule translates it".to_owned()),
        };
        let doubts = self.doubts.iter();
        Outcome {
            fate,
            stop: self.stop(verdict),
            is_marked: self.subject.is_marked,
            doubts: doubts
                .filter_map(|doubt| doubt.told(verdict, self.is_stopped))
                .collect(),
            path: self.path.unwrap_or_default(),
            nat_because,
        }
    }

    /// The fate of a packet that comes through the rules so.
    fn settled(&self, verdict: Verdict, nat: Nat) -> Fate {
        let decided = self.subject.flow_at_end().nat();
        let nat = match (verdict, self.packet.way()) {
            _ if matches!(nat, Nat::Dnat { .. }) => nat,
            (Verdict::Accept, Way::Through | Way::Out) => decided.map_or(nat, |(nat, _)| nat),
            _ => Nat::None,
        };
        Fate { verdict, nat }
    }

    fn stop(&self, verdict: Verdict) -> Option<Stop> {
        let base = self.base.filter(|_| !verdict.passes())?;
        Some(Stop {
            base: base.name.clone(),
            by_policy: self.end.is_none(),
        })
    }

    fn verdict(&mut self) -> (Verdict, Nat) {
        let registry = self.registry;
        let family = self.packet.family();
        let mut nat = Nat::None;
        let mut doubtful: Option<DoubtfulStop<'a>> = None;
        for place in std::mem::take(&mut self.places) {
            // NAT asks about the first packet of each flow alone, and only until one translates.
            let mut is_settled = false;
            if place.layer == HookLayer::Ip {
                self.nat_because = None;
            }
            for (member, chains, base) in registry.numbered(self.member) {
                let entrance = place.entrance(base, family);
                let is_decided = || is_settled || self.subject.flow_at_end().nat().is_some();
                let is_asked = !base.is_nat || !is_decided() && !self.has_destination(&place);
                if entrance == Entrance::Closed || !is_asked {
                    continue;
                }
                self.subject.comes_to(place, base);
                self.in_member = member;
                let first = self.doubts.len();
                let end = self.base_chain(chains, base, entrance);
                if self.obstacles.is_some() {
                    let found = self.obstacle((member, base), &place, end, first);
                    self.obstacles.get_or_insert_default().extend(found);
                }
                if !matches!(end, End::Accept | End::Drop | End::Reject) {
                    self.translated_by = self.decided_by.and_then(|rule| self.deciding(rule, base));
                }
                if let Some(verdict) = stops(end) {
                    if self.obstacles.is_some() {
                        continue;
                    }
                    if !self.may_pass(first) {
                        self.is_stopped = true;
                        return (verdict, nat);
                    }
                    // Behind it may be one that is sure.
                    doubtful.get_or_insert(DoubtfulStop {
                        verdict,
                        base: self.base,
                        end: self.end,
                        met: self.path.as_ref().map_or(0, Vec::len),
                        doubts: self.doubts.len(),
                    });
                    continue;
                }
                match end {
                    End::Accept | End::Drop | End::Reject => {}
                    // The destination that the packet is known to get.
                    End::Dnat(to) if self.gets(to) => is_settled = true,
                    // Where it goes from here, the host's routes decide.
                    End::Dnat(to) => {
                        let passed = (Verdict::Accept, Nat::Dnat { to });
                        return doubtful.map_or(passed, |stop| self.back_at(&stop));
                    }
                    end @ (End::Translate(_) | End::Readdress) => {
                        if let (End::Translate(its), Hook::Postrouting) = (end, place.hook) {
                            nat = its;
                        }
                        is_settled = true;
                        self.subject.translate();
                    }
                }
            }
        }
        doubtful.map_or((Verdict::Accept, nat), |stop| self.back_at(&stop))
    }

    /// Whether a doubt since the first of these may lead past the end of its base chain. Without a path,
    /// nobody wants to know.
    fn may_pass(&self, first: usize) -> bool {
        let passes = |end: &End| stops(*end).is_none();
        let mut doubts = self.doubts[first..].iter();
        self.path.is_some() && doubts.any(|doubt| doubt.ends.iter().any(passes))
    }

    /// Forgets what was met behind a stop: nothing there is sure to stop the packet.
    fn back_at(&mut self, stop: &DoubtfulStop<'a>) -> (Verdict, Nat) {
        self.base = stop.base;
        self.end = stop.end;
        self.doubts.truncate(stop.doubts);
        if let Some(path) = &mut self.path {
            path.truncate(stop.met);
        }
        (stop.verdict, Nat::None)
    }

    /// A rule that decides something, if that is wanted.
    fn deciding(&self, rule: RuleOf<'a>, base: &Base) -> Option<DecidingRule> {
        self.obstacles.as_ref()?;
        let place = self.subject.place();
        Some(DecidingRule {
            member: self.in_member,
            base: base.name.clone(),
            at: (place.layer, place.hook),
            rule: rule.chains.words(rule.at).shown(),
        })
    }

    /// The base chain as an obstacle of the packet, which leaves it so, if it is one.
    fn obstacle(
        &self,
        (member, base): (usize, &'a Base),
        place: &Place<'_>,
        end: End,
        first: usize,
    ) -> Option<Obstacle> {
        let (verdict, may_differ): (Verdict, fn(Verdict) -> bool) = match end {
            End::Drop => (Verdict::Drop, Verdict::passes),
            End::Reject => (Verdict::Reject, Verdict::passes),
            _ => (Verdict::Accept, |other| !other.passes()),
        };
        let told = self.doubts[first..]
            .iter()
            .filter_map(|it| it.told(verdict, false));
        // What becomes of it behind a translation is another question.
        let told = told.filter(|it| it.kind != DoubtKind::Translation);
        let doubt = told
            .into_iter()
            .find(|it| it.may.iter().copied().any(may_differ));
        if verdict.passes() && doubt.is_none() {
            return None;
        }
        let policy = || RuleWords {
            table: base.table.clone(),
            chain: base.name.clone(),
            rule: String::new(),
        };
        let rule = match (&doubt, self.decided_by.filter(|_| !verdict.passes())) {
            (_, Some(rule)) => rule.chains.words(rule.at).shown(),
            (Some(doubt), None) if verdict.passes() => RuleWords {
                table: doubt.table.clone(),
                chain: doubt.chain.clone(),
                rule: doubt.rule.clone(),
            },
            _ => policy().shown(),
        };
        Some(Obstacle {
            member,
            base: base.name.clone(),
            at: (place.layer, place.hook),
            is_before_conntrack: self.subject.is_before_conntrack(),
            by_policy: !verdict.passes() && self.end.is_none(),
            rule,
            doubt,
        })
    }

    /// Whether the destination of the packet's flow was decided before, and not by rules that it meets at
    /// this place.
    fn has_destination(&self, place: &Place<'_>) -> bool {
        let is_before = self.packet.original.is_none();
        self.packet.redirected && is_before && place.hook.translates_destinations()
    }

    /// Whether this is the destination that NAT gives the packet.
    fn gets(&self, to: Destination) -> bool {
        let own = self.packet.destination_port;
        let is_translated = self.packet.redirected && self.packet.original.is_some();
        is_translated
            && to
                .address
                .is_none_or(|address| self.packet.destination() == address)
            && to.port.is_none_or(|port| own.is_none_or(|own| own == port))
    }

    fn base_chain(&mut self, chains: &'a dyn Chains, base: &'a Base, entrance: Entrance) -> End {
        self.base = Some(base);
        self.found = None;
        self.end = None;
        self.decided_by = None;
        let first = self.doubts.len();
        let who = match entrance {
            Entrance::Perhaps => Who::doubt(self.push(What::Entrance, base, Vec::new())),
            Entrance::Sure | Entrance::Closed => Who::packet(),
        };
        let is_in = who.packet;
        let level = Level {
            chains,
            base,
            depth: 0,
        };
        let left = self.chain(level, base.chain, who);
        let drops = self.registry.drops(base);
        let policy = if drops { End::Drop } else { End::Accept };
        if left.packet
            && let Some(path) = &mut self.path
        {
            path.extend(chains.policy(base, drops).map(shown));
        }
        for &doubt in &left.doubts {
            self.doubts[doubt].ends.push(policy);
        }
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
    fn chain(&mut self, level: Level<'a>, chain: usize, who: Who) -> Who {
        let mut here = who;
        let mut back = Who::default();
        let mut next = 0;
        while !here.is_nobody() {
            let mut at = At { chain, rule: next };
            if self.path.is_none() {
                at.rule = level.chains.next(at, &self.subject);
            }
            if at.rule >= level.chains.rules(chain) {
                break;
            }
            next = at.rule + 1;
            let this = RuleOf {
                chains: level.chains,
                at,
            };
            if self.left == 0 {
                self.endless(this, level);
                return here;
            }
            self.left -= 1;
            let step = level.chains.step(at, &self.subject);
            if here.packet {
                self.tell(this, level.base, &step);
            }
            self.change(this, level.base, &step, &here);
            let is_sure = step.applies == Answer::Yes && step.action != Action::Anything;
            if step.applies == Answer::No || step.action == Action::Continue {
                continue;
            }
            let those = if is_sure {
                let is_left_open = match step.action {
                    Action::End(End::Readdress) => true,
                    // What becomes of it behind that is another question.
                    Action::End(End::Dnat(to)) => self.packet.is_forwarded() && !self.gets(to),
                    _ => false,
                };
                if here.packet && is_left_open {
                    let mut ends = vec![End::Readdress];
                    if step.action != Action::End(End::Readdress) {
                        ends.extend([End::Drop, End::Reject]);
                    }
                    self.push(What::Readdress(this), level.base, ends);
                }
                std::mem::take(&mut here)
            } else {
                let mut doubts = here.doubts.clone();
                if here.packet {
                    doubts.push(self.doubt(this, level.base, &step));
                }
                Who {
                    packet: false,
                    doubts,
                }
            };
            let on = self.act(level, this, step.action, those, &mut back);
            here.join(on);
        }
        here.join(back);
        here
    }

    /// What a rule that applies does. Returns who goes on to the next rule.
    fn act(
        &mut self,
        level: Level<'a>,
        rule: RuleOf<'a>,
        action: Action,
        who: Who,
        back: &mut Who,
    ) -> Who {
        match action {
            Action::Continue => who,
            Action::Return => {
                back.join(who);
                Who::default()
            }
            Action::Jump(chain) => self.call(level, rule, chain, who),
            Action::Goto(chain) => {
                let returned = self.call(level, rule, chain, who);
                back.join(returned);
                Who::default()
            }
            Action::End(end) => {
                if who.packet {
                    self.decided_by = Some(rule);
                }
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

    fn call(&mut self, level: Level<'a>, rule: RuleOf<'a>, chain: usize, who: Who) -> Who {
        let depth = level.depth + 1;
        if depth > DEEPEST {
            self.endless(rule, level);
            return who;
        }
        self.chain(Level { depth, ..level }, chain, who)
    }

    /// What comes behind this rule is not known. The kernel takes no such rules, but texts may.
    fn endless(&mut self, rule: RuleOf<'a>, level: Level<'a>) {
        let is_endless = |doubt: &Doubtful<'_>| matches!(doubt.what, What::Endless(_));
        if !self.doubts.iter().any(is_endless) {
            let ends = vec![End::Accept, End::Drop, End::Reject];
            self.push(What::Endless(rule), level.base, ends);
        }
    }

    /// What a rule changes of the packet is so for all that comes then.
    fn change(&mut self, rule: RuleOf<'a>, base: &'a Base, step: &Step, here: &Who) {
        for (applies, effect) in &step.effects {
            let is_sure = here.packet && *applies == Answer::Yes;
            match effect {
                Effect::Untrack if !self.subject.can_be_untracked() => {}
                Effect::Untrack if is_sure => {
                    self.subject.tracking = Tracking::Off;
                    self.untracked_by = self.deciding(rule, base);
                }
                Effect::Mark => self.mark(Effect::Mark, rule),
                Effect::MarkConnection => self.mark(Effect::MarkConnection, rule),
                Effect::Untrack if self.subject.tracking == Tracking::On => {
                    self.subject.tracking = Tracking::Perhaps;
                    self.unsure.push((Effect::Untrack, rule));
                    self.push(What::Untracked(rule), base, Vec::new());
                }
                Effect::Untrack => {}
                Effect::Write {
                    header,
                    offset,
                    bytes,
                } => {
                    let unknown = vec![Byte::UNKNOWN; bytes.len()];
                    let written = if is_sure { bytes } else { &unknown };
                    self.subject.write(*header, *offset, written);
                    if bits::certain(written).is_none() {
                        self.unsure.push((effect.clone(), rule));
                    }
                    if effect.reaches(&self.subject.addresses()) {
                        self.push(What::Rewritten(rule), base, Vec::new());
                    }
                }
            }
        }
    }

    /// A rule gives the packet a mark, or its connection: which, and whether, is not known from then on.
    fn mark(&mut self, effect: Effect, rule: RuleOf<'a>) {
        match effect {
            Effect::Mark => self.subject.is_marked = true,
            _ => self.subject.connection = ConnectionMark::Perhaps,
        }
        self.unsure.push((effect, rule));
    }

    /// The rule that left open what this part of a rule reads.
    fn changed_by(&self, rule: RuleOf<'a>, part: Option<usize>) -> Option<RuleOf<'a>> {
        if self.unsure.is_empty() {
            return None;
        }
        let reads = rule.chains.unknown(rule.at, part).reads;
        reads.iter().find_map(|read| {
            let mut unsure = self.unsure.iter().rev();
            let changed = unsure.find(|(effect, _)| effect.reaches(read))?;
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

    fn doubt(&mut self, rule: RuleOf<'a>, base: &'a Base, step: &Step) -> usize {
        let doubt = self.push(What::Rule(rule, step.part), base, Vec::new());
        self.doubts[doubt].changed_by = self.changed_by(rule, step.part);
        doubt
    }

    fn push(&mut self, what: What<'a>, base: &'a Base, ends: Vec<End>) -> usize {
        self.doubts.push(Doubtful {
            what,
            base,
            changed_by: None,
            ends,
        });
        self.doubts.len() - 1
    }

    /// Notes a rule that the packet met, and what it means for NAT.
    fn tell(&mut self, rule: RuleOf<'a>, base: &Base, step: &Step) {
        let RuleOf { chains, at } = rule;
        let Some(path) = &mut self.path else {
            return;
        };
        let visit = shown(chains.visit(at, step, &self.subject, &mut self.found));
        let goes_on = matches!(
            step.action,
            Action::Continue | Action::Jump(_) | Action::Goto(_)
        );
        if base.is_nat && step.applies == Answer::Yes && !goes_on {
            self.nat_because = Some(chains.nat_because(at, &visit, &self.subject));
        }
        path.push(visit);
    }
}

/// The verdict of an end that lets no packet on.
fn stops(end: End) -> Option<Verdict> {
    match end {
        End::Drop => Some(Verdict::Drop),
        End::Reject => Some(Verdict::Reject),
        End::Accept | End::Translate(_) | End::Dnat(_) | End::Readdress => None,
    }
}

/// A visit that is safe to print: names and texts of other programs may hold anything.
fn shown(visit: Visit) -> Visit {
    Visit {
        table: visit.table.map(into_shown),
        chain: into_shown(visit.chain),
        rule: into_shown(visit.rule),
        why: into_shown(visit.why),
        ..visit
    }
}

impl Doubtful<'_> {
    /// The doubt in words, if it may change this verdict or the translation. A packet that is stopped
    /// whatever doubts come to cannot pass.
    fn told(&self, verdict: Verdict, is_stopped: bool) -> Option<Doubt> {
        let may_end = |wanted: Verdict| {
            self.ends.iter().any(|end| match end {
                End::Drop => wanted == Verdict::Drop,
                End::Reject => wanted == Verdict::Reject,
                End::Accept | End::Translate(_) | End::Dnat(_) | End::Readdress => {
                    wanted == Verdict::Accept
                }
            })
        };
        let may: Vec<Verdict> = Verdict::ALL
            .into_iter()
            .filter(|&other| other != verdict && may_end(other))
            .filter(|other| !(is_stopped && other.passes()))
            .collect();
        let translates = match self.what {
            What::Untracked(_) | What::Rewritten(_) => true,
            _ => self.base.is_nat && !self.ends.is_empty(),
        };
        let may_translate = translates && verdict == Verdict::Accept;
        if may.is_empty() && !may_translate {
            return None;
        }
        let (kind, why) = self.why();
        let (table, chain, rule) = match self.what {
            What::Rule(rule, _)
            | What::Readdress(rule)
            | What::Untracked(rule)
            | What::Rewritten(rule)
            | What::Endless(rule) => {
                let words = rule.chains.words(rule.at).shown();
                (words.table, words.chain, words.rule)
            }
            What::Entrance => {
                let devices = self.base.devices.join(", ");
                let all = format!("all rules of the chain, for packets of {devices}");
                (self.base.table.clone(), self.base.name.clone(), all)
            }
            What::Hook => {
                let all = "all rules of the chain".to_owned();
                (self.base.table.clone(), self.base.name.clone(), all)
            }
        };
        Some(Doubt {
            kind,
            base: self.base.name.clone(),
            table,
            chain,
            rule,
            why,
            may,
            may_translate,
        })
    }

    fn why(&self) -> (DoubtKind, String) {
        let (kind, why) = match self.what {
            What::Rule(rule, part) => {
                let unknown = rule.chains.unknown(rule.at, part);
                let why = match self.changed_by {
                    Some(other) => {
                        let other = other.chains.words(other.at).shown();
                        format!(
                            "{}, since rule `{}` of {} {} changes it",
                            unknown.why, other.rule, other.table, other.chain
                        )
                    }
                    None => unknown.why,
                };
                return (unknown.kind, why);
            }
            What::Readdress(rule) => {
                let unknown = rule.chains.unknown(rule.at, None);
                return (DoubtKind::Translation, unknown.why);
            }
            What::Untracked(_) => (
                DoubtKind::Untracked,
                "it may keep conntrack from the packet, and so from all translation",
            ),
            What::Rewritten(_) => (
                DoubtKind::AddressRewritten,
                "it writes an address of the packet without translation",
            ),
            What::Endless(_) => (
                DoubtKind::Endless,
                "it leads deeper or further than the kernel follows",
            ),
            What::Entrance => (
                DoubtKind::Device,
                "through which port of the bridge the packet goes is not known here",
            ),
            What::Hook => (
                DoubtKind::Hook,
                "where its chain sees packets is not known here",
            ),
        };
        (kind, why.to_owned())
    }
}
