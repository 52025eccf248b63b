//! The header of every netlink message: `struct nlmsghdr`.

/// The header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// The length of the whole message in bytes, without the padding behind it.
    pub len: u32,
    /// The type: in netfilter, the subsystem in the upper byte and the kind of message in the
    /// lower.
    pub kind: u16,
    /// See [`flags`](crate::flags).
    pub flags: u16,
    /// The number that a reply shares with its request.
    pub sequence: u32,
    /// The socket at the other end; 0 for the kernel.
    pub port: u32,
}

impl Header {
    /// The size of a header in bytes.
    pub(crate) const LEN: usize = 16;
    /// `NLMSG_ERROR`: an acknowledgement of a request, or its refusal.
    pub const ERROR: u16 = 2;
    /// `NLMSG_DONE`: the end of a dump.
    pub const DONE: u16 = 3;
    /// `NLMSG_MIN_TYPE`: types below it are netlink's own, the same in each protocol.
    pub const FIRST_OF_PROTOCOL: u16 = 16;

    /// The header of a request to the kernel; its length is set when the message is written.
    #[must_use]
    pub fn request(kind: u16, flags: u16, sequence: u32) -> Self {
        Self {
            len: 0,
            kind,
            flags,
            sequence,
            port: 0,
        }
    }

    /// The header at the head of these bytes, and the bytes behind it.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_at_checked(Self::LEN)?;
        let half = |at: usize| Some(u16::from_ne_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let word = |at: usize| Some(u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?));
        let header = Self {
            len: word(0)?,
            kind: half(4)?,
            flags: half(6)?,
            sequence: word(8)?,
            port: word(12)?,
        };
        Some((header, rest))
    }

    /// Appends its bytes.
    pub(crate) fn put(self, buffer: &mut Vec<u8>) {
        buffer.extend(self.len.to_ne_bytes());
        buffer.extend(self.kind.to_ne_bytes());
        buffer.extend(self.flags.to_ne_bytes());
        buffer.extend(self.sequence.to_ne_bytes());
        buffer.extend(self.port.to_ne_bytes());
    }
}
