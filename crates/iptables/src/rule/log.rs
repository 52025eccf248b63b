//! Rates of what is logged, in the words of `iptables-save`.

use palisade_core::network::{LogPeriod, LogRate};

/// The units of a second that the kernel counts in: `XT_LIMIT_SCALE`.
const SCALE: u32 = 10_000;

/// How the programs print periods.
const PRINTED: [(LogPeriod, &str); 4] = [
    (LogPeriod::Day, "day"),
    (LogPeriod::Hour, "hour"),
    (LogPeriod::Minute, "min"),
    (LogPeriod::Second, "sec"),
];

/// What the programs print of a burst only if it is another.
pub(super) const USUAL_BURST: u16 = 5;

/// `10/sec`: the kernel keeps the time between two packets, from which the programs print a rate.
pub(super) fn rate(rate: LogRate) -> String {
    let between = SCALE * rate.period().seconds() / u32::from(rate.packets());
    let length = |(period, _): (LogPeriod, &str)| SCALE * period.seconds();
    let is_longer = |longer: (LogPeriod, &str)| {
        let length = length(longer);
        between > length || length / between < length % between
    };
    let mut shorter = PRINTED.into_iter().skip(1);
    let end = shorter.position(is_longer).unwrap_or(PRINTED.len() - 1);
    let printed = PRINTED.get(end).copied().unwrap_or(PRINTED[0]);
    format!("{}/{}", length(printed) / between, printed.1)
}

/// The inverse of [`rate`]: a rate that is printed so.
pub(super) fn read_rate(word: &str) -> Option<LogRate> {
    let (packets, period) = word.split_once('/')?;
    let mut printed = PRINTED.into_iter();
    let (period, _) = printed.find(|(_, name)| *name == period)?;
    LogRate::new(packets.parse().ok()?, period).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `iptables-save` 1.8.9 printed them.
    #[test]
    fn rates_as_the_programs_print_them() {
        for (given, printed) in [
            ("10/second", "10/sec"),
            ("3/second", "3/sec"),
            ("7000/second", "10000/sec"),
            ("7/minute", "7/min"),
            ("600/minute", "10/sec"),
            ("120/minute", "2/sec"),
            ("7/hour", "7/hour"),
            ("3/day", "3/day"),
            ("24/day", "1/hour"),
        ] {
            let rate: LogRate = given.parse().unwrap();
            assert_eq!(self::rate(rate), printed);
            let read = read_rate(printed).unwrap();
            assert_eq!(self::rate(read), printed);
            assert_eq!(read.burst(), rate.burst(), "{given}");
        }
        for none in ["", "10", "10/second", "0/sec", "x/day"] {
            assert_eq!(read_rate(none), None, "{none}");
        }
    }
}
