//! Kinds of messages.

/// What a message of nf_tables is about: `NFT_MSG_*`, by the kernel's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u8);

#[allow(missing_docs)] // The names say it, and are the kernel's.
impl Kind {
    pub const NEW_TABLE: Self = Self(0);
    pub(crate) const GET_TABLE: Self = Self(1);
    pub const DEL_TABLE: Self = Self(2);
    pub const NEW_CHAIN: Self = Self(3);
    pub(crate) const GET_CHAIN: Self = Self(4);
    pub const DEL_CHAIN: Self = Self(5);
    pub const NEW_RULE: Self = Self(6);
    pub(crate) const GET_RULE: Self = Self(7);
    pub const DEL_RULE: Self = Self(8);
    pub const NEW_SET: Self = Self(9);
    pub(crate) const GET_SET: Self = Self(10);
    pub const DEL_SET: Self = Self(11);
    pub const NEW_ELEMENT: Self = Self(12);
    pub(crate) const GET_ELEMENT: Self = Self(13);
    pub const DEL_ELEMENT: Self = Self(14);
    pub(crate) const NEW_GENERATION: Self = Self(15);
    pub(crate) const GET_GENERATION: Self = Self(16);
    pub(crate) const TRACE: Self = Self(17);
    pub(crate) const NEW_OBJECT: Self = Self(18);
    pub(crate) const GET_OBJECT: Self = Self(19);
    pub(crate) const NEW_FLOWTABLE: Self = Self(22);
    pub(crate) const GET_FLOWTABLE: Self = Self(23);
}
