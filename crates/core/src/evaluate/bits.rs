//! Bytes of which some bits are known, as rules load them from packets.

use std::cmp::Ordering;

use super::Answer;

/// A byte of which some bits are known. What is not known is zero in `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Byte {
    value: u8,
    known: u8,
}

impl Byte {
    /// One of which nothing is known.
    pub const UNKNOWN: Self = Self { value: 0, known: 0 };

    /// One that is known.
    #[must_use]
    pub fn known(value: u8) -> Self {
        Self { value, known: 0xff }
    }

    /// These bits are known.
    #[must_use]
    pub fn bits(value: u8, known: u8) -> Self {
        let value = value & known;
        Self { value, known }
    }

    /// Only the upper half is known.
    pub(super) fn upper_half(value: u8) -> Self {
        let known = 0xf0;
        Self {
            value: value & known,
            known,
        }
    }

    /// `(byte & mask) ^ xor`.
    #[must_use]
    pub fn masked(self, mask: u8, xor: u8) -> Self {
        let known = self.known | !mask;
        Self {
            value: ((self.value & mask) ^ xor) & known,
            known,
        }
    }
}

/// Bytes that are known.
#[must_use]
pub fn known(bytes: &[u8]) -> Vec<Byte> {
    bytes.iter().copied().map(Byte::known).collect()
}

/// What is known of a value of so many bytes that is one of these: the bits that all of them have in
/// common.
pub(super) fn any_of(values: &[Vec<u8>], len: usize) -> Vec<Byte> {
    let Some(first) = values.first() else {
        return vec![Byte::UNKNOWN; len];
    };
    let at = |place: usize| {
        let value = first[place];
        let others = values.iter().map(|other| value ^ other[place]);
        let known = !others.fold(0, |differs, other| differs | other);
        Byte {
            value: value & known,
            known,
        }
    };
    (0..len.min(first.len())).map(at).collect()
}

/// The bytes, if all of their bits are known.
#[must_use]
pub fn certain(bytes: &[Byte]) -> Option<Vec<u8>> {
    let byte = |byte: &Byte| (byte.known == 0xff).then_some(byte.value);
    bytes.iter().map(byte).collect()
}

/// Whether they are these.
#[must_use]
pub fn equal(bytes: &[Byte], others: &[u8]) -> Answer {
    let pairs = || bytes.iter().zip(others);
    let may = pairs().all(|(byte, other)| (byte.value ^ other) & byte.known == 0);
    let must = pairs().all(|(byte, _)| byte.known == 0xff);
    Answer::of(may && bytes.len() == others.len(), must)
}

/// Whether they lie between these, both ends included, as the kernel compares: byte by byte.
#[must_use]
pub fn within(bytes: &[Byte], first: &[u8], last: &[u8]) -> Answer {
    let (least, most) = (least(bytes), most(bytes));
    Answer::of(
        most.as_slice() >= first && least.as_slice() <= last,
        least.as_slice() >= first && most.as_slice() <= last,
    )
}

/// Whether they compare with others in one of the wanted ways, as the kernel compares: byte by byte.
#[must_use]
pub fn compare(bytes: &[Byte], others: &[u8], wanted: &[Ordering]) -> Answer {
    let (least, most) = (least(bytes), most(bytes));
    let (low, high) = (least.as_slice().cmp(others), most.as_slice().cmp(others));
    // Between the least and the most lie all others.
    let between = low == Ordering::Less && high == Ordering::Greater;
    let may = between || wanted.contains(&low) || wanted.contains(&high);
    Answer::of(may, wanted.contains(&low) && wanted.contains(&high))
}

/// The least that they can be.
#[must_use]
pub fn least(bytes: &[Byte]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.value).collect()
}

/// The most that they can be.
#[must_use]
pub fn most(bytes: &[Byte]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.value | !byte.known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answer::{No, Unknown, Yes};

    #[test]
    fn what_is_known_decides_as_far_as_it_goes() {
        use Ordering::{Equal, Greater, Less};
        let five = known(&[0, 5]);
        assert_eq!(equal(&five, &[0, 5]), Yes);
        assert_eq!(equal(&five, &[0, 6]), No);
        assert_eq!(compare(&five, &[1, 0], &[Less]), Yes);
        assert_eq!(compare(&five, &[0, 5], &[Less]), No);
        assert_eq!(compare(&five, &[0, 5], &[Less, Equal]), Yes);
        assert_eq!(compare(&five, &[0, 4], &[Greater]), Yes);
        assert_eq!(within(&five, &[0, 5], &[0, 5]), Yes);
        assert_eq!(within(&five, &[0, 6], &[9, 9]), No);

        let half = [Byte::known(1), Byte::UNKNOWN];
        assert_eq!(equal(&half, &[1, 7]), Unknown);
        assert_eq!(equal(&half, &[2, 7]), No);
        assert_eq!(compare(&half, &[1, 0], &[Greater]), Unknown);
        assert_eq!(compare(&half, &[1, 0], &[Greater, Equal]), Yes);
        assert_eq!(compare(&half, &[1, 0], &[Less]), No);
        assert_eq!(compare(&half, &[1, 5], &[Greater]), Unknown);
        assert_eq!(within(&half, &[1, 0], &[1, 255]), Yes);
        assert_eq!(within(&half, &[1, 1], &[1, 255]), Unknown);
    }

    #[test]
    fn what_several_have_in_common() {
        let ports = any_of(&[b"tap1".to_vec(), b"tap2".to_vec()], 4);
        assert_eq!(equal(&ports[..3], b"tap"), Yes);
        assert_eq!(equal(&ports, b"tap2"), Unknown);
        assert_eq!(equal(&ports, b"eth2"), No);
        assert_eq!(any_of(&[], 2), [Byte::UNKNOWN; 2]);
    }

    #[test]
    fn masks_make_known_what_they_clear() {
        assert_eq!(Byte::UNKNOWN.masked(0, 7), Byte::known(7));
        assert_eq!(Byte::known(0xab).masked(0xf0, 0), Byte::known(0xa0));
        assert_eq!(Byte::upper_half(0x45).masked(0xf0, 0), Byte::known(0x40));
        let low = [Byte::upper_half(0x45)];
        assert_eq!(equal(&low, &[0x45]), Unknown);
        assert_eq!(equal(&low, &[0x65]), No);
    }
}
