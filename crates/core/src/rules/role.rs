//! Where rules are evaluated.

/// A place in a packet's way at which rules are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Packets from blocked guests, as they come in.
    FromBlocked,
    /// Packets from guests, before it is known where they go: whether their source is their own.
    GuestSource,
    /// The first packet of each connection, as it comes in or begins: forwards at one address.
    ForwardAt,
    /// Likewise, after those: forwards at every address of the host.
    ForwardAny,
    /// Forwarded packets that begin a tcp connection, to be changed before anything is matched.
    GuestMss,
    /// Forwarded packets, before all else: the administrator's rules for what guests send.
    AdminFromGuest,
    /// Likewise, after those: the administrator's rules for what guests receive.
    AdminToGuest,
    /// Forwarded packets, first: established connections, where they are accepted first, and
    /// packets between guests of one bridge.
    GuestCross,
    /// Forwarded packets, second: to a guest.
    GuestInput,
    /// Forwarded packets, third: from a guest.
    GuestOutput,
    /// The first packet of each connection, on its way out: its translation.
    GuestNat,
    /// Those of networks that translate nothing between networks: where they go.
    GuestBetween,
    /// Packets from guests to the host itself, before all else: the administrator's rules.
    HostAdmin,
    /// Packets from guests to the host itself.
    HostInput,
    /// Packets from the host itself to guests.
    HostOutput,
    /// Packets to blocked guests, on their way out.
    ToBlocked,
    /// Packets on their way out, to be changed.
    Mangle,
}

impl Role {
    /// All of them, in the order in which packets meet them.
    pub const ALL: [Self; 17] = [
        Self::FromBlocked,
        Self::GuestSource,
        Self::ForwardAt,
        Self::ForwardAny,
        Self::HostAdmin,
        Self::HostInput,
        Self::GuestMss,
        Self::AdminFromGuest,
        Self::AdminToGuest,
        Self::GuestCross,
        Self::GuestInput,
        Self::GuestOutput,
        Self::HostOutput,
        Self::ToBlocked,
        Self::Mangle,
        Self::GuestNat,
        Self::GuestBetween,
    ];

    /// Its place among [all](Self::ALL).
    pub(super) fn place(self) -> Option<usize> {
        Self::ALL.iter().position(|&role| role == self)
    }
}
