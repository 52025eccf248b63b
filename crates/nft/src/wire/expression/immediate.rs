//! `immediate` (`enum nft_immediate_attributes`): a value into a register, or a verdict into the
//! register for verdicts.

use super::super::attribute;
use super::super::data;
use super::super::known::{Known, read_u32};
use crate::object::{Expression, Load, Register, Value, Verdict};

pub(super) const NAME: &str = "immediate";

/// `NFTA_IMMEDIATE_DREG`.
const DESTINATION: u16 = 1;
/// `NFTA_IMMEDIATE_DATA`.
const DATA: u16 = 2;

/// `NFT_REG_VERDICT`.
const VERDICT: u32 = 0;

pub(super) fn encode(load: &Load, buffer: &mut Vec<u8>) {
    attribute::register(buffer, DESTINATION, load.destination);
    data::encode_bytes(buffer, DATA, &load.value);
}

pub(super) fn encode_verdict(verdict: &Verdict, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, DESTINATION, VERDICT);
    data::encode_verdict(buffer, DATA, verdict);
}

pub(super) fn decode(bytes: &[u8]) -> Option<Expression> {
    let said = Known::<3>::of(bytes)?;
    let destination = said.required(DESTINATION, read_u32)?;
    match said.required(DATA, data::decode)? {
        Value::Verdict(verdict) if destination == VERDICT => Some(Expression::Verdict(verdict)),
        Value::Verdict(_) => None,
        Value::Bytes(value) => {
            let destination = Register::from_number(destination)?;
            let fits = destination.fits(value.len());
            fits.then_some(Expression::Load(Load { destination, value }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn values_and_verdicts_each_have_their_registers() {
        let write = |register, number, value: &[u8]| {
            known(NAME, |buffer| {
                attribute::u32(buffer, DESTINATION, register);
                attribute::nest(buffer, DATA, |buffer| {
                    attribute::bytes(buffer, number, value);
                });
            })
        };
        // An inner `NFTA_VERDICT_CODE` of `NFT_RETURN`.
        let mut back = Vec::new();
        attribute::u32(&mut back, 1, (-5_i32).cast_unsigned());
        assert_eq!(
            write(0, 2, &back),
            Some(Expression::Verdict(Verdict::Return))
        );
        assert_eq!(write(1, 2, &back), None);
        assert_eq!(write(0, 1, &[1]), None);
        let load = Load {
            destination: Register::FIRST,
            value: vec![1],
        };
        assert_eq!(write(1, 1, &[1]), Some(Expression::Load(load)));
    }
}
