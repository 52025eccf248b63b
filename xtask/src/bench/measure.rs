//! Runs in turn, and what their times say together.

use std::time::{Duration, Instant};

use super::contestant::{Contestant, Label};
use super::progress::Progress;

/// How much one cell of the table may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) time: Duration,
    /// So many rounds, whatever they cost.
    pub(super) least: usize,
    /// No more rounds, however cheap they are.
    pub(super) most: usize,
}

/// One contestant's times.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: Label,
    pub(super) times: Times,
}

/// The times of several runs, of which there is at least one.
#[derive(Debug)]
pub(super) struct Times {
    sorted: Vec<Duration>,
}

impl Times {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self { sorted: times }
    }

    pub(super) fn runs(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn least(&self) -> Duration {
        self.sorted.first().copied().unwrap_or_default()
    }

    pub(super) fn most(&self) -> Duration {
        self.sorted.last().copied().unwrap_or_default()
    }

    /// Of an even number, the mean of the two in the middle.
    pub(super) fn median(&self) -> Duration {
        let at = |index: usize| self.sorted.get(index).copied().unwrap_or_default();
        let runs = self.runs();
        (at(runs.saturating_sub(1) / 2) + at(runs / 2)) / 2
    }
}

/// Lets all run in turn until the budget is spent. A first round, which finds cold caches, does not
/// count.
pub(super) fn alternate(
    contestants: &mut [Box<dyn Contestant + '_>],
    budget: &Budget,
    progress: &Progress,
) -> Result<Vec<Row>, String> {
    let start = Instant::now();
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contestants.len()];
    for round in 0..=budget.most {
        let spent = start.elapsed();
        // A round that would end too late is not begun.
        let needed = spent / u32::try_from(round).unwrap_or(u32::MAX).max(1);
        if round > budget.least && spent + needed > budget.time {
            break;
        }
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let label = contestant.label();
            progress.tell(round, label);
            let took = contestant
                .run()
                .map_err(|reason| format!("{label}: {reason}"))?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    progress.end();
    let labels = contestants.iter().map(|contestant| contestant.label());
    let rows = labels.zip(times).map(|(label, times)| Row {
        label,
        times: Times::new(times),
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::contestant::What;
    use super::*;

    struct Scripted<'a> {
        what: What,
        /// In milliseconds, run by run.
        takes: std::slice::Iter<'a, u64>,
        log: &'a RefCell<Vec<What>>,
    }

    impl Contestant for Scripted<'_> {
        fn label(&self) -> Label {
            Label {
                layout: None,
                what: self.what,
            }
        }

        fn run(&mut self) -> Result<Duration, String> {
            self.log.borrow_mut().push(self.what);
            let took = self.takes.next().ok_or("one run too many")?;
            Ok(Duration::from_millis(*took))
        }
    }

    fn milliseconds(times: &[u64]) -> Times {
        Times::new(times.iter().copied().map(Duration::from_millis).collect())
    }

    #[test]
    fn in_turn_and_the_first_round_does_not_count() {
        let log = RefCell::new(Vec::new());
        let scripted = |what, takes: &'static [u64]| -> Box<dyn Contestant + '_> {
            Box::new(Scripted {
                what,
                takes: takes.iter(),
                log: &log,
            })
        };
        let mut contestants = [
            scripted(What::Library, &[900, 3, 1, 2]),
            scripted(What::Nft, &[900, 30, 10, 20]),
        ];
        let budget = Budget {
            time: Duration::ZERO,
            least: 3,
            most: 9,
        };
        let rows = alternate(&mut contestants, &budget, &Progress::silent()).unwrap();
        let in_turn = [What::Library, What::Nft].repeat(4);
        assert_eq!(*log.borrow(), in_turn);
        let medians: Vec<u128> = rows
            .iter()
            .map(|row| row.times.median().as_millis())
            .collect();
        assert_eq!(medians, [2, 20]);
        assert_eq!(rows[1].times.runs(), 3);
    }

    #[test]
    fn who_fails_is_named() {
        let log = RefCell::new(Vec::new());
        let mut contestants: [Box<dyn Contestant + '_>; 1] = [Box::new(Scripted {
            what: What::Nft,
            takes: [].iter(),
            log: &log,
        })];
        let budget = Budget {
            time: Duration::ZERO,
            least: 1,
            most: 1,
        };
        let failed = alternate(&mut contestants, &budget, &Progress::silent());
        assert_eq!(failed.unwrap_err(), "nft -f: one run too many");
    }

    #[test]
    fn medians_and_spread() {
        let odd = milliseconds(&[9, 1, 4]);
        assert_eq!(odd.median(), Duration::from_millis(4));
        assert_eq!(odd.least(), Duration::from_millis(1));
        assert_eq!(odd.most(), Duration::from_millis(9));
        let even = milliseconds(&[8, 1, 2, 4]);
        assert_eq!(even.median(), Duration::from_millis(3));
    }
}
