//! The administrator's place among palisade's rules.

/// A chain for the administrator's own rules. Palisade creates it empty, sends the packets of guests
/// there before it decides on them, and never touches what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdminChain {
    /// Forwarded packets that guests send.
    FromGuest,
    /// Forwarded packets that guests receive.
    ToGuest,
    /// Packets that guests send to the host itself.
    Input,
}

impl AdminChain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FromGuest, Self::ToGuest, Self::Input];
}
