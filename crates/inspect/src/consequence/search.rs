//! Looking for packets that are treated otherwise than they should be.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use palisade_core::evaluate::{Conditions, Doubt, Fate, Ground, Nat, Packet, Verdict, each_class};
use palisade_core::network::Network;

use super::case::Case;
use super::meaning::{Consequence, Example};
use super::places::Place;
use super::words::{self, Told};

/// How long all places together may take: whoever waits wants to know the differences, not all of their
/// meaning.
const LONGEST: Duration = Duration::from_secs(2);
/// How many packets are looked for, to choose one that people understand.
const ENOUGH: usize = 500;

/// A search with an end. Each place has an equal share of the time that is left, so that one without
/// differences does not take that of the others.
pub(super) struct Search {
    until: Instant,
    places: u32,
}

/// What a search found at one place.
#[derive(Default)]
pub(super) struct Found {
    /// Packets that are treated otherwise.
    examples: Vec<Case>,
    /// A rule that may treat some so.
    doubt: Option<(Packet, Doubt)>,
    /// Whether there was no time for all.
    is_cut: bool,
}

impl Search {
    pub(super) fn begin(places: usize) -> Self {
        Self {
            until: Instant::now() + LONGEST,
            places: u32::try_from(places).unwrap_or(u32::MAX),
        }
    }

    /// When the search of the next place ends.
    fn share(&mut self) -> Instant {
        let now = Instant::now();
        let share = self.until.saturating_duration_since(now) / self.places.max(1);
        self.places = self.places.saturating_sub(1);
        now + share
    }

    /// The packets at a place that are treated otherwise; those that differences are about first.
    pub(super) fn differing(&mut self, place: &Place<'_>, named: &[&Network]) -> Found {
        let expected = place.expected(|_| true);
        let (wanted, _) = expected.conditions(place.family);
        let (mut there, unknown) = place.installed.own.conditions(place.family);
        let until = self.share();
        let mut has_unknown = !unknown.is_empty();
        if let Some(shared) = &place.installed.shared {
            let (theirs, unknown) = shared.conditions(place.family);
            there.extend(theirs);
            has_unknown |= !unknown.is_empty();
        }
        let look = Look {
            closed: [&expected, &place.installed.own].map(|ground| ground.clone().closed()),
            expected,
            actual: &place.installed.own,
            shared: place.installed.shared.as_ref(),
            has_unknown,
        };
        if !named.is_empty() {
            let is_named = |network: &Network| named.iter().any(|n| n.name() == network.name());
            let (mut narrow, _) = place.expected(is_named).conditions(place.family);
            narrow.extend(there.clone().without(&wanted));
            let found = among(until, place, &look, &narrow);
            if !found.examples.is_empty() {
                return found;
            }
        }
        let mut wide = wanted;
        wide.extend(there);
        among(until, place, &look, &wide)
    }
}

/// The packets of these classes that are treated otherwise, as far as is seen until then.
fn among(until: Instant, place: &Place<'_>, look: &Look<'_>, conditions: &Conditions) -> Found {
    let mut found = Found::default();
    each_class(conditions, place.family, &mut |packet| {
        if Instant::now() > until {
            found.is_cut = true;
            return ControlFlow::Break(());
        }
        match look.case(packet) {
            Some(case) => found.examples.push(case),
            None if look.has_unknown && found.doubt.is_none() => {
                found.doubt = look.doubt(packet).map(|doubt| (packet.clone(), doubt));
            }
            None => {}
        }
        if found.examples.len() < ENOUGH {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    // One that people understand, first of all.
    let networks: Vec<&Network> = place.networks().collect();
    found
        .examples
        .sort_by_key(|case| words::oddness(case, &networks));
    found.examples.truncate(1);
    for case in &mut found.examples {
        look.make_plain(case, &networks);
    }
    found
}

/// What packets should go through, and what they do go through.
struct Look<'a> {
    expected: Ground<'a>,
    actual: &'a Ground<'a>,
    /// Both on a host that drops what no rule accepts: there it shows which of its services rules open.
    closed: [Ground<'a>; 2],
    /// The rules of networks with those of others that decide before them.
    shared: Option<&'a Ground<'a>>,
    /// Whether rules match what classes of packets do not say.
    has_unknown: bool,
}

impl Look<'_> {
    fn case(&self, packet: &Packet) -> Option<Case> {
        let case = |expected, actual, is_closed| Case {
            packet: packet.clone(),
            expected,
            actual,
            is_closed,
        };
        let (expected, actual) = (self.expected.fate(packet), self.actual.fate(packet));
        if expected != actual {
            return Some(case(expected, actual, false));
        }
        if let Some(passed) = self.passed_by(packet, expected) {
            return Some(case(expected, passed, false));
        }
        if packet.is_forwarded() {
            return None;
        }
        let [expected, actual] = self.closed.each_ref().map(|ground| ground.fate(packet));
        (expected != actual).then(|| case(expected, actual, true))
    }

    /// What becomes of a packet that rules of others let pass before those of networks refuse it, or
    /// translate it. What they refuse or translate themselves is their own affair.
    fn passed_by(&self, packet: &Packet, expected: Fate) -> Option<Fate> {
        let shared = self.shared?;
        if expected.verdict.passes() && !expected.nat.translates() {
            return None;
        }
        let fate = shared.fate(packet);
        let is_passed_by = !expected.verdict.passes() || fate.nat == Nat::None;
        (fate.verdict.passes() && is_passed_by).then_some(fate)
    }

    /// A rule that may treat the packet otherwise.
    fn doubt(&self, packet: &Packet) -> Option<Doubt> {
        let expected = self.expected.evaluate(packet).doubts;
        // A rule that should be there makes no difference, whatever is not known of it.
        let is_new = |doubt: &Doubt| {
            let mut expected = expected.iter();
            !expected.any(|it| (&it.chain, &it.rule) == (&doubt.chain, &doubt.rule))
        };
        let mut doubts = self.actual.evaluate(packet).doubts.into_iter();
        doubts.find(is_new).or_else(|| {
            let shared = self.shared?;
            let is_refused = !self.expected.fate(packet).verdict.passes();
            let lets_pass = |doubt: &Doubt| doubt.may.contains(&Verdict::Accept);
            let mut doubts = shared.evaluate(packet).doubts.into_iter();
            doubts.find(|doubt| is_refused && lets_pass(doubt) && is_new(doubt))
        })
    }

    /// The addresses that classes begin and end with are odd; others of the same class do as well.
    fn make_plain(&self, case: &mut Case, networks: &[&Network]) {
        for packet in words::plainer(&case.packet, networks) {
            let plain = self
                .case(&packet)
                .filter(|plain| (plain.expected, plain.actual) == (case.expected, case.actual));
            if let Some(plain) = plain {
                *case = plain;
                return;
            }
        }
    }
}

impl Found {
    /// What was found at all places, as one.
    pub(super) fn together(all: &[Self], networks: &[&Network]) -> Consequence {
        let cases = all.iter().flat_map(|found| &found.examples);
        if let Some(case) = cases.min_by_key(|case| words::oddness(case, networks)) {
            return Consequence::Packet(Box::new(Example {
                detail: Told { case, networks }.to_string(),
                packet: case.packet.clone(),
                expected: case.expected,
                actual: case.actual,
            }));
        }
        if let Some((packet, doubt)) = all.iter().find_map(|found| found.doubt.as_ref()) {
            return Consequence::Open {
                detail: format!(
                    "rule `{}` of chain `{}` may treat packets otherwise, such as {packet}: {}",
                    doubt.rule, doubt.chain, doubt.why
                ),
            };
        }
        if all.iter().any(|found| found.is_cut) {
            return Consequence::Open {
                detail: format!(
                    "no such packet was found within {} seconds, which is not enough for all",
                    LONGEST.as_secs()
                ),
            };
        }
        Consequence::None
    }
}
