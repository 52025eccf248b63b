//! Looking for packets that are treated otherwise than they should be.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use palisade_core::evaluate::{Conditions, Doubt, Fate, Packet, each_class};
use palisade_core::network::Network;

use super::judge::Judge;
use super::places::Place;
use super::words::{self, Told};
use super::{Consequence, Example};

/// How long it may take: whoever waits wants to know the differences, not all of their meaning.
const LONGEST: Duration = Duration::from_secs(2);
/// How many packets are looked for, to choose one that people understand.
const ENOUGH: usize = 500;

/// A search with an end.
pub(super) struct Search {
    until: Instant,
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

/// A packet that is treated otherwise.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) packet: Packet,
    pub(super) expected: Fate,
    pub(super) actual: Fate,
    /// Whether it shows only where the host drops what nobody accepts.
    pub(super) is_closed: bool,
}

impl Search {
    pub(super) fn begin() -> Self {
        Self {
            until: Instant::now() + LONGEST,
        }
    }

    /// The packets at a place that are treated otherwise; those that differences are about first.
    pub(super) fn differing(&mut self, place: &Place<'_>, named: &[&Network]) -> Found {
        let all = place.expected(|_| true);
        let (expected, actual) = (
            Judge::of(&all, place.family),
            Judge::of(&place.stands, place.family),
        );
        let (wanted, _) = all.conditions(place.family);
        let (there, is_all) = place.stands.conditions(place.family);
        let look = Look {
            expected,
            actual,
            has_unknown: !is_all,
        };
        if !named.is_empty() {
            let is_named = |network: &Network| named.iter().any(|n| n.name() == network.name());
            let (mut narrow, _) = place.expected(is_named).conditions(place.family);
            narrow.extend(there.clone().without(&wanted));
            let found = self.among(place, &look, &narrow);
            if !found.examples.is_empty() {
                return found;
            }
        }
        let mut wide = wanted;
        wide.extend(there);
        self.among(place, &look, &wide)
    }

    fn among(&self, place: &Place<'_>, look: &Look<'_>, conditions: &Conditions) -> Found {
        let mut found = Found::default();
        each_class(conditions, place.family, &mut |packet| {
            if Instant::now() > self.until {
                found.is_cut = true;
                return ControlFlow::Break(());
            }
            match look.case(packet) {
                Some(case) => found.examples.push(case),
                None if look.has_unknown && found.doubt.is_none() => {
                    let doubts = look.actual.doubts(packet);
                    found.doubt = doubts.into_iter().next().map(|d| (packet.clone(), d));
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
}

/// Two that judge packets.
struct Look<'a> {
    expected: Judge<'a>,
    actual: Judge<'a>,
    /// Whether rules ask for what classes of packets do not say.
    has_unknown: bool,
}

impl Look<'_> {
    fn case(&self, packet: &Packet) -> Option<Case> {
        let (expected, actual) = (self.expected.fates(packet), self.actual.fates(packet));
        let place = (0..2).find(|&place| expected[place] != actual[place])?;
        Some(Case {
            packet: packet.clone(),
            expected: expected[place],
            actual: actual[place],
            is_closed: place == 1,
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
