//! What identifies a rule or an element that a backend installed: values, never printed text.

use std::fmt;
use std::hash::Hasher;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip128::{Hasher128, SipHasher13};

/// What identifies something within its chain or set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// A rule of a chain.
    Rule(RuleIdentity),
    /// An element of a set, by the bytes of its key.
    Element(Key),
}

impl Identity {
    /// The key, if it is an element.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        match self {
            Self::Element(key) => Some(&key.0),
            Self::Rule(_) => None,
        }
    }

    /// What identifies the rule, if it is one.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleIdentity> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Element(_) => None,
        }
    }
}

/// What identifies a rule within its chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleIdentity {
    /// Its comment.
    pub comment: String,
    /// What it does.
    pub digest: Digest,
}

/// The bytes of an element's key. In JSON they are hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Vec<u8>);

/// 128 bits that stand for what a rule does, its counters left out. They are the same in every process
/// and build, so that a record recognises a rule in the kernel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

/// Makes a [`Digest`] of parts.
#[derive(Debug, Default)]
pub struct Digester(SipHasher13);

impl Digester {
    /// Adds bytes. Where one part ends and the next begins counts.
    pub fn add(&mut self, part: &[u8]) {
        self.0.write(&(part.len() as u64).to_le_bytes());
        self.0.write(part);
    }

    /// The digest of all parts so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.0.finish128().as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = read_hex(&text).ok_or_else(|| D::Error::custom("no hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Key(bytes) = Key::deserialize(deserializer)?;
        let bytes = bytes.try_into();
        Ok(Self(bytes.map_err(|_| D::Error::custom("no digest"))?))
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// None unless all of it are pairs of hexadecimal digits.
fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?;
    rest.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_digests_are_read_as_they_are_written() {
        let key = Key(vec![0, 9, 0xab, 0xff]);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(json, "\"0009abff\"");
        assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
        let digest = Digester::default().digest();
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for broken in ["\"0\"", "\"0x\"", "\"+1\"", "\"é0\"", "1"] {
            assert!(serde_json::from_str::<Key>(broken).is_err(), "{broken}");
        }
        assert!(serde_json::from_str::<Digest>("\"0009\"").is_err());
    }

    /// Records of one build are read by the next: the digest of the same parts may not change.
    #[test]
    fn digests_are_stable_and_tell_parts_apart() {
        let digest = |parts: &[&str]| {
            let mut digester = Digester::default();
            parts.iter().for_each(|part| digester.add(part.as_bytes()));
            digester.digest()
        };
        assert_eq!(
            digest(&["a", "b"]).to_string(),
            "e3bd9855f9eafe6d40f6ad30421baca8"
        );
        assert_ne!(digest(&["a", "b"]), digest(&["ab"]));
        assert_ne!(digest(&["a", "b"]), digest(&["b", "a"]));
    }
}
