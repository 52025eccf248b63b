//! `immediate` (`enum nft_immediate_attributes`): a value into a register, or a verdict into the
//! register for verdicts.

use super::super::attribute::{self, Known, read_u32};
use super::super::data;
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
        Value::Bytes(value) => Some(Expression::Load(Load {
            destination: Register::from_number(destination)?,
            value,
        })),
    }
}
