//! `cmp` (`enum nft_cmp_attributes`).

use super::super::attribute;
use super::super::data;
use super::super::known::{Known, read_register, read_u32};
use crate::object::{Compare, Comparison};

pub(super) const NAME: &str = "cmp";

/// `NFTA_CMP_SREG`.
const SOURCE: u16 = 1;
/// `NFTA_CMP_OP`.
const OPERATOR: u16 = 2;
/// `NFTA_CMP_DATA`.
const DATA: u16 = 3;

/// By `enum nft_cmp_ops`.
const OPERATORS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

fn number(operator: Comparison) -> u32 {
    match operator {
        Comparison::Equal => 0,
        Comparison::NotEqual => 1,
        Comparison::Less => 2,
        Comparison::LessOrEqual => 3,
        Comparison::Greater => 4,
        Comparison::GreaterOrEqual => 5,
    }
}

pub(super) fn encode(compare: &Compare, buffer: &mut Vec<u8>) {
    attribute::register(buffer, SOURCE, compare.source);
    attribute::u32(buffer, OPERATOR, number(compare.operator));
    data::encode_bytes(buffer, DATA, &compare.value);
}

pub(super) fn decode(bytes: &[u8]) -> Option<Compare> {
    let said = Known::<4>::of(bytes)?;
    let told = said.required(OPERATOR, read_u32)?;
    let compare = Compare {
        source: said.required(SOURCE, read_register)?,
        operator: OPERATORS.into_iter().find(|&known| number(known) == told)?,
        value: said.required(DATA, data::decode_bytes)?,
    };
    let fits = compare.source.fits(compare.value.len());
    fits.then_some(compare)
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn operators_have_the_kernels_numbers() {
        for (operator, told) in OPERATORS.into_iter().zip(0..) {
            assert_eq!(number(operator), told);
        }
    }

    #[test]
    fn an_operator_beyond_them_or_a_verdict_is_not_known() {
        let compare = |operator, number| {
            known(NAME, |buffer| {
                attribute::u32(buffer, SOURCE, 1);
                attribute::u32(buffer, OPERATOR, operator);
                attribute::nest(buffer, DATA, |buffer| {
                    attribute::bytes(buffer, number, &[7]);
                });
            })
        };
        assert!(compare(5, 1).is_some());
        assert_eq!(compare(6, 1), None);
        assert_eq!(compare(5, 2), None);
    }
}
