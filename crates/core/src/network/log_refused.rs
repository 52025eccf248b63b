//! Logging of packets that a network refuses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::words::shown;

/// How packets that a network refuses are logged. Without a group they go to the kernel's log,
/// with one to the NFLOG group, where a program such as ulogd reads them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct LogRefused {
    /// The text at the beginning of each line; without one, `palisade `. The kernel's lines name the bridge,
    /// so the network's name is not needed: networks that log alike share their rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<LogPrefix>,
    /// How many packets are logged at most.
    #[serde(default)]
    pub rate: LogRate,
    /// The NFLOG group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u16>,
}

/// The text at the beginning of a line in the log: 1 to [`MAX`](Self::MAX) printable characters of ASCII.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogPrefix {
    /// The characters, and zeros behind them.
    bytes: [u8; Self::MAX],
}

/// How many packets are logged at most: a number for each period, written `10/second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogRate {
    packets: u16,
    period: LogPeriod,
}

/// The period of a [`LogRate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogPeriod {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// A prefix or a rate that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A prefix without text.
    #[error("the prefix of log lines is empty")]
    EmptyPrefix,
    /// A prefix longer than [`LogPrefix::MAX`].
    #[error("the prefix of log lines has {len} bytes, more than {max}", len = .0.len(), max = LogPrefix::MAX)]
    LongPrefix(String),
    /// A prefix with a character that could break a line or a quoted string.
    #[error("the prefix `{}` holds something other than printable ASCII without quotes and `\\`", shown(.0))]
    PrefixCharacter(String),
    /// Not a number of packets for each period.
    #[error("`{}` is not a rate", shown(.0))]
    Rate(String),
}

impl Hint for LogError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Rate(_) => {
                "rates look like 10/second; the number is from 1 to 10000, periods are second, \
                 minute, hour and day"
            }
            Self::EmptyPrefix => "leave the prefix out, or write one such as \"lab: \"",
            Self::LongPrefix(_) | Self::PrefixCharacter(_) => {
                "write a short one in ASCII, such as \"lab: \""
            }
        }
        .into()
    }
}

impl LogPrefix {
    /// The longest prefix, in bytes: iptables takes 29, of which `refused_out: ` is 13.
    pub const MAX: usize = 16;

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|&byte| byte == 0);
        let text = self.bytes.get(..end.unwrap_or(Self::MAX));
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

impl LogRate {
    /// The largest number of packets for each period: what iptables' limit can count.
    pub const MAX: u16 = 10_000;

    /// A number of packets for each period.
    ///
    /// # Errors
    /// If the number is not from 1 to [`MAX`](Self::MAX).
    pub fn new(packets: u16, period: LogPeriod) -> Result<Self, LogError> {
        let rate = Self { packets, period };
        if (1..=Self::MAX).contains(&packets) {
            Ok(rate)
        } else {
            Err(LogError::Rate(rate.to_string()))
        }
    }

    /// The number of packets.
    #[must_use]
    pub fn packets(self) -> u16 {
        self.packets
    }

    /// The period.
    #[must_use]
    pub fn period(self) -> LogPeriod {
        self.period
    }

    /// How many packets are logged at once after a pause.
    #[must_use]
    pub fn burst(self) -> u16 {
        /// As in nft and iptables.
        const USUAL: u16 = 5;
        // A burst that takes more than a day to gather is beyond what iptables counts.
        match self.period {
            LogPeriod::Day => self.packets.min(USUAL),
            LogPeriod::Second | LogPeriod::Minute | LogPeriod::Hour => USUAL,
        }
    }
}

/// 10 packets in a second: enough to see what a guest tries, too few to fill a disk.
impl Default for LogRate {
    fn default() -> Self {
        Self {
            packets: 10,
            period: LogPeriod::Second,
        }
    }
}

impl LogPeriod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The name, which nft and iptables have too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

impl FromStr for LogPrefix {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let allowed = |c: char| (c == ' ' || c.is_ascii_graphic()) && !"\"'\\`$".contains(c);
        if text.trim().is_empty() {
            Err(LogError::EmptyPrefix)
        } else if text.len() > Self::MAX {
            Err(LogError::LongPrefix(text.to_owned()))
        } else if !text.chars().all(allowed) {
            Err(LogError::PrefixCharacter(text.to_owned()))
        } else {
            let mut bytes = [0; Self::MAX];
            for (to, byte) in bytes.iter_mut().zip(text.bytes()) {
                *to = byte;
            }
            Ok(Self { bytes })
        }
    }
}

impl FromStr for LogRate {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let wrong = || LogError::Rate(text.to_owned());
        let (packets, period) = text.split_once('/').ok_or_else(wrong)?;
        let (packets, period) = (packets.trim(), period.trim());
        if !packets.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let mut periods = LogPeriod::ALL.into_iter();
        let period = periods.find(|known| known.name() == period);
        let packets = packets.parse().map_err(|_| wrong())?;
        Self::new(packets, period.ok_or_else(wrong)?).map_err(|_| wrong())
    }
}

impl TryFrom<String> for LogPrefix {
    type Error = LogError;

    fn try_from(text: String) -> Result<Self, LogError> {
        text.parse()
    }
}

impl From<LogPrefix> for String {
    fn from(prefix: LogPrefix) -> Self {
        prefix.as_str().to_owned()
    }
}

impl TryFrom<String> for LogRate {
    type Error = LogError;

    fn try_from(text: String) -> Result<Self, LogError> {
        text.parse()
    }
}

impl From<LogRate> for String {
    fn from(rate: LogRate) -> Self {
        rate.to_string()
    }
}

impl fmt::Debug for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for LogRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.packets, self.period.name())
    }
}

impl fmt::Display for LogRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            Some(group) => write!(f, "to NFLOG group {group}")?,
            None => f.write_str("to the kernel's log")?,
        }
        write!(f, ", at most {}", self.rate)?;
        match &self.prefix {
            Some(prefix) => write!(f, ", prefix \"{prefix}\""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for text in ["1/second", "10/minute", "10000/day", "3/hour"] {
            assert_eq!(text.parse::<LogRate>().unwrap().to_string(), text);
        }
        assert_eq!(LogRate::default().to_string(), "10/second");
        let bad = [
            "",
            "10",
            "/second",
            "0/second",
            "10001/second",
            "+1/second",
            "1/week",
            "1/s",
        ];
        for text in bad {
            assert!(text.parse::<LogRate>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_burst_takes_longer_than_a_day() {
        let burst = |rate: &str| rate.parse::<LogRate>().unwrap().burst();
        let rates = ["10/second", "1/hour", "6/day", "1/day"];
        assert_eq!(rates.map(burst), [5, 5, 5, 1]);
    }

    #[test]
    fn prefixes_break_no_line_and_no_quotes() {
        assert_eq!("lab: ".parse::<LogPrefix>().unwrap().as_str(), "lab: ");
        let longest = "x".repeat(LogPrefix::MAX);
        assert_eq!(longest.parse::<LogPrefix>().unwrap().as_str(), longest);
        let long = "x".repeat(LogPrefix::MAX + 1);
        for text in ["", "  ", "a\"b", "a'b", "a\\", "a\nb", "größe", "$x", &long] {
            assert!(text.parse::<LogPrefix>().is_err(), "{text:?}");
        }
    }
}
