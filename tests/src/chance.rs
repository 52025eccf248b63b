//! Random numbers that can be had again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Numbers from a seed: that of `PALISADE_TEST_SEED`, else another one each time. Whoever fails
/// tells it.
#[derive(Debug)]
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// From a seed of its own.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Self {
        let given = std::env::var("PALISADE_TEST_SEED").ok();
        let seed = match given.and_then(|text| text.parse().ok()) {
            Some(seed) => seed,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| u64::from(since.subsec_nanos()) + since.as_secs()),
        };
        Self::from(seed)
    }

    /// From this seed.
    #[must_use]
    pub fn from(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// What to set `PALISADE_TEST_SEED` to for the same numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// One of the numbers below this one.
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64: the state counts, the answer is the count well stirred.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// One of these, of which there is one at least.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        &all[usize::try_from(self.below(count)).unwrap_or(0)]
    }

    /// A time shorter than this one.
    pub fn shorter_than(&mut self, time: Duration) -> Duration {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(micros))
    }
}
