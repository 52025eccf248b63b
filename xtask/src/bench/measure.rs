//! Runs in turn, and what their times say together.

use std::time::{Duration, Instant};

use super::amount::Amount;
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

/// What one contestant took.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: Label,
    pub(super) amounts: Amounts,
}

/// What several runs took, of which there is at least one.
#[derive(Debug)]
pub(super) struct Amounts {
    sorted: Vec<Amount>,
}

impl Amounts {
    pub(super) fn new(mut amounts: Vec<Amount>) -> Self {
        amounts.sort_by(|Amount(a), Amount(b)| a.total_cmp(b));
        Self { sorted: amounts }
    }

    pub(super) fn runs(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn least(&self) -> Amount {
        self.sorted.first().copied().unwrap_or_default()
    }

    pub(super) fn most(&self) -> Amount {
        self.sorted.last().copied().unwrap_or_default()
    }

    /// Of an even number, the mean of the two in the middle.
    pub(super) fn median(&self) -> Amount {
        let at = |index: usize| self.sorted.get(index).copied().unwrap_or_default();
        let runs = self.runs();
        let (Amount(below), Amount(above)) = (at(runs.saturating_sub(1) / 2), at(runs / 2));
        Amount(f64::midpoint(below, above))
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
    let mut amounts: Vec<Vec<Amount>> = vec![Vec::new(); contestants.len()];
    for round in 0..=budget.most {
        let spent = start.elapsed();
        // A round that would end too late is not begun.
        let needed = spent / u32::try_from(round).unwrap_or(u32::MAX).max(1);
        if round > budget.least && spent + needed > budget.time {
            break;
        }
        for (contestant, amounts) in contestants.iter_mut().zip(&mut amounts) {
            let label = contestant.label();
            progress.tell(round, label);
            let took = contestant
                .run()
                .map_err(|reason| format!("{label}: {reason}"))?;
            if round > 0 {
                amounts.push(took);
            }
        }
    }
    progress.end();
    let labels = contestants.iter().map(|contestant| contestant.label());
    let rows = labels.zip(amounts).map(|(label, amounts)| Row {
        label,
        amounts: Amounts::new(amounts),
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
            Label::other(self.what, 1)
        }

        fn run(&mut self) -> Result<Amount, String> {
            self.log.borrow_mut().push(self.what);
            let took = self.takes.next().ok_or("one run too many")?;
            Ok(Duration::from_millis(*took).into())
        }
    }

    fn bytes(amounts: &[u32]) -> Amounts {
        let amounts = amounts.iter().map(|&amount| Amount(f64::from(amount)));
        Amounts::new(amounts.collect())
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
        let medians: Vec<Amount> = rows.iter().map(|row| row.amounts.median()).collect();
        assert_eq!(medians, [Amount(0.002), Amount(0.020)]);
        assert_eq!(rows[1].amounts.runs(), 3);
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
        assert_eq!(failed.unwrap_err(), "nft -f, 1 network: one run too many");
    }

    #[test]
    fn medians_and_spread() {
        let odd = bytes(&[9, 1, 4]);
        assert_eq!(odd.median(), Amount(4.0));
        assert_eq!(odd.least(), Amount(1.0));
        assert_eq!(odd.most(), Amount(9.0));
        let even = bytes(&[8, 1, 2, 4]);
        assert_eq!(even.median(), Amount(3.0));
    }
}
