//! Attributes of netlink: a header with length and type, the bytes, and zeros up to the next four.
//!
//! A length has 16 bits. An attribute that is longer is written with the length 0, which no
//! attribute has; the nests around it, being longer still, come out so too, up to the message,
//! which [`whole`] then tells from a sound one. So it can be seen at the end, and never passes for
//! something shorter.

use super::Malformed;
use crate::object::{Attribute, Register, Userdata};

/// The bytes of a header.
const HEADER: usize = 4;
/// The bits of a type that are not flags (`NLA_TYPE_MASK`).
pub(super) const NUMBER: u16 = 0x3fff;
/// `NLA_F_NESTED`. The kernel of nf_tables neither asks for it nor says it.
const NESTED: u16 = 0x8000;
/// `NFTA_LIST_ELEM`, the only attribute of a list.
const LIST_ITEM: u16 = 1;

/// The longest content of an attribute that holds others, in bytes.
pub(super) const MAX_CONTENT: usize = u16::MAX as usize - HEADER;

/// The length with the zeros behind it.
pub(super) fn aligned(len: usize) -> usize {
    len.next_multiple_of(4)
}

pub(super) fn bytes(buffer: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let start = open(buffer, kind);
    buffer.extend_from_slice(value);
    close(buffer, start);
}

pub(super) fn nest(buffer: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    let start = open(buffer, kind | NESTED);
    content(buffer);
    close(buffer, start);
}

fn open(buffer: &mut Vec<u8>, kind: u16) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0, 0]);
    buffer.extend_from_slice(&kind.to_ne_bytes());
    start
}

fn close(buffer: &mut Vec<u8>, start: usize) {
    let len = buffer.len() - start;
    let told = u16::try_from(len).unwrap_or(0);
    buffer[start..start + 2].copy_from_slice(&told.to_ne_bytes());
    buffer.resize(start + aligned(len), 0);
}

/// An item of a list.
pub(super) fn item(buffer: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    nest(buffer, LIST_ITEM, content);
}

/// A text with a zero behind it.
pub(super) fn text(buffer: &mut Vec<u8>, kind: u16, value: &str) {
    let start = open(buffer, kind);
    buffer.extend_from_slice(value.as_bytes());
    buffer.push(0);
    close(buffer, start);
}

pub(super) fn u8(buffer: &mut Vec<u8>, kind: u16, value: u8) {
    bytes(buffer, kind, &[value]);
}

pub(super) fn u16(buffer: &mut Vec<u8>, kind: u16, value: u16) {
    bytes(buffer, kind, &value.to_be_bytes());
}

/// A number, as nf_tables has it.
pub fn u32(buffer: &mut Vec<u8>, kind: u16, value: u32) {
    bytes(buffer, kind, &value.to_be_bytes());
}

pub(super) fn u64(buffer: &mut Vec<u8>, kind: u16, value: u64) {
    bytes(buffer, kind, &value.to_be_bytes());
}

pub(super) fn register(buffer: &mut Vec<u8>, kind: u16, value: Register) {
    u32(buffer, kind, value.number());
}

pub(super) fn userdata(buffer: &mut Vec<u8>, kind: u16, userdata: &Userdata) {
    if !userdata.is_empty() {
        bytes(buffer, kind, &userdata.0);
    }
}

/// Unknown attributes, as they came.
pub(super) fn extra(buffer: &mut Vec<u8>, attributes: &[Attribute]) {
    for attribute in attributes {
        bytes(buffer, attribute.kind, &attribute.bytes);
    }
}

/// Whether one of these unknown attributes has this number.
pub(super) fn holds(attributes: &[Attribute], number: u16) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.kind & NUMBER == number)
}

/// Whether none of these attributes is longer than its header can say.
pub(super) fn whole(attributes: &[u8]) -> bool {
    Attributes::of("message", attributes).all(|attribute| attribute.is_ok())
}

/// An attribute of an object, where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    object: &'static str,
    kind: u16,
    pub(super) bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    /// One that was kept of an object.
    pub(super) fn of(object: &'static str, kept: &'a Attribute) -> Self {
        Self {
            object,
            kind: kept.kind,
            bytes: &kept.bytes,
        }
    }

    /// Its type without the flags.
    pub(super) fn number(self) -> u16 {
        self.kind & NUMBER
    }

    pub(super) fn u8(self) -> Result<u8, Malformed> {
        self.sized().map(u8::from_be_bytes)
    }

    pub(super) fn u16(self) -> Result<u16, Malformed> {
        self.sized().map(u16::from_be_bytes)
    }

    pub(super) fn u32(self) -> Result<u32, Malformed> {
        self.sized().map(u32::from_be_bytes)
    }

    pub(super) fn u64(self) -> Result<u64, Malformed> {
        self.sized().map(u64::from_be_bytes)
    }

    /// The text up to its first zero. The kernel takes any bytes for a name; those that are no
    /// UTF-8 are replaced, so that a stranger's odd name hides nothing else, and equals no name
    /// of ours.
    pub(super) fn text(self) -> String {
        let text = self.bytes.split(|&byte| byte == 0).next();
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    }

    pub(super) fn nested(self, object: &'static str) -> Attributes<'a> {
        Attributes::of(object, self.bytes)
    }

    /// Itself, if it is an item of a list.
    pub(super) fn item(self) -> Result<Self, Malformed> {
        if self.number() == LIST_ITEM {
            Ok(self)
        } else {
            Err(Malformed::Kind {
                object: self.object,
                attribute: self.number(),
            })
        }
    }

    /// What is to be kept of one that this build does not know.
    pub(super) fn kept(self) -> Attribute {
        Attribute {
            kind: self.kind,
            bytes: self.bytes.to_vec(),
        }
    }

    pub(super) fn sized<const N: usize>(self) -> Result<[u8; N], Malformed> {
        self.bytes.try_into().map_err(|_| Malformed::Size {
            object: self.object,
            attribute: self.number(),
            found: self.bytes.len(),
            expected: N,
        })
    }
}

/// The attributes of an object, one after another; an error ends them.
#[derive(Debug, Clone)]
pub(super) struct Attributes<'a> {
    object: &'static str,
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(super) fn of(object: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            object,
            rest: bytes,
        }
    }

    fn take(&mut self) -> Result<Raw<'a>, Malformed> {
        let rest = std::mem::take(&mut self.rest);
        let broken = |told| Malformed::Attribute {
            object: self.object,
            told,
            there: rest.len(),
        };
        let [low, high, kind_low, kind_high, ..] = *rest else {
            return Err(broken(0));
        };
        let told = u16::from_ne_bytes([low, high]);
        let len = usize::from(told);
        let bytes = rest.get(HEADER..len).ok_or_else(|| broken(told))?;
        // The last one may stand without the zeros behind it.
        self.rest = rest.get(aligned(len)..).unwrap_or_default();
        Ok(Raw {
            object: self.object,
            kind: u16::from_ne_bytes([kind_low, kind_high]),
            bytes,
        })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Raw<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.take())
    }
}

/// The attributes of something that is understood as a whole or not at all: each number below `N`
/// at most once, and no other.
pub(super) struct Known<'a, const N: usize>([Option<&'a [u8]>; N]);

impl<'a, const N: usize> Known<'a, N> {
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut found = [None; N];
        for attribute in Attributes::of("expression", bytes) {
            let attribute = attribute.ok()?;
            let place = found.get_mut(usize::from(attribute.number()))?;
            // Number 0 is nobody's.
            if attribute.number() == 0 || place.replace(attribute.bytes).is_some() {
                return None;
            }
        }
        Some(Self(found))
    }

    pub(super) fn required<T>(
        &self,
        number: u16,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Option<T> {
        self.optional(number, read)?
    }

    /// `None` where it is there and cannot be read.
    pub(super) fn optional<T>(
        &self,
        number: u16,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.0.get(usize::from(number)).copied().flatten() {
            Some(bytes) => read(bytes).map(Some),
            None => Some(None),
        }
    }

    /// Whether this one is not there.
    pub(super) fn lacks(&self, number: u16) -> bool {
        self.0.get(usize::from(number)).is_none_or(Option::is_none)
    }
}

pub(super) fn read_u8(bytes: &[u8]) -> Option<u8> {
    match *bytes {
        [value] => Some(value),
        _ => None,
    }
}

pub(super) fn read_u32(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

pub(super) fn read_u64(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn read_register(bytes: &[u8]) -> Option<Register> {
    read_u32(bytes).and_then(Register::from_number)
}

/// A text, if it would be written in these bytes again.
pub(super) fn read_text(bytes: &[u8]) -> Option<&str> {
    let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let text = std::str::from_utf8(text).ok()?;
    (!text.contains('\0')).then_some(text)
}

/// The first three attributes as text, each at its place: of chains, sets, rules and elements the
/// table's name, and their own or their handle.
#[must_use]
pub fn names(body: &[u8]) -> [String; 3] {
    let mut names: [String; 3] = Default::default();
    for attribute in Attributes::of("object", body).flatten() {
        let place = usize::from(attribute.number()).checked_sub(1);
        if let Some(name) = place.and_then(|place| names.get_mut(place)) {
            *name = attribute.text();
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(bytes: &[u8]) -> Vec<Result<(u16, &[u8]), Malformed>> {
        Attributes::of("thing", bytes)
            .map(|attribute| attribute.map(|a| (a.number(), a.bytes)))
            .collect()
    }

    #[test]
    fn zeros_fill_up_and_are_not_counted() {
        let mut buffer = vec![7]; // Whatever stands before.
        bytes(&mut buffer, 5, &[1, 2, 3, 4, 5]);
        text(&mut buffer, 6, "abc");
        assert_eq!(buffer.len(), 1 + 12 + 8);
        assert_eq!(buffer[1..3], 9_u16.to_ne_bytes());
        assert_eq!(buffer[10..13], [0; 3]);
        let expected = [Ok((5, &[1, 2, 3, 4, 5][..])), Ok((6, &b"abc\0"[..]))];
        assert_eq!(list(&buffer[1..]), expected);
        // The last one does not need them.
        assert_eq!(list(&buffer[1..10]), expected[..1]);
    }

    #[test]
    fn a_length_that_cannot_be_ends_them() {
        let broken = |told, there| {
            let object = "thing";
            Err(Malformed::Attribute {
                object,
                told,
                there,
            })
        };
        let mut buffer = Vec::new();
        u32(&mut buffer, 1, 1);
        for told in [0_u16, 3, 9] {
            let mut two = buffer.repeat(2);
            two[8..10].copy_from_slice(&told.to_ne_bytes());
            let one = Ok((1, &[0, 0, 0, 1][..]));
            assert_eq!(list(&two), [one, broken(told, 8)], "{told}");
        }
        assert_eq!(list(&buffer[..3]), [broken(0, 3)]);
    }

    #[test]
    fn flags_are_no_part_of_the_number_and_are_kept() {
        let mut buffer = Vec::new();
        nest(&mut buffer, 3, |_| {});
        let attribute = Attributes::of("thing", &buffer).next().unwrap().unwrap();
        assert_eq!(attribute.number(), 3);
        let kept = attribute.kept();
        assert_eq!(kept.kind, 3 | NESTED);
        assert!(holds(std::slice::from_ref(&kept), 3));
        let mut again = Vec::new();
        extra(&mut again, &[kept]);
        assert_eq!(again, buffer);
    }

    #[test]
    fn what_is_too_long_is_told_up_to_the_outermost() {
        // Bytes that would pass for attributes, were only a part of them taken for the content.
        let attribute = [4_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat();
        for (len, fits) in [(65_520, true), (65_524, false), (65_600, false)] {
            let mut buffer = Vec::new();
            nest(&mut buffer, 1, |buffer| {
                item(buffer, |buffer| {
                    bytes(buffer, 2, &attribute.repeat(len / 4));
                });
            });
            u32(&mut buffer, 3, 3);
            assert_eq!(whole(&buffer), fits, "{len}");
        }
    }

    #[test]
    fn known_ones_come_once_and_alone() {
        let write = |numbers: &[u16]| {
            let mut buffer = Vec::new();
            for &number in numbers {
                u32(&mut buffer, number, number.into());
            }
            buffer
        };
        let known = |numbers: &[u16]| Known::<3>::of(&write(numbers)).is_some();
        assert!(known(&[]) && known(&[2]) && known(&[2, 1]));
        for not in [&[0][..], &[3], &[1, 1], &[1, 2, 3]] {
            assert!(!known(not), "{not:?}");
        }
        assert!(Known::<3>::of(&write(&[1, 2])[..15]).is_none());
        let bytes = write(&[2]);
        let known = Known::<3>::of(&bytes).unwrap();
        assert_eq!(known.required(2, read_u32), Some(2));
        assert_eq!(known.required(1, read_u32), None);
        assert_eq!(known.optional(1, read_u32), Some(None));
        assert_eq!(known.optional(2, read_u64), None);
        assert!(known.lacks(1) && !known.lacks(2));
    }

    #[test]
    fn a_text_that_would_be_written_otherwise_is_none() {
        for (bytes, text) in [
            (&b"ab\0"[..], Some("ab")),
            (b"ab", Some("ab")),
            (b"", Some("")),
            (b"a\0b\0", None),
            (b"ab\0\0", None),
            (b"\xff\0", None),
        ] {
            assert_eq!(read_text(bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn numbers_have_their_size() {
        let mut buffer = Vec::new();
        u32(&mut buffer, 1, 0x0102_0304);
        let attribute = Attributes::of("thing", &buffer).next().unwrap().unwrap();
        assert_eq!(attribute.u32(), Ok(0x0102_0304));
        let size = Malformed::Size {
            object: "thing",
            attribute: 1,
            found: 4,
            expected: 8,
        };
        assert_eq!(attribute.u64(), Err(size));
        assert_eq!(
            size.to_string(),
            "attribute 1 of a thing has 4 bytes, not 8"
        );
    }
}
