//! Expressions that no layout of ours has, read to be told: what they limit, note and set.

use super::known::{Known, read_register, read_text, read_u32, read_u64};
use crate::object::Register;

/// `limit` (`enum nft_limit_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// How many.
    pub(crate) rate: u64,
    /// In how many seconds.
    pub(crate) seconds: u64,
    pub(crate) burst: u32,
    /// Bytes instead of packets.
    pub(crate) is_of_bytes: bool,
    /// It holds for what is beyond.
    pub(crate) is_over: bool,
}

pub(crate) fn limit(data: &[u8]) -> Option<Limit> {
    let said = Known::<7>::of(data)?;
    Some(Limit {
        rate: said.required(1, read_u64)?,
        seconds: said.required(2, read_u64)?,
        burst: said.optional(3, read_u32)?.unwrap_or(0),
        is_of_bytes: said.optional(4, read_u32)? == Some(1),
        is_over: said.optional(5, read_u32)?.unwrap_or(0) & 1 != 0,
    })
}

/// `log` (`enum nft_log_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Log<'a> {
    pub(crate) group: Option<u16>,
    pub(crate) prefix: Option<&'a str>,
    pub(crate) level: Option<u32>,
    pub(crate) flags: u32,
}

pub(crate) fn log(data: &[u8]) -> Option<Log<'_>> {
    let said = Known::<7>::of(data)?;
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
    Some(Log {
        group: said.optional(1, number)?,
        prefix: said.optional(2, read_text)?,
        level: said.optional(5, read_u32)?,
        flags: said.optional(6, read_u32)?.unwrap_or(0),
    })
}

/// `quota` (`enum nft_quota_attributes`): how many bytes, and whether it holds for what is beyond.
pub(crate) fn quota(data: &[u8]) -> Option<(u64, bool)> {
    let said = Known::<5>::of(data)?;
    let flags = said.optional(2, read_u32)?.unwrap_or(0);
    Some((said.required(1, read_u64)?, flags & 1 != 0))
}

/// `meta KEY set` (`enum nft_meta_attributes`): the key, and where the value comes from.
pub(crate) fn meta_set(data: &[u8]) -> Option<(u32, Register)> {
    let said = Known::<4>::of(data)?;
    Some((
        said.required(2, read_u32)?,
        said.required(3, read_register)?,
    ))
}

/// `ct KEY set` (`enum nft_ct_attributes`).
pub(crate) fn conntrack_set(data: &[u8]) -> Option<(u32, Register)> {
    let said = Known::<5>::of(data)?;
    Some((
        said.required(2, read_u32)?,
        said.required(4, read_register)?,
    ))
}
