//! How often to put back: at once, unless another program keeps taking away.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many repairs in so short a time are a fight with another program.
const MANY: usize = 10;
const SHORT: Duration = Duration::from_secs(10);

/// When something was put back, and when it may be again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    healed: VecDeque<Instant>,
    not_before: Option<Instant>,
    is_told: bool,
}

impl Pace {
    /// Whether something may be put back now.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        if self.not_before.is_some_and(|moment| now < moment) {
            return false;
        }
        while self
            .healed
            .front()
            .is_some_and(|&then| now.duration_since(then) >= SHORT)
        {
            self.healed.pop_front();
        }
        if self.healed.len() < MANY {
            self.not_before = None;
            self.is_told = false;
            return true;
        }
        self.not_before = self.healed.front().map(|&first| first + SHORT);
        false
    }

    /// How long nothing is put back, where that was not told yet.
    pub(super) fn rest(&mut self, now: Instant) -> Option<Duration> {
        let is_fight = self.healed.len() >= MANY;
        if self.is_told || !is_fight {
            return None;
        }
        self.is_told = true;
        Some(self.not_before?.duration_since(now))
    }

    /// When to try next, if it must wait.
    pub(super) fn next(&self) -> Option<Instant> {
        self.not_before
    }

    pub(super) fn healed(&mut self, now: Instant) {
        self.healed.push_back(now);
    }

    /// It could not be done now: not before this moment again.
    pub(super) fn wait_until(&mut self, not_before: Instant) {
        self.not_before = Some(not_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fight_makes_it_rest() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::default();
        for i in 0..10 {
            assert!(pace.allows(at(i * 100)), "heal {i}");
            pace.healed(at(i * 100));
        }
        assert!(!pace.allows(at(1000)));
        assert_eq!(pace.rest(at(1000)), Some(Duration::from_secs(9)));
        assert_eq!(pace.rest(at(1100)), None, "told once");
        assert!(!pace.allows(at(9_999)));
        assert!(pace.allows(at(10_000)), "the first is ten seconds ago");
        pace.healed(at(10_000));
        // The second is nine seconds and nine tenths ago.
        assert!(!pace.allows(at(10_050)));
        assert!(pace.allows(at(10_100)));
    }

    #[test]
    fn a_failure_waits_a_moment() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.wait_until(start + AFTER);
        assert!(!pace.allows(start));
        assert_eq!(pace.rest(start), None, "that is no fight");
        assert!(pace.allows(start + AFTER));
    }

    const AFTER: Duration = Duration::from_secs(1);
}
