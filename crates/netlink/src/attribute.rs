//! Attributes of messages: a header with length and type, the bytes, and padding to four.
//!
//! Functions named after types append an attribute to a buffer; [`Attributes`] reads them back.
//! Numbers are in network order, as netfilter has them; rtnetlink's are in the host's order.
//!
//! A length has 16 bits. An attribute that is longer is written with the length 0, which no
//! attribute has. The nests around it are longer still and get the length 0 too, up to the message,
//! where `whole` notices. So it never passes for a shorter one.

use crate::Malformed;

/// The bytes of a header.
const HEADER: usize = 4;
/// The bits of a type that are not flags (`NLA_TYPE_MASK`).
pub const NUMBER: u16 = 0x3fff;
/// `NLA_F_NESTED`. nf_tables neither requires nor sends it.
const NESTED: u16 = 0x8000;

/// The longest content of an attribute that holds others, in bytes.
pub const MAX_CONTENT: usize = u16::MAX as usize - HEADER;

/// The length with padding.
#[must_use]
pub(crate) fn aligned(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// Appends an attribute with these bytes.
pub fn bytes(buffer: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let start = open(buffer, kind);
    buffer.extend_from_slice(value);
    close(buffer, start);
}

/// Appends an attribute that holds those that `content` writes.
pub fn nest(buffer: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
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

/// Appends a text, with a zero behind it.
pub fn text(buffer: &mut Vec<u8>, kind: u16, value: &str) {
    let start = open(buffer, kind);
    buffer.extend_from_slice(value.as_bytes());
    buffer.push(0);
    close(buffer, start);
}

/// Appends a byte.
pub fn u8(buffer: &mut Vec<u8>, kind: u16, value: u8) {
    bytes(buffer, kind, &[value]);
}

/// Appends a number of 16 bits.
pub fn u16(buffer: &mut Vec<u8>, kind: u16, value: u16) {
    bytes(buffer, kind, &value.to_be_bytes());
}

/// Appends a number of 32 bits.
pub fn u32(buffer: &mut Vec<u8>, kind: u16, value: u32) {
    bytes(buffer, kind, &value.to_be_bytes());
}

/// Appends a number of 64 bits.
pub fn u64(buffer: &mut Vec<u8>, kind: u16, value: u64) {
    bytes(buffer, kind, &value.to_be_bytes());
}

/// Appends unknown attributes, as they were read.
pub fn extra(buffer: &mut Vec<u8>, attributes: &[Attribute]) {
    for attribute in attributes {
        bytes(buffer, attribute.kind, &attribute.bytes);
    }
}

/// Whether one of these unknown attributes has this number.
#[must_use]
pub fn holds(attributes: &[Attribute], number: u16) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.kind & NUMBER == number)
}

/// Whether none of these attributes is longer than its header can say.
#[must_use]
pub(crate) fn whole(attributes: &[u8]) -> bool {
    Attributes::of("message", attributes).all(|attribute| attribute.is_ok())
}

/// An unknown attribute: its type (with netlink's flags in the upper two bits) and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// The type, as it was read.
    pub kind: u16,
    /// The bytes behind the header.
    pub bytes: Vec<u8>,
}

/// An attribute of an object, where it is in a message.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    object: &'static str,
    kind: u16,
    /// The bytes behind the header.
    pub bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    /// One that was kept of an object.
    #[must_use]
    pub fn of(object: &'static str, kept: &'a Attribute) -> Self {
        Self {
            object,
            kind: kept.kind,
            bytes: &kept.bytes,
        }
    }

    /// Its type without the flags.
    #[must_use]
    pub fn number(self) -> u16 {
        self.kind & NUMBER
    }

    /// A byte.
    ///
    /// # Errors
    /// If it has another size.
    pub fn u8(self) -> Result<u8, Malformed> {
        self.sized().map(u8::from_be_bytes)
    }

    /// A number of 16 bits.
    ///
    /// # Errors
    /// If it has another size.
    pub fn u16(self) -> Result<u16, Malformed> {
        self.sized().map(u16::from_be_bytes)
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// If it has another size.
    pub fn u32(self) -> Result<u32, Malformed> {
        self.sized().map(u32::from_be_bytes)
    }

    /// A number of 64 bits.
    ///
    /// # Errors
    /// If it has another size.
    pub fn u64(self) -> Result<u64, Malformed> {
        self.sized().map(u64::from_be_bytes)
    }

    /// The text up to its first zero. The kernel takes any bytes for a name. Those that are no
    /// UTF-8 are replaced, so that the odd name of a foreign object hides nothing else and equals
    /// no name of palisade's.
    #[must_use]
    pub fn text(self) -> String {
        let text = self.bytes.split(|&byte| byte == 0).next();
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    }

    /// The attributes inside it.
    #[must_use]
    pub fn nested(self, object: &'static str) -> Attributes<'a> {
        Attributes::of(object, self.bytes)
    }

    /// Itself, where attributes of this number alone are allowed.
    ///
    /// # Errors
    /// If it has another number.
    pub fn only(self, number: u16) -> Result<Self, Malformed> {
        if self.number() == number {
            Ok(self)
        } else {
            Err(Malformed::Kind {
                object: self.object,
                attribute: self.number(),
            })
        }
    }

    /// What to keep of an unknown attribute.
    #[must_use]
    pub fn kept(self) -> Attribute {
        Attribute {
            kind: self.kind,
            bytes: self.bytes.to_vec(),
        }
    }

    /// Its bytes, of which there are exactly `N`.
    ///
    /// # Errors
    /// If it has another size.
    pub(crate) fn sized<const N: usize>(self) -> Result<[u8; N], Malformed> {
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
pub struct Attributes<'a> {
    object: &'static str,
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes in these bytes. The object is named in errors.
    #[must_use]
    pub fn of(object: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            object,
            rest: bytes,
        }
    }

    fn take(&mut self) -> Result<Raw<'a>, Malformed> {
        let rest = std::mem::take(&mut self.rest);
        let malformed = |told| Malformed::Attribute {
            object: self.object,
            told,
            there: rest.len(),
        };
        let [low, high, kind_low, kind_high, ..] = *rest else {
            return Err(malformed(0));
        };
        let told = u16::from_ne_bytes([low, high]);
        let len = usize::from(told);
        let bytes = rest.get(HEADER..len).ok_or_else(|| malformed(told))?;
        // The last one may come without padding.
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
    fn an_attribute_that_is_too_long_shows_up_to_the_outermost() {
        // Bytes that would pass for attributes, were only a part of them taken for the content.
        let attribute = [4_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat();
        for (len, fits) in [(65_520, true), (65_524, false), (65_600, false)] {
            let mut buffer = Vec::new();
            nest(&mut buffer, 1, |buffer| {
                nest(buffer, 1, |buffer| {
                    bytes(buffer, 2, &attribute.repeat(len / 4));
                });
            });
            u32(&mut buffer, 3, 3);
            assert_eq!(whole(&buffer), fits, "{len}");
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
