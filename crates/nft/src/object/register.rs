//! Registers: where expressions leave values for one another.

use std::fmt;

/// One of the sixteen 32-bit words in which expressions pass values, counted from 0. A value
/// longer than a word fills those that follow.
///
/// The kernel has two names for some of them: `NFT_REG_1` to `NFT_REG_4` are words 0, 4, 8 and
/// 12, `NFT_REG32_00` to `NFT_REG32_15` all of them. Numbers are written as the kernel dumps
/// them: the first kind where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(u8);

impl Register {
    /// How many words there are.
    pub(crate) const WORDS: u8 = 16;
    /// How many bytes they hold together.
    pub(crate) const BYTES: usize = Self::WORDS as usize * 4;
    /// The first word, `NFT_REG_1`.
    pub const FIRST: Self = Self(0);

    /// The register that begins at this word.
    #[must_use]
    pub fn at_word(word: u8) -> Option<Self> {
        (word < Self::WORDS).then_some(Self(word))
    }

    /// The word at which it begins.
    #[must_use]
    pub fn word(self) -> u8 {
        self.0
    }

    /// Whether a value of `len` bytes fits into the registers from here on. The kernel takes no
    /// other, and no empty one.
    #[must_use]
    pub fn fits(self, len: usize) -> bool {
        let start = usize::from(self.0) * 4;
        len > 0 && len <= Self::BYTES - start
    }

    /// The register behind a value of `len` bytes that begins here, if there is one.
    #[must_use]
    pub fn after(self, len: u32) -> Option<Self> {
        let words = u8::try_from(len.div_ceil(4)).ok()?;
        Self::at_word(self.0.checked_add(words)?)
    }

    /// The kernel's number (`enum nft_registers`).
    #[must_use]
    pub fn number(self) -> u32 {
        let word = u32::from(self.0);
        if word.is_multiple_of(4) {
            1 + word / 4
        } else {
            8 + word
        }
    }

    /// The register with this number; none for 0, the verdict register.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let word = match number {
            1..=4 => (number - 1) * 4,
            8..=23 => number - 8,
            _ => return None,
        };
        u8::try_from(word).ok().and_then(Self::at_word)
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reg {}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words() {
        for word in 0..Register::WORDS {
            let register = Register::at_word(word).unwrap();
            assert_eq!(Register::from_number(register.number()), Some(register));
        }
        assert_eq!(Register::from_number(8), Some(Register::FIRST));
        assert_eq!(Register::from_number(0), None);
        assert_eq!(Register::from_number(24), None);
        let third = Register::FIRST.after(16).unwrap();
        assert_eq!(third.number(), 2);
        assert_eq!(Register::FIRST.after(64), None);
        assert!(Register::FIRST.fits(64) && third.fits(48));
        assert!(!Register::FIRST.fits(65) && !third.fits(49) && !third.fits(0));
    }
}
