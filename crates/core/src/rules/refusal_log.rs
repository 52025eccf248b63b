//! The rules that log packets before they are refused.

use std::fmt;

use super::kind::RuleKind;
use super::traffic::{Sum, Traffic};
use crate::network::LogRefused;

/// How packets are logged that the next rules refuse, and why they are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefusalLog {
    /// Where to, and how many.
    pub settings: LogRefused,
    /// The sum that the refused packets count for.
    pub purpose: Traffic,
}

impl RefusalLog {
    /// The text at the beginning of lines of networks that give none.
    const PREFIX: &str = "palisade ";
    /// The end of each prefix.
    const END: &str = ": ";

    /// How rules of a kind log; none if the kind logs nothing.
    #[must_use]
    pub fn of(kind: RuleKind, settings: LogRefused) -> Option<Self> {
        let purpose = match kind.logs()?.sum()? {
            Sum::Traffic(purpose) => purpose,
            Sum::NatConnections | Sum::ForwardConnections => return None,
        };
        Some(Self { settings, purpose })
    }

    /// The text before each packet: `palisade refused_out: `.
    #[must_use]
    pub fn prefix(&self) -> String {
        let given = self.settings.prefix.as_ref();
        let given = given.map_or(Self::PREFIX, |prefix| prefix.as_str());
        format!("{given}{}{}", self.purpose, Self::END)
    }

    /// Why a packet was refused that was logged with this text before it.
    #[must_use]
    pub fn purpose_in(prefix: &str) -> Option<Traffic> {
        let prefix = prefix.strip_suffix(Self::END)?;
        let logged = RuleKind::all().filter_map(|kind| Self::of(kind, LogRefused::default()));
        let mut purposes = logged.map(|log| log.purpose);
        purposes.find(|purpose| prefix.ends_with(<&str>::from(*purpose)))
    }

    /// Like [`settings`](Self::settings), with the prefix that [`prefix`](Self::prefix) made: its inverse.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Option<Self> {
        let given = prefix.strip_suffix(&format!("{}{}", self.purpose, Self::END))?;
        self.settings.prefix = match given {
            Self::PREFIX => None,
            given => Some(given.parse().ok()?),
        };
        (self.prefix() == prefix).then_some(self)
    }
}

impl fmt::Display for RefusalLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log {} {}", self.purpose, self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(prefix: Option<&str>) -> RefusalLog {
        let settings = LogRefused {
            prefix: prefix.map(|prefix| prefix.parse().unwrap()),
            ..LogRefused::default()
        };
        RefusalLog::of(RuleKind::LogOut, settings).unwrap()
    }

    #[test]
    fn prefixes_say_why() {
        assert_eq!(log(None).prefix(), "palisade refused_out: ");
        assert_eq!(log(Some("lab: ")).prefix(), "lab: refused_out: ");
        for kind in RuleKind::all().filter(|kind| kind.logs().is_some()) {
            for prefix in [None, Some("spoofed: "), Some("0123456789abcdef")] {
                let settings = log(prefix).settings;
                let log = RefusalLog::of(kind, settings).unwrap();
                let text = log.prefix();
                // What iptables takes.
                assert!(text.len() <= 29, "{text:?}");
                assert_eq!(RefusalLog::purpose_in(&text), Some(log.purpose));
                let blank = RefusalLog::of(kind, LogRefused::default()).unwrap();
                assert_eq!(blank.with_prefix(&text), Some(log));
            }
        }
        for other in ["", "in", "palisade: ", "refused_out:", "nothing: "] {
            assert_eq!(RefusalLog::purpose_in(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_logged_is_refused_at_the_same_place() {
        for kind in RuleKind::all() {
            if let Some(refusal) = kind.logs() {
                assert_eq!(kind.role(), refusal.role(), "{kind}");
                assert_eq!(kind.sum(), None, "{kind}: the refusal counts it");
            }
        }
    }
}
