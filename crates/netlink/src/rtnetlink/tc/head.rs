//! `struct tcmsg`, with which messages about queueing disciplines and filters begin.

use super::super::request::number;

/// `TCA_KIND`.
pub(super) const KIND: u16 = 1;
/// `TCA_OPTIONS`.
pub(super) const OPTIONS: u16 = 2;
/// `TC_H_CLSACT`: where the queueing discipline `clsact` is attached.
pub(super) const CLSACT: u32 = 0xffff_fff1;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of the interface.
    pub(super) link: u32,
    pub(super) handle: u32,
    pub(super) parent: u32,
    /// Of a filter: its preference in the upper half, its protocol in the lower.
    pub(super) info: u32,
}

impl Head {
    /// Its size in bytes.
    pub(super) const LEN: usize = 20;

    pub(super) fn bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN]; // Family and padding come first.
        let words = [self.link, self.handle, self.parent, self.info];
        for (at, word) in bytes[4..].as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *at = word.to_ne_bytes();
        }
        bytes
    }

    /// The head of a message, and the attributes behind it.
    pub(super) fn split(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = payload.split_at_checked(Self::LEN)?;
        let head = Self {
            link: number(head.get(4..8))?,
            handle: number(head.get(8..12))?,
            parent: number(head.get(12..16))?,
            info: number(head.get(16..20))?,
        };
        Some((head, rest))
    }
}
