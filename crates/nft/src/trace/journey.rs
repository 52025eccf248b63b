//! From single events to the journeys of packets: pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::filter::{Bound, PREFIX};
use super::{Event, Met};
use crate::object::{Policy, Verdict};

/// A packet of which nothing was heard for so long is gone: something that nf_tables does not tell
/// of took it. The kernel works on one without pause, unless a program holds it.
const QUIET: Duration = Duration::from_millis(150);
/// What a bridge sent through comes to the host at once.
const AGAIN: Duration = Duration::from_millis(20);
/// How many packets may be on their way at a time: what is more is a leak.
const MOST: usize = 4096;

/// What one packet met, from its first table to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Where it began to be traced: it shows the packet as it came.
    pub begin: Event,
    /// What it met, without our own table.
    pub events: Vec<Event>,
    /// How it ended.
    pub end: End,
    /// Whether events were lost while it was on its way: there may have been more.
    pub has_gaps: bool,
}

/// How a packet's journey ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The host itself takes it. The event shows it as it came there.
    Arrived(Event),
    /// It left the host. The event shows it as it went, translated.
    Left(Event),
    /// The last event was its end: it was dropped, or refused.
    Dropped,
    /// Nothing more was heard of it: it was not routed, or something that nf_tables does not tell of
    /// took it.
    Unknown,
}

/// The packets that are on their way.
#[derive(Debug)]
pub(super) struct Journeys {
    /// Our own table.
    table: String,
    on_their_way: HashMap<u32, (Journey, Instant)>,
}

impl Journeys {
    pub(super) fn traced_by(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            on_their_way: HashMap::new(),
        }
    }

    /// Takes an event in; the journeys that end with it.
    pub(super) fn take(&mut self, event: Event, now: Instant) -> Vec<Journey> {
        let id = event.id;
        if event.table == self.table {
            return match Bound::of(&event) {
                // The kernel gives numbers again: whoever had it before is gone.
                Some(Bound::Begins) => self.begin(event, now),
                Some(Bound::Arrives) => self.end(id, End::Arrived(event)),
                Some(Bound::Leaves) => self.end(id, End::Left(event)),
                None => Vec::new(),
            };
        }
        // Others trace too, and see what we do; their packets are not ours.
        if event.table.starts_with(PREFIX) {
            return Vec::new();
        }
        let Some((journey, last)) = self.on_their_way.get_mut(&id) else {
            return Vec::new();
        };
        let is_end = is_end(&event);
        journey.events.push(event);
        *last = now;
        if is_end {
            self.end(id, End::Dropped)
        } else {
            Vec::new()
        }
    }

    fn begin(&mut self, event: Event, now: Instant) -> Vec<Journey> {
        if let Some(journey) = self.bridged(&event, now) {
            self.on_their_way.insert(event.id, (journey, now));
            return Vec::new();
        }
        let mut ended = self.end(event.id, End::Unknown);
        if self.on_their_way.len() >= MOST {
            ended.extend(self.quiet(now + QUIET));
        }
        let id = event.id;
        let journey = Journey {
            begin: event,
            events: Vec::new(),
            end: End::Unknown,
            has_gaps: false,
        };
        self.on_their_way.insert(id, (journey, now));
        ended
    }

    /// The journey of a packet that a bridge sent through and now the host does. Its number has
    /// changed meanwhile, for it has come in through another interface, and nothing else has.
    fn bridged(&mut self, event: &Event, now: Instant) -> Option<Journey> {
        let is_it = |(journey, last): &(Journey, Instant)| {
            let begin = &journey.begin;
            begin.headers.is_some()
                && begin.headers == event.headers
                && begin.in_interface == event.in_interface
                // It has not been routed yet.
                && journey.events.iter().all(|event| event.out_interface.is_none())
                && now.saturating_duration_since(*last) < AGAIN
        };
        let mut candidates = self.on_their_way.iter();
        let (&id, _) = candidates.find(|&(&id, of)| id != event.id && is_it(of))?;
        self.on_their_way.remove(&id).map(|(journey, _)| journey)
    }

    fn end(&mut self, id: u32, end: End) -> Vec<Journey> {
        let ended = self.on_their_way.remove(&id);
        let ended = ended.map(|(journey, _)| Journey { end, ..journey });
        ended.into_iter().collect()
    }

    /// Those of which nothing was heard for a while, in the order in which it grew quiet.
    pub(super) fn quiet(&mut self, now: Instant) -> Vec<Journey> {
        let is_quiet = |_: &u32, (_, last): &mut (Journey, Instant)| {
            now.saturating_duration_since(*last) >= QUIET
        };
        let mut quiet: Vec<_> = self
            .on_their_way
            .extract_if(is_quiet)
            .map(|(_, journey)| journey)
            .collect();
        quiet.sort_by_key(|(_, last)| *last);
        quiet.into_iter().map(|(journey, _)| journey).collect()
    }

    /// When the next one grows quiet, if one is on its way.
    pub(super) fn next_quiet(&self) -> Option<Instant> {
        let last = self.on_their_way.values().map(|(_, last)| *last).min();
        last.map(|last| last + QUIET)
    }

    /// Events were lost.
    pub(super) fn lose(&mut self) {
        for (journey, _) in self.on_their_way.values_mut() {
            journey.has_gaps = true;
        }
    }
}

fn is_end(event: &Event) -> bool {
    match event.met {
        Met::Policy(policy) => policy == Policy::DROP,
        _ => event.verdict == Some(Verdict::Drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Family;

    const OURS: &str = "palisade_trace_1";

    fn event(id: u32, (table, chain): (&str, &str), met: Met, verdict: Option<Verdict>) -> Event {
        Event {
            family: Family::Ip,
            table: table.to_owned(),
            chain: chain.to_owned(),
            id,
            met,
            verdict,
            headers: None,
            in_interface: None,
            out_interface: None,
            mark: None,
            flow: None,
            flow_status: None,
        }
    }

    fn begins(id: u32) -> Event {
        let place = (OURS, "from_outside");
        event(id, place, Met::Rule(7), Some(Verdict::Continue))
    }

    fn ends(id: u32, chain: &str) -> Event {
        event(id, (OURS, chain), Met::Policy(Policy::ACCEPT), None)
    }

    fn rule(id: u32, verdict: Verdict) -> Event {
        let place = ("palisade", "forward");
        event(id, place, Met::Rule(3), Some(verdict))
    }

    #[test]
    fn packets_that_mix_are_told_apart() {
        let (mut journeys, now) = (Journeys::traced_by(OURS), Instant::now());
        let told = [
            begins(1),
            begins(2),
            ends(1, "from_outside"),
            rule(2, Verdict::Accept),
            rule(1, Verdict::Accept),
            event(
                2,
                ("palisade_trace_9", "from_outside"),
                Met::Rule(1),
                Some(Verdict::Continue),
            ),
            rule(3, Verdict::Accept),
            rule(2, Verdict::Drop),
            ends(1, "to_outside"),
        ];
        let ended: Vec<Journey> = told
            .into_iter()
            .flat_map(|event| journeys.take(event, now))
            .collect();
        let [second, first] = &ended[..] else {
            panic!("{ended:#?}");
        };
        assert_eq!((second.begin.id, second.events.len()), (2, 2));
        assert_eq!(second.end, End::Dropped);
        assert_eq!((first.begin.id, first.events.len()), (1, 1));
        assert_eq!(first.end, End::Left(ends(1, "to_outside")));
        assert_eq!(journeys.next_quiet(), None);
    }

    /// With `br_netfilter` the kernel sends what comes to a bridge through prerouting for the bridge,
    /// and gives it another number when the host takes it up.
    #[test]
    fn a_bridged_packet_is_one() {
        let (mut journeys, now) = (Journeys::traced_by(OURS), Instant::now());
        let with_headers = |id, last| Event {
            headers: Some(super::super::Headers {
                network: vec![0x45, last],
                ..Default::default()
            }),
            in_interface: Some(3),
            ..begins(id)
        };
        let raw = event(1, ("raw", "PREROUTING"), Met::Policy(Policy::ACCEPT), None);
        journeys.take(with_headers(1, 1), now);
        journeys.take(raw, now);
        // Another one, and the first one again.
        assert!(journeys.take(with_headers(2, 2), now).is_empty());
        assert!(journeys.take(with_headers(3, 1), now).is_empty());
        let ended = journeys.take(ends(3, "to_outside"), now);
        assert!(matches!(&ended[..], [journey] if journey.events.len() == 1));
        // Later, an equal one is another packet.
        assert!(journeys.take(with_headers(4, 2), now + AGAIN).is_empty());
        assert_eq!(journeys.quiet(now + QUIET).len(), 1);
    }

    #[test]
    fn a_policy_that_drops_ends_it() {
        let (mut journeys, now) = (Journeys::traced_by(OURS), Instant::now());
        journeys.take(begins(1), now);
        let policy = |policy| event(1, ("filter", "FORWARD"), Met::Policy(policy), None);
        assert!(journeys.take(policy(Policy::ACCEPT), now).is_empty());
        let ended = journeys.take(policy(Policy::DROP), now);
        assert_eq!((ended[0].events.len(), &ended[0].end), (2, &End::Dropped));
    }

    #[test]
    fn one_that_grows_quiet_or_whose_number_is_given_again_is_told_as_far_as_known() {
        let (mut journeys, now) = (Journeys::traced_by(OURS), Instant::now());
        journeys.take(begins(1), now);
        journeys.take(begins(2), now);
        journeys.lose();
        let again = journeys.take(begins(1), now + QUIET / 2);
        assert!(matches!(&again[..], [journey] if journey.has_gaps && journey.end == End::Unknown));
        assert_eq!(journeys.next_quiet(), Some(now + QUIET));
        assert!(journeys.quiet(now + QUIET / 2).is_empty());
        let quiet = journeys.quiet(now + QUIET);
        assert!(matches!(&quiet[..], [journey] if journey.begin.id == 2));
        let quiet = journeys.quiet(now + 2 * QUIET);
        assert!(matches!(&quiet[..], [journey] if journey.begin.id == 1 && !journey.has_gaps));
    }
}
