//! How packets are logged before they are refused, as nf_tables' statements.

use palisade_core::network::{LogPeriod, LogRate, LogRefused};
use palisade_core::rules::{RefusalLog, RuleKind};

use crate::object::{Limit, Log};

/// The limit of what is logged.
pub(super) fn limit(settings: LogRefused) -> Limit {
    let rate = settings.rate;
    Limit {
        rate: rate.packets().into(),
        seconds: rate.period().seconds().into(),
        burst: rate.burst().into(),
    }
}

/// Where packets are logged, and the text before them.
pub(super) fn log(log: &RefusalLog) -> Log {
    Log {
        prefix: log.prefix(),
        group: log.settings.group,
    }
}

/// How a rule of a kind logs that has both: the inverse of [`limit`] and [`log`].
pub(super) fn read(kind: RuleKind, limit: &Limit, log: &Log) -> Option<RefusalLog> {
    let mut periods = LogPeriod::ALL.into_iter();
    let period = periods.find(|period| u64::from(period.seconds()) == limit.seconds)?;
    let settings = LogRefused {
        prefix: None,
        rate: LogRate::new(limit.rate.try_into().ok()?, period).ok()?,
        group: log.group,
    };
    RefusalLog::of(kind, settings)?.with_prefix(&log.prefix)
}
