//! What is measured: times and memory.

use std::time::Duration;

/// A time in seconds, or memory in bytes: the [`Unit`] beside it says which.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub(super) struct Amount(pub(super) f64);

impl Amount {
    /// A time, shared by so many.
    pub(super) fn each(time: Duration, count: usize) -> Self {
        Self(time.as_secs_f64() / count.max(1) as f64)
    }
}

impl From<Duration> for Amount {
    fn from(time: Duration) -> Self {
        Self(time.as_secs_f64())
    }
}

/// What the amounts of a bench are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }

    /// Three figures, with the prefix that suits them.
    pub(super) fn shown(self, Amount(amount): Amount) -> String {
        let (figure, unit) = match (self, amount) {
            (Self::Seconds, ..1e-6) => (amount * 1e9, "ns"),
            (Self::Seconds, ..1e-3) => (amount * 1e6, "us"),
            (Self::Seconds, ..1.0) => (amount * 1e3, "ms"),
            (Self::Seconds, _) => (amount, "s"),
            (Self::Bytes, ..1024.0) => (amount, "B"),
            (Self::Bytes, ..1_048_576.0) => (amount / 1024.0, "KiB"),
            (Self::Bytes, _) => (amount / 1_048_576.0, "MiB"),
        };
        match figure.abs() {
            ..10.0 => format!("{figure:.2} {unit}"),
            10.0..100.0 => format!("{figure:.1} {unit}"),
            _ => format!("{figure:.0} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures() {
        let time = |nanoseconds| Unit::Seconds.shown(Duration::from_nanos(nanoseconds).into());
        assert_eq!(time(42), "42.0 ns");
        assert_eq!(time(42_100), "42.1 us");
        assert_eq!(time(1_234_000), "1.23 ms");
        assert_eq!(time(244_000_000), "244 ms");
        assert_eq!(time(12_000_000_000), "12.0 s");
        assert_eq!(Unit::Bytes.shown(Amount(612.0)), "612 B");
        assert_eq!(Unit::Bytes.shown(Amount(4.3 * 1024.0)), "4.30 KiB");
        assert_eq!(Unit::Bytes.shown(Amount(50.0 * 1_048_576.0)), "50.0 MiB");
    }

    #[test]
    fn a_share_of_a_time() {
        assert_eq!(Amount::each(Duration::from_secs(3), 1_000), Amount(0.003));
    }
}
