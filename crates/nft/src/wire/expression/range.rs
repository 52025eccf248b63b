//! `range` (`enum nft_range_attributes`).

use super::super::attribute;
use super::super::data;
use super::super::known::{Known, read_register, read_u32};
use crate::object::Range;

pub(super) const NAME: &str = "range";

/// `NFTA_RANGE_SREG`.
const SOURCE: u16 = 1;
/// `NFTA_RANGE_OP`.
const OPERATOR: u16 = 2;
/// `NFTA_RANGE_FROM_DATA`.
const FIRST: u16 = 3;
/// `NFTA_RANGE_TO_DATA`.
const LAST: u16 = 4;

/// `NFT_RANGE_EQ`.
const EQUAL: u32 = 0;
/// `NFT_RANGE_NEQ`.
const NOT_EQUAL: u32 = 1;

pub(super) fn encode(range: &Range, buffer: &mut Vec<u8>) {
    attribute::register(buffer, SOURCE, range.source);
    let operator = if range.inverted { NOT_EQUAL } else { EQUAL };
    attribute::u32(buffer, OPERATOR, operator);
    data::encode_bytes(buffer, FIRST, &range.first);
    data::encode_bytes(buffer, LAST, &range.last);
}

pub(super) fn decode(bytes: &[u8]) -> Option<Range> {
    let said = Known::<5>::of(bytes)?;
    let range = Range {
        source: said.required(SOURCE, read_register)?,
        inverted: match said.required(OPERATOR, read_u32)? {
            EQUAL => false,
            NOT_EQUAL => true,
            _ => return None,
        },
        first: said.required(FIRST, data::decode_bytes)?,
        last: said.required(LAST, data::decode_bytes)?,
    };
    let fits = range.source.fits(range.first.len());
    (fits && range.first.len() == range.last.len()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn an_operator_beyond_them_or_ends_of_two_lengths_are_not_known() {
        let range = |operator, last: &[u8]| {
            known(NAME, |buffer| {
                attribute::u32(buffer, SOURCE, 1);
                attribute::u32(buffer, OPERATOR, operator);
                data::encode_bytes(buffer, FIRST, &[0, 22]);
                data::encode_bytes(buffer, LAST, last);
            })
        };
        assert!(range(0, &[0, 80]).is_some());
        assert!(range(1, &[0, 80]).is_some());
        assert_eq!(range(2, &[0, 80]), None);
        assert_eq!(range(0, &[80]), None);
    }
}
