//! `bitwise` (`enum nft_bitwise_attributes`). Only mask and xor; shifts are not known here.

use super::super::attribute;
use super::super::data;
use super::super::known::{Known, read_register, read_u32};
use crate::object::Bitwise;

pub(super) const NAME: &str = "bitwise";

/// `NFTA_BITWISE_SREG`.
const SOURCE: u16 = 1;
/// `NFTA_BITWISE_DREG`.
const DESTINATION: u16 = 2;
/// `NFTA_BITWISE_LEN`.
const LEN: u16 = 3;
/// `NFTA_BITWISE_MASK`.
const MASK: u16 = 4;
/// `NFTA_BITWISE_XOR`.
const XOR: u16 = 5;
/// `NFTA_BITWISE_OP`.
const OPERATION: u16 = 6;

/// `NFT_BITWISE_MASK_XOR`.
const MASK_XOR: u32 = 0;

pub(super) fn encode(bitwise: &Bitwise, buffer: &mut Vec<u8>) {
    attribute::register(buffer, SOURCE, bitwise.source);
    attribute::register(buffer, DESTINATION, bitwise.destination);
    attribute::u32(buffer, LEN, bitwise.len);
    attribute::u32(buffer, OPERATION, MASK_XOR);
    data::encode_bytes(buffer, MASK, &bitwise.mask);
    data::encode_bytes(buffer, XOR, &bitwise.xor);
}

pub(super) fn decode(bytes: &[u8]) -> Option<Bitwise> {
    let said = Known::<7>::of(bytes)?;
    // Kernels before 5.6 knew no other and did not say it.
    if said.optional(OPERATION, read_u32)?.unwrap_or(MASK_XOR) != MASK_XOR {
        return None;
    }
    let bitwise = Bitwise {
        source: said.required(SOURCE, read_register)?,
        destination: said.required(DESTINATION, read_register)?,
        len: said.required(LEN, read_u32)?,
        mask: said.required(MASK, data::decode_bytes)?,
        xor: said.required(XOR, data::decode_bytes)?,
    };
    let len = bitwise.len as usize;
    let fits = bitwise.source.fits(len) && bitwise.destination.fits(len);
    (fits && bitwise.mask.len() == len && bitwise.xor.len() == len).then_some(bitwise)
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::{Expression, Register};

    fn bitwise() -> Bitwise {
        Bitwise {
            source: Register::FIRST,
            destination: Register::FIRST,
            len: 2,
            mask: vec![0xff, 0],
            xor: vec![0, 0],
        }
    }

    #[test]
    fn an_operation_that_is_not_said_is_the_old_one() {
        let expected = Some(Expression::Bitwise(bitwise()));
        let write = |operation: Option<u32>| {
            known(NAME, |buffer| {
                attribute::u32(buffer, SOURCE, 1);
                attribute::u32(buffer, DESTINATION, 8);
                attribute::u32(buffer, LEN, 2);
                data::encode_bytes(buffer, MASK, &[0xff, 0]);
                data::encode_bytes(buffer, XOR, &[0, 0]);
                if let Some(operation) = operation {
                    attribute::u32(buffer, OPERATION, operation);
                }
            })
        };
        assert_eq!(write(None), expected);
        assert_eq!(write(Some(0)), expected);
        assert_eq!(write(Some(1)), None);
    }

    #[test]
    fn a_shift_is_not_known() {
        let shift = known(NAME, |buffer| {
            attribute::u32(buffer, SOURCE, 1);
            attribute::u32(buffer, DESTINATION, 1);
            attribute::u32(buffer, LEN, 4);
            attribute::u32(buffer, OPERATION, 2); // NFT_BITWISE_RSHIFT
            data::encode_bytes(buffer, 7, &[0, 0, 0, 8]); // NFTA_BITWISE_DATA
        });
        assert_eq!(shift, None);
    }

    #[test]
    fn a_mask_of_another_length_is_not_known() {
        for (len, mask) in [(3, 2), (2, 3)] {
            let odd = Bitwise {
                len,
                mask: vec![0xff; mask],
                ..bitwise()
            };
            assert_eq!(known(NAME, |buffer| encode(&odd, buffer)), None);
        }
    }
}
