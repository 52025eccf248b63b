//! Expressions and their parts, which are understood as a whole or kept as they are.

use palisade_netlink::attribute::Attributes;

use crate::object::Register;

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

/// An offset into a header, if a kernel takes it (since 6.18; before, they took no more than 255).
pub(super) fn read_offset(bytes: &[u8]) -> Option<u32> {
    read_u32(bytes).filter(|&offset| offset <= u16::MAX.into())
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

#[cfg(test)]
mod tests {
    use palisade_netlink::attribute::u32;

    use super::*;

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
}
