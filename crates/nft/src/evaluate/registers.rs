//! The registers of a rule.

use palisade_core::evaluate::bits::Byte;

use crate::object::Register;

/// What is in the registers: sixteen words of four bytes.
pub(super) struct Registers([Byte; Register::BYTES]);

impl Registers {
    /// A rule begins with none that it may read.
    pub(super) fn new() -> Self {
        Self([Byte::UNKNOWN; Register::BYTES])
    }

    /// Puts a value into a register. The rest of its last word becomes zero, as in the kernel.
    pub(super) fn put(&mut self, at: Register, value: &[Byte]) {
        let start = usize::from(at.word()) * 4;
        let end = start + value.len().next_multiple_of(4);
        let padded = value
            .iter()
            .copied()
            .chain(std::iter::repeat(Byte::known(0)));
        for (place, byte) in self.0.iter_mut().skip(start).take(end - start).zip(padded) {
            *place = byte;
        }
    }

    /// `len` bytes from a register on, or as many as all registers hold. Bytes behind the last
    /// register are not known.
    pub(super) fn read(&self, from: Register, len: usize) -> Vec<Byte> {
        let start = usize::from(from.word()) * 4;
        let there = self.0.iter().copied().skip(start);
        there
            .chain(std::iter::repeat(Byte::UNKNOWN))
            .take(len.min(Register::BYTES))
            .collect()
    }

    /// Something was done that is not understood: it may have put anything anywhere.
    pub(super) fn forget(&mut self) {
        self.0.fill(Byte::UNKNOWN);
    }
}
