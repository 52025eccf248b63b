//! How long and how often a change is tried.

use std::time::Duration;

use jiff::Timestamp;

/// How long to try again while others change the ruleset.
pub(super) const TRY_FOR: Duration = Duration::from_secs(5);

/// A few milliseconds, different for each process: two that met once shall not meet again.
pub(super) fn pause(tries: u32) -> Duration {
    let noise = Timestamp::now().subsec_nanosecond().unsigned_abs() ^ std::process::id();
    Duration::from_micros(u64::from(noise % 1000 * tries.min(16)))
}
