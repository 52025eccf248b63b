//! `log` (`enum nft_log_attributes`). Without a prefix, at another level than warnings, with flags, with a
//! length or a threshold, it is not known here.

use super::super::attribute;
use super::super::known::{Known, read_text, read_u32};
use crate::object::Log;

pub(super) const NAME: &str = "log";

/// `NFTA_LOG_GROUP`.
const GROUP: u16 = 1;
/// `NFTA_LOG_PREFIX`.
const PREFIX: u16 = 2;
/// `NFTA_LOG_LEVEL`.
const LEVEL: u16 = 5;

/// `NFT_LOGLEVEL_WARNING`, which the kernel prints where no level was given.
const WARNING: u32 = 4;

pub(super) fn encode(log: &Log, buffer: &mut Vec<u8>) {
    attribute::text(buffer, PREFIX, &log.prefix);
    match log.group {
        Some(group) => attribute::u16(buffer, GROUP, group),
        None => attribute::u32(buffer, LEVEL, WARNING),
    }
}

pub(super) fn decode(data: &[u8]) -> Option<Log> {
    let said = Known::<7>::of(data)?;
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
    let log = Log {
        group: said.optional(GROUP, number)?,
        prefix: said.required(PREFIX, read_text)?.to_owned(),
    };
    // A group has no level.
    let level = match log.group {
        Some(_) => None,
        None => Some(WARNING),
    };
    let is_known = said.optional(LEVEL, read_u32)? == level
        && [3, 4, 6].into_iter().all(|other| said.lacks(other));
    is_known.then_some(log)
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn another_level_and_flags_are_not_known() {
        let log = |level, flags: Option<u32>| {
            known(NAME, |buffer| {
                attribute::text(buffer, PREFIX, "a");
                attribute::u32(buffer, LEVEL, level);
                if let Some(flags) = flags {
                    attribute::u32(buffer, 6, flags);
                }
            })
        };
        assert!(log(WARNING, None).is_some());
        assert_eq!(log(3, None), None);
        assert_eq!(log(WARNING, Some(1)), None);
    }

    #[test]
    fn a_group_with_a_length_or_a_threshold_is_not_known() {
        let log = |write: &dyn Fn(&mut Vec<u8>)| {
            known(NAME, |buffer| {
                attribute::text(buffer, PREFIX, "a");
                attribute::u16(buffer, GROUP, 5);
                write(buffer);
            })
        };
        assert!(log(&|_| {}).is_some());
        assert_eq!(log(&|buffer| attribute::u32(buffer, 3, 64)), None); // NFTA_LOG_SNAPLEN
        assert_eq!(log(&|buffer| attribute::u16(buffer, 4, 2)), None); // NFTA_LOG_QTHRESHOLD
    }
}
