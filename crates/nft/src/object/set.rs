//! Sets and maps, and their elements.

use super::{Attribute, Expression, Family, Userdata, Verdict, userdata};

/// A set of keys, or a map from keys to values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// A number of the batch's own, by which rules of the same batch can name it.
    pub id: Option<u32>,
    /// `NFT_SET_*`: 1 anonymous, 2 constant, 4 interval, 8 map, and so on.
    pub flags: u32,
    /// What `nft` shall take the key's bytes for; the kernel does not look at it.
    pub key_type: DataType,
    /// The key's length in bytes.
    pub key_len: u32,
    /// What a map leads to.
    pub data: Option<SetData>,
    /// Expressions that each element gets for itself: a counter.
    pub expressions: Vec<Expression>,
    /// What a program wrote beside it: see [`Userdata::of_set`].
    pub userdata: Userdata,
    /// The kernel's number for it, where it comes from the kernel.
    pub handle: Option<u64>,
    /// What else was said.
    pub extra: Vec<Attribute>,
}

impl Set {
    /// What `nft` calls it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        const OF_OBJECTS: u32 = 0x40; // `NFT_SET_OBJECT`
        if self.data.is_some() || self.flags & OF_OBJECTS != 0 {
            "map"
        } else {
            "set"
        }
    }
}

/// What a map leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetData {
    /// What `nft` shall take the bytes for; 0xffffff00 stands for verdicts.
    pub data_type: DataType,
    /// Their length in bytes.
    pub len: u32,
}

/// `nft`'s number for a type of values. A concatenation is its parts' numbers, six bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DataType(pub u32);

impl DataType {
    /// An IPv4 address.
    pub const IPV4_ADDR: Self = Self(7);
    /// An IPv6 address.
    pub const IPV6_ADDR: Self = Self(8);
    /// A protocol's number.
    pub(crate) const INET_PROTO: Self = Self(12);
    /// A port.
    pub(crate) const INET_SERVICE: Self = Self(13);
    /// A mark.
    pub(crate) const MARK: Self = Self(19);
    /// The state of a packet's flow.
    pub(crate) const CT_STATE: Self = Self(26);
    /// An interface's name, 16 bytes.
    pub const IFNAME: Self = Self(41);
    /// A verdict.
    pub(crate) const VERDICT: Self = Self(0xffff_ff00);

    /// The type of these values one behind another.
    #[must_use]
    pub fn concatenation(parts: &[Self]) -> Self {
        Self(parts.iter().fold(0, |number, part| number << 6 | part.0))
    }

    /// The types of which this one is made.
    pub fn parts(self) -> impl Iterator<Item = Self> {
        let used = u32::BITS - self.0.leading_zeros();
        let shifts = (0..used.div_ceil(6)).rev().map(|part| part * 6);
        shifts.map(move |shift| Self(self.0 >> shift & 0x3f))
    }

    /// The size of a value in bytes, for the types that our layouts use and a few others.
    #[must_use]
    pub fn size(self) -> Option<u32> {
        match self {
            Self::INET_PROTO => Some(1),
            Self::INET_SERVICE => Some(2),
            Self::IPV4_ADDR | Self::MARK | Self::CT_STATE => Some(4),
            Self::IPV6_ADDR | Self::IFNAME => Some(16),
            _ => None,
        }
    }

    /// The name by which `nft` knows it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::IPV4_ADDR => Some("ipv4_addr"),
            Self::IPV6_ADDR => Some("ipv6_addr"),
            Self::INET_PROTO => Some("inet_proto"),
            Self::INET_SERVICE => Some("inet_service"),
            Self::MARK => Some("mark"),
            Self::CT_STATE => Some("ct_state"),
            Self::IFNAME => Some("ifname"),
            Self::VERDICT => Some("verdict"),
            _ => None,
        }
    }
}

/// Elements of one set, added or deleted together, or as a dump gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements {
    /// The family of the set's table.
    pub family: Family,
    /// The set's table.
    pub table: String,
    /// The set.
    pub set: String,
    /// The set's number in the batch, if it is made there.
    pub set_id: Option<u32>,
    /// The elements.
    pub elements: Vec<Element>,
}

/// An element of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The key's bytes; empty for the catch-all element.
    pub key: Vec<u8>,
    /// The upper end, where the set has intervals of concatenations.
    pub key_end: Vec<u8>,
    /// What the map leads to.
    pub value: Option<Value>,
    /// `NFT_SET_ELEM_*`: 1 end of an interval, 2 catch-all.
    pub flags: u32,
    /// The element's own state, such as its counter.
    pub expressions: Vec<Expression>,
    /// What a program wrote beside it; `nft` keeps its comment here.
    pub userdata: Userdata,
    /// What else was said.
    pub extra: Vec<Attribute>,
}

impl Element {
    /// An element of a set of single keys, with nothing beside its key.
    #[must_use]
    pub(crate) fn of_key(key: Vec<u8>) -> Self {
        Self {
            key,
            key_end: Vec::new(),
            value: None,
            flags: 0,
            expressions: Vec::new(),
            userdata: Userdata::default(),
            extra: Vec::new(),
        }
    }
}

/// What of an element tells what it stands for, borrowed: from a dump, or from an [`Element`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ElementRef<'a> {
    /// The key's bytes; empty for the catch-all element, or if it is no key of bytes.
    pub key: &'a [u8],
    /// The upper end, where the set has intervals of concatenations.
    pub key_end: &'a [u8],
    /// The bytes that it leads to, if it leads to something; no bytes for a verdict.
    pub value: Option<&'a [u8]>,
    /// `NFT_SET_ELEM_*`.
    pub flags: u32,
    /// What a program wrote beside it.
    pub userdata: &'a [u8],
}

impl<'a> ElementRef<'a> {
    /// What identifies it in its set: its key, and what it leads to.
    pub(crate) fn identity(&self) -> impl Iterator<Item = u8> + use<'a> {
        let value = self.value.unwrap_or_default();
        self.key.iter().chain(value).copied()
    }

    /// Its comment.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        userdata::comment_in(self.userdata)
    }
}

impl<'a> From<&'a Element> for ElementRef<'a> {
    fn from(element: &'a Element) -> Self {
        Self {
            key: &element.key,
            key_end: &element.key_end,
            value: element.value.as_ref().map(|value| match value {
                Value::Bytes(bytes) => bytes.as_slice(),
                Value::Verdict(_) => &[],
            }),
            flags: element.flags,
            userdata: &element.userdata.0,
        }
    }
}

/// What an element of a map leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A verdict.
    Verdict(Verdict),
}
