//! Texts in other encodings than UTF-8.
//!
//! Everything behind this module works on UTF-8, and places in messages count its characters.

use std::borrow::Cow;

use super::read_fault::ReadFault;
use super::span::Span;
use super::spanned_fault::{AtSpan, SpannedFault};

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8 or a subset of it.
    Utf8,
    /// UTF-16, by its byte order mark.
    Utf16,
    /// ISO-8859-1, as an XML declaration states it.
    Latin1,
}

/// How far into a text an XML declaration is looked for.
const DECLARATION: usize = 256;

impl Encoding {
    /// The encoding of a text, and the text in UTF-8.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, Cow<'_, [u8]>), SpannedFault> {
        if let Some(units) = bytes.strip_prefix(&[0xFF, 0xFE]) {
            return Ok((Self::Utf16, utf16(units, u16::from_le_bytes)?));
        }
        if let Some(units) = bytes.strip_prefix(&[0xFE, 0xFF]) {
            return Ok((Self::Utf16, utf16(units, u16::from_be_bytes)?));
        }
        if declared(bytes).is_some_and(|name| Self::Latin1.has_name(name)) {
            // Each byte is the character of the same number.
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            return Ok((Self::Latin1, Cow::Owned(text.into_bytes())));
        }
        Ok((Self::Utf8, Cow::Borrowed(bytes)))
    }

    /// Whether an XML declaration may call the encoding so. Editors that save as UTF-16 often leave
    /// UTF-8 in the declaration; the byte order mark counts.
    pub(crate) fn has_name(self, name: &str) -> bool {
        let names: &[&str] = match self {
            Self::Utf8 => &["utf-8", "utf8", "us-ascii", "ascii"],
            Self::Utf16 => &["utf-16", "utf-16le", "utf-16be", "utf16", "utf-8", "utf8"],
            Self::Latin1 => &["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"],
        };
        names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }
}

fn utf16<'a>(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<Cow<'a, [u8]>, SpannedFault> {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    for decoded in char::decode_utf16(units.iter().map(|&pair| unit(pair))) {
        text.push(decoded.map_err(|_| broken())?);
    }
    if rest.is_empty() {
        Ok(Cow::Owned(text.into_bytes()))
    } else {
        Err(broken())
    }
}

fn broken() -> SpannedFault {
    ReadFault::Utf16.at(Span::new(0, 2))
}

/// The encoding that an XML declaration at the beginning states.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let head = &head[..head.iter().position(|&b| b == b'>')?];
    let head = std::str::from_utf8(head).ok()?.trim_start();
    let (_, value) = head.strip_prefix("<?xml")?.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = value[1..].split_once(quote)?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    }

    #[test]
    fn texts_come_out_as_they_went_in() {
        let text = "<?xml version='1.0' encoding='UTF-16'?><a>größe 𝄞</a>";
        for bytes in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
            let (encoding, decoded) = Encoding::decode(&bytes).unwrap();
            assert_eq!((encoding, &*decoded), (Encoding::Utf16, text.as_bytes()));
        }
        let latin1 = b"<?xml version=\"1.0\" encoding = 'iso-8859-1' ?><a>gr\xF6\xDFe</a>";
        let (encoding, decoded) = Encoding::decode(latin1).unwrap();
        assert_eq!(encoding, Encoding::Latin1);
        assert!(decoded.ends_with("<a>größe</a>".as_bytes()));
        let utf8 = "<?xml version='1.0' encoding='UTF-8'?><a>größe</a>";
        let (encoding, decoded) = Encoding::decode(utf8.as_bytes()).unwrap();
        assert_eq!((encoding, &*decoded), (Encoding::Utf8, utf8.as_bytes()));
    }

    #[test]
    fn half_characters_are_refused() {
        for bytes in [
            &b"\xFF\xFE<"[..],
            b"\xFF\xFE\x34\xD8",
            b"\xFE\xFF\xDD\x1E\0<",
        ] {
            assert!(Encoding::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
