//! `limit` (`enum nft_limit_attributes`). Limits of bytes, and of what is beyond a rate, are not known here.

use super::super::attribute;
use super::super::known::{Known, read_u32, read_u64};
use crate::object::Limit;

pub(super) const NAME: &str = "limit";

/// `NFTA_LIMIT_RATE`.
const RATE: u16 = 1;
/// `NFTA_LIMIT_UNIT`.
const UNIT: u16 = 2;
/// `NFTA_LIMIT_BURST`.
const BURST: u16 = 3;
/// `NFTA_LIMIT_TYPE`.
const TYPE: u16 = 4;
/// `NFTA_LIMIT_FLAGS`.
const FLAGS: u16 = 5;

/// `NFT_LIMIT_PKTS`.
const OF_PACKETS: u32 = 0;

pub(super) fn encode(limit: &Limit, buffer: &mut Vec<u8>) {
    attribute::u64(buffer, RATE, limit.rate);
    attribute::u64(buffer, UNIT, limit.seconds);
    attribute::u32(buffer, BURST, limit.burst);
    attribute::u32(buffer, TYPE, OF_PACKETS);
    attribute::u32(buffer, FLAGS, 0);
}

pub(super) fn decode(data: &[u8]) -> Option<Limit> {
    // The sixth is `NFTA_LIMIT_PAD`, which says nothing.
    let said = Known::<7>::of(data)?;
    let is_known = said.required(TYPE, read_u32)? == OF_PACKETS
        && said.optional(FLAGS, read_u32)?.unwrap_or_default() == 0;
    is_known.then_some(())?;
    Some(Limit {
        rate: said.required(RATE, read_u64)?,
        seconds: said.required(UNIT, read_u64)?,
        burst: said.required(BURST, read_u32)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn bytes_and_what_is_beyond_a_rate_are_not_known() {
        let limit = |kind, flags| {
            known(NAME, |buffer| {
                attribute::u64(buffer, RATE, 10);
                attribute::u64(buffer, UNIT, 60);
                attribute::u32(buffer, BURST, 5);
                attribute::u32(buffer, TYPE, kind);
                attribute::u32(buffer, FLAGS, flags);
            })
        };
        assert!(limit(0, 0).is_some());
        assert_eq!(limit(1, 0), None);
        assert_eq!(limit(0, 1), None);
    }
}
