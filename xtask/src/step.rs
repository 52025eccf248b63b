//! Steps of a run: each named as it starts, timed, and told at the end.

use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Passed,
    /// Something is wrong, or could not be looked at although it must.
    Failed(String),
    /// It cannot run here.
    Skipped(String),
}

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<(&'static str, Outcome, Duration)>);

impl Steps {
    /// Does a step. What goes wrong stops none of the later ones.
    pub(crate) fn step(&mut self, name: &'static str, run: impl FnOnce() -> Outcome) {
        println!("\n==== {name}");
        let start = Instant::now();
        let outcome = match run() {
            // Where everything must run, what cannot is a failure.
            Outcome::Skipped(reason) if std::env::var_os("CI").is_some() => {
                Outcome::Failed(format!("cannot run: {reason}"))
            }
            outcome => outcome,
        };
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(reason) => println!("FAILED: {reason}"),
            Outcome::Skipped(reason) => println!("SKIPPED: {reason}"),
        }
        self.0.push((name, outcome, start.elapsed()));
    }

    /// Whether a step of this name passed.
    pub(crate) fn passed(&self, name: &str) -> bool {
        let mut steps = self.0.iter();
        steps.any(|(step, outcome, _)| *step == name && *outcome == Outcome::Passed)
    }

    /// Whether any failed.
    pub(crate) fn failed(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_))) > 0
    }

    /// All of them in a table, and the counts.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::from("==== summary\n");
        for (name, outcome, time) in &self.0 {
            let (word, reason) = match outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(reason) => ("FAILED", reason.as_str()),
                Outcome::Skipped(reason) => ("SKIPPED", reason.as_str()),
            };
            let reason = reason.lines().next().unwrap_or_default();
            let line = format!("{word:<8}{:>7.1} s  {name}", time.as_secs_f64());
            text += &match reason {
                "" => format!("{line}\n"),
                reason => format!("{line}: {reason}\n"),
            };
        }
        let total: Duration = self.0.iter().map(|(_, _, time)| *time).sum();
        text += &format!("in {} s\n", total.as_secs());
        let passed = self.count(|outcome| *outcome == Outcome::Passed);
        let failed = self.count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let skipped = self.count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        text + &format!("{passed} passed, {failed} failed, {skipped} skipped\n")
    }

    fn count(&self, counts: impl Fn(&Outcome) -> bool) -> usize {
        self.0
            .iter()
            .filter(|(_, outcome, _)| counts(outcome))
            .count()
    }
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(reason) => Self::Failed(reason),
        }
    }
}
