//! Values in bytes, and as nft writes them.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::object::DataType;

/// The name of an interface as the kernel compares it: 16 bytes, filled up with zeros.
#[must_use]
pub(crate) fn interface_name(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}

/// The first `prefix` bits of `len` bytes.
pub(super) fn mask(prefix: u8, len: u32) -> Vec<u8> {
    (0..len)
        .map(|byte| {
            let bits = u32::from(prefix).saturating_sub(byte * 8).min(8);
            // The shift keeps the upper `bits` bits of a byte.
            (0xff00_u32 >> bits) as u8
        })
        .collect()
}

/// How many bits a mask keeps, if it keeps them from the first on.
pub(super) fn prefix_of(bytes: &[u8]) -> Option<u8> {
    let len = u32::try_from(bytes.len()).ok()?;
    let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    let prefix = u8::try_from(ones).ok()?;
    (mask(prefix, len) == bytes).then_some(prefix)
}

/// A text in the quotes of nft. Names that our types let through hold nothing that ends them; in
/// what comes from the kernel, bytes that would are shown as `?`.
#[must_use]
pub(crate) fn quoted(text: &str) -> impl fmt::Display + '_ {
    Quoted(text)
}

struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for part in self.0.split_inclusive(|c: char| c == '"' || c.is_control()) {
            match part.char_indices().next_back() {
                Some((last, '"')) => write!(f, "{}?", &part[..last])?,
                Some((last, c)) if c.is_control() => write!(f, "{}?", &part[..last])?,
                _ => f.write_str(part)?,
            }
        }
        f.write_str("\"")
    }
}

/// A value of a type, as nft writes it.
pub(super) fn write_value(f: &mut fmt::Formatter<'_>, kind: DataType, bytes: &[u8]) -> fmt::Result {
    match kind {
        DataType::IFNAME => fmt::Display::fmt(&quoted(&zero_ended(bytes)), f),
        DataType::IPV4_ADDR => match <[u8; 4]>::try_from(bytes) {
            Ok(octets) => write!(f, "{}", Ipv4Addr::from(octets)),
            Err(_) => write_hex(f, bytes),
        },
        DataType::INET_SERVICE => match <[u8; 2]>::try_from(bytes) {
            Ok(port) => write!(f, "{}", u16::from_be_bytes(port)),
            Err(_) => write_hex(f, bytes),
        },
        DataType::INET_PROTO => match *bytes {
            [6] => f.write_str("tcp"),
            [17] => f.write_str("udp"),
            [132] => f.write_str("sctp"),
            [number] => write!(f, "{number}"),
            _ => write_hex(f, bytes),
        },
        DataType::IPV6_ADDR => match <[u8; 16]>::try_from(bytes) {
            Ok(octets) => write!(f, "{}", Ipv6Addr::from(octets)),
            Err(_) => write_hex(f, bytes),
        },
        _ => write_hex(f, bytes),
    }
}

pub(super) fn zero_ended(bytes: &[u8]) -> Cow<'_, str> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end])
}

pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// A key of a set as nft writes it: its parts with dots between them.
pub fn concatenation(kind: DataType, key: &[u8]) -> impl fmt::Display + '_ {
    Concatenation { kind, key }
}

struct Concatenation<'a> {
    kind: DataType,
    key: &'a [u8],
}

impl fmt::Display for Concatenation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.key;
        for (i, part) in self.kind.parts().enumerate() {
            if i > 0 {
                f.write_str(" . ")?;
            }
            let size = part.size().and_then(|size| usize::try_from(size).ok());
            let Some(value) = size.and_then(|size| rest.get(..size)) else {
                return write_hex(f, rest);
            };
            write_value(f, part, value)?;
            // The next part begins in a register of its own.
            rest = rest
                .get(value.len().next_multiple_of(4)..)
                .unwrap_or_default();
        }
        if rest.is_empty() {
            Ok(())
        } else {
            write_hex(f, rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_prefixes() {
        assert_eq!(mask(26, 4), [255, 255, 255, 192]);
        assert_eq!(mask(1, 4), [128, 0, 0, 0]);
        for prefix in 0..=128 {
            assert_eq!(prefix_of(&mask(prefix, 16)), Some(prefix));
        }
        assert_eq!(prefix_of(&[255, 0, 255, 0]), None);
    }

    #[test]
    fn keys() {
        let kind = DataType::concatenation(&[DataType::IFNAME, DataType::IPV4_ADDR]);
        let mut key = interface_name("virbr0");
        key.extend([10, 0, 0, 0]);
        assert_eq!(
            concatenation(kind, &key).to_string(),
            "\"virbr0\" . 10.0.0.0"
        );
        assert_eq!(
            concatenation(kind, &key[..18]).to_string(),
            "\"virbr0\" . 0x0a00"
        );
        assert_eq!(quoted("a\"b\nc").to_string(), "\"a?b?c\"");
    }
}
