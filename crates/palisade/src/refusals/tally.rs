//! Refused packets that are alike, counted.

use std::collections::BTreeMap;

use super::Refused;

/// Counts refused packets that are alike, between two moments.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many came since the last moment.
    counts: BTreeMap<Refused, u64>,
}

impl Tally {
    /// Counts a packet. Returns whether it is the first of its like for a while, so that it has not been
    /// reported.
    pub fn add(&mut self, refused: &Refused) -> bool {
        match self.counts.get_mut(refused) {
            Some(count) => {
                *count += 1;
                false
            }
            None => self.counts.insert(refused.clone(), 0).is_none(),
        }
    }

    /// What came since the last call, and how many of each beyond those that [`add`](Self::add) said to
    /// be first. What did not come again is forgotten.
    pub fn take(&mut self) -> Vec<(Refused, u64)> {
        self.counts.retain(|_, count| *count > 0);
        let counts = self.counts.iter_mut();
        counts
            .map(|(refused, count)| (refused.clone(), std::mem::take(count)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::rules::Traffic;

    use super::*;

    #[test]
    fn the_first_is_told_and_the_others_are_counted() {
        let refused = |name: &str| Refused::new(name.parse().unwrap(), Traffic::RefusedOut, None);
        let (one, other) = (refused("a"), refused("b"));
        let mut tally = Tally::default();
        assert!(tally.add(&one) && tally.add(&other));
        assert!(!tally.add(&one) && !tally.add(&one));
        assert_eq!(tally.take(), [(one.clone(), 2)]);
        // It is known still, the other is not.
        assert!(!tally.add(&one) && tally.add(&other));
        assert_eq!(tally.take(), [(one.clone(), 1)]);
        assert_eq!(tally.take(), []);
        assert!(tally.add(&one));
    }
}
