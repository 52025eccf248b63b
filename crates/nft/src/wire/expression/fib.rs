//! `fib` (`enum nft_fib_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_register, read_u32};
use crate::object::{Fib, FibFlags, FibResult};

pub(super) const NAME: &str = "fib";

/// `NFTA_FIB_DREG`.
const DESTINATION: u16 = 1;
/// `NFTA_FIB_RESULT`.
const RESULT: u16 = 2;
/// `NFTA_FIB_FLAGS`.
const FLAGS: u16 = 3;

pub(super) fn encode(fib: &Fib, buffer: &mut Vec<u8>) {
    attribute::register(buffer, DESTINATION, fib.destination);
    attribute::u32(buffer, RESULT, fib.result.0);
    attribute::u32(buffer, FLAGS, fib.flags.0);
}

pub(super) fn decode(data: &[u8]) -> Option<Fib> {
    let said = Known::<4>::of(data)?;
    Some(Fib {
        result: FibResult(said.required(RESULT, read_u32)?),
        flags: FibFlags(said.required(FLAGS, read_u32)?),
        destination: said.required(DESTINATION, read_register)?,
    })
}
