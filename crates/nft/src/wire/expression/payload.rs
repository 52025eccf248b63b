//! `payload` (`enum nft_payload_attributes`). With a source register it writes into the packet;
//! that is not known here.

use super::super::attribute;
use super::super::known::{Known, read_offset, read_register, read_u32};
use crate::object::{Payload, PayloadBase};

pub(super) const NAME: &str = "payload";

/// `NFTA_PAYLOAD_DREG`.
const DESTINATION: u16 = 1;
/// `NFTA_PAYLOAD_BASE`.
const BASE: u16 = 2;
/// `NFTA_PAYLOAD_OFFSET`.
const OFFSET: u16 = 3;
/// `NFTA_PAYLOAD_LEN`.
const LEN: u16 = 4;

pub(super) fn encode(payload: &Payload, buffer: &mut Vec<u8>) {
    attribute::register(buffer, DESTINATION, payload.destination);
    attribute::u32(buffer, BASE, payload.base.0);
    attribute::u32(buffer, OFFSET, payload.offset);
    attribute::u32(buffer, LEN, payload.len);
}

pub(super) fn decode(data: &[u8]) -> Option<Payload> {
    let said = Known::<5>::of(data)?;
    let payload = Payload {
        base: PayloadBase(said.required(BASE, read_u32)?),
        offset: said.required(OFFSET, read_offset)?,
        len: said.required(LEN, read_u32)?,
        destination: said.required(DESTINATION, read_register)?,
    };
    let fits = payload.destination.fits(payload.len as usize);
    fits.then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn one_that_writes_is_not_known() {
        let writes = known(NAME, |buffer| {
            for number in DESTINATION..=8 {
                attribute::u32(buffer, number, 1);
            }
        });
        assert_eq!(writes, None);
        let loads = known(NAME, |buffer| {
            for number in DESTINATION..=LEN {
                attribute::u32(buffer, number, 1);
            }
        });
        assert!(loads.is_some());
    }
}
