//! The kernel's table of connections, as its files count them.

use std::fs;

pub(super) const COUNT: &str = "net/netfilter/nf_conntrack_count";
pub(super) const MAX: &str = "net/netfilter/nf_conntrack_max";
pub(super) const STATISTICS: &str = "/proc/net/stat/nf_conntrack";

/// The table of a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conntrack {
    /// How many connections there are.
    pub(super) count: u64,
    /// How many there can be; 0 without a limit.
    pub(super) max: u64,
    /// Connections that were not entered: the addresses and ports were taken.
    pub(super) insert_failed: u64,
    /// Packets that were dropped since the table was full.
    pub(super) dropped: u64,
    /// Whether the limit is that of another network namespace, and cannot be set here.
    pub(super) is_fixed: bool,
}

impl Conntrack {
    /// Reads that of the network namespace that the calling thread is in.
    pub(super) fn read() -> Self {
        let number = |path: &str| {
            let text = fs::read_to_string(format!("/proc/sys/{path}")).ok();
            text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        };
        let own = STATISTICS.replace("/proc/", "/proc/thread-self/");
        let statistics = fs::read_to_string(own).unwrap_or_default();
        let insert_failed = sum(&statistics, "insert_failed");
        let limit = fs::metadata(format!("/proc/sys/{MAX}"));
        Self {
            count: number(COUNT),
            max: number(MAX),
            insert_failed,
            // The kernel counts those that were not entered here too.
            dropped: sum(&statistics, "drop").saturating_sub(insert_failed),
            is_fixed: limit.is_ok_and(|limit| limit.permissions().readonly()),
        }
    }
}

/// The sum of a column, which has a line for each processor.
fn sum(statistics: &str, column: &str) -> u64 {
    let mut lines = statistics.lines();
    let heads = lines.next().unwrap_or_default();
    let Some(place) = heads.split_whitespace().position(|head| head == column) else {
        return 0;
    };
    let numbers = lines.filter_map(|line| line.split_whitespace().nth(place));
    numbers
        .filter_map(|number| u64::from_str_radix(number, 16).ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_summed_over_processors() {
        let text = "entries  clashres insert insert_failed drop\n\
                    00000001  00000000 00000000 00000002 00000000\n\
                    00000001  00000000 00000000 0000000a 00000001\n";
        assert_eq!(sum(text, "insert_failed"), 12);
        assert_eq!(sum(text, "drop"), 1);
        assert_eq!(sum(text, "early_drop"), 0);
        assert_eq!(sum("", "drop"), 0);
    }
}
