//! The size of packets: a network's MTU, and the segment size that tcp connections agree on.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest packet of a network, in bytes, as its definition states it. The bridge has it, not
/// the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Mtu(u16);

/// How the segment size is lowered that tcp connections into and out of the network announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "ClampWords", into = "ClampWords")]
pub enum MssClamp {
    /// To the MTU of the packet's route, in both directions.
    RouteMtu,
    /// To a fixed size.
    Size(SegmentSize),
}

/// A maximum segment size of tcp, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentSize(u16);

/// A number of bytes that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} of {bytes} bytes is not from {} to {}", .bounds.0, .bounds.1)]
pub struct SizeError {
    /// The size: an MTU or a segment size.
    pub what: &'static str,
    /// The number of bytes.
    pub bytes: u16,
    /// The smallest and the largest allowed number.
    pub bounds: (u16, u16),
}

/// `true` for the route's MTU, a number for a fixed size.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ClampWords {
    Clamped(bool),
    Size(u16),
}

/// Why the words of a record are not a clamp.
#[derive(Debug, Error)]
enum ClampError {
    #[error("`false` is not a clamp")]
    False,
    #[error(transparent)]
    Size(#[from] SizeError),
}

impl Mtu {
    /// The smallest and the largest MTU: what every IPv4 host must take (RFC 791), and the largest
    /// that Linux allows for a bridge.
    const BOUNDS: (u16, u16) = (68, 65_535);

    /// The MTU of this number of bytes.
    ///
    /// # Errors
    /// If it is not from 68 to 65535.
    pub fn new(bytes: u16) -> Result<Self, SizeError> {
        within("an MTU", bytes, Self::BOUNDS).map(Self)
    }

    /// The number of bytes.
    #[must_use]
    pub fn bytes(self) -> u16 {
        self.0
    }
}

impl SegmentSize {
    /// The smallest and the largest size: the least that Linux sends (`TCP_MIN_MSS`), and what fits
    /// the largest packet behind the headers of IPv4 and tcp.
    const BOUNDS: (u16, u16) = (88, 65_495);

    /// The segment size of this number of bytes.
    ///
    /// # Errors
    /// If it is not from 88 to 65495.
    pub fn new(bytes: u16) -> Result<Self, SizeError> {
        within("a segment size", bytes, Self::BOUNDS).map(Self)
    }

    /// The number of bytes.
    #[must_use]
    pub fn bytes(self) -> u16 {
        self.0
    }
}

fn within(what: &'static str, bytes: u16, bounds: (u16, u16)) -> Result<u16, SizeError> {
    if (bounds.0..=bounds.1).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(SizeError {
            what,
            bytes,
            bounds,
        })
    }
}

impl TryFrom<u16> for Mtu {
    type Error = SizeError;

    fn try_from(bytes: u16) -> Result<Self, SizeError> {
        Self::new(bytes)
    }
}

impl From<Mtu> for u16 {
    fn from(mtu: Mtu) -> Self {
        mtu.0
    }
}

impl TryFrom<ClampWords> for MssClamp {
    type Error = ClampError;

    fn try_from(words: ClampWords) -> Result<Self, ClampError> {
        match words {
            ClampWords::Clamped(true) => Ok(Self::RouteMtu),
            ClampWords::Clamped(false) => Err(ClampError::False),
            ClampWords::Size(bytes) => Ok(Self::Size(SegmentSize::new(bytes)?)),
        }
    }
}

impl From<MssClamp> for ClampWords {
    fn from(clamp: MssClamp) -> Self {
        match clamp {
            MssClamp::RouteMtu => Self::Clamped(true),
            MssClamp::Size(size) => Self::Size(size.0),
        }
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MssClamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RouteMtu => f.pad("to the route's MTU"),
            Self::Size(size) => write!(f, "to {} bytes", size.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamps_are_written_as_true_or_a_number() {
        let clamps = [
            (MssClamp::RouteMtu, "true"),
            (MssClamp::Size(SegmentSize::new(1360).unwrap()), "1360"),
        ];
        for (clamp, words) in clamps {
            assert_eq!(serde_json::to_string(&clamp).unwrap(), words);
            assert_eq!(serde_json::from_str::<MssClamp>(words).unwrap(), clamp);
        }
        for words in ["false", "87", "65496", "70000", "\"1360\""] {
            assert!(serde_json::from_str::<MssClamp>(words).is_err(), "{words}");
        }
    }

    #[test]
    fn sizes_have_bounds() {
        assert!(Mtu::new(67).is_err());
        assert_eq!(Mtu::new(68).unwrap().bytes(), 68);
        assert_eq!(
            SegmentSize::new(87).unwrap_err().to_string(),
            "a segment size of 87 bytes is not from 88 to 65495"
        );
    }
}
