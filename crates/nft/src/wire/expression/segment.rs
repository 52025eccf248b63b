//! What lowers the segment size of tcp connections: `rt` that loads the size which a packet's route
//! allows (`enum nft_rt_attributes`), `byteorder` that turns it (`enum nft_byteorder_attributes`), and
//! `exthdr` that writes it (`enum nft_exthdr_attributes`). Of each, only that is known here.

use super::super::attribute;
use super::super::known::{Known, read_register, read_u8, read_u32};
use crate::object::Register;

pub(super) const ROUTE: &str = "rt";
pub(super) const ORDER: &str = "byteorder";
pub(super) const OPTION: &str = "exthdr";

/// `NFTA_RT_DREG`, `NFTA_RT_KEY`, and `NFT_RT_TCPMSS`.
const ROUTE_DESTINATION: u16 = 1;
const ROUTE_KEY: u16 = 2;
const TCP_MSS: u32 = 3;

/// `NFTA_BYTEORDER_*`, and `NFT_BYTEORDER_HTON`.
const ORDER_SOURCE: u16 = 1;
const ORDER_DESTINATION: u16 = 2;
const ORDER_OPERATION: u16 = 3;
const ORDER_LEN: u16 = 4;
const ORDER_SIZE: u16 = 5;
const TO_NETWORK: u32 = 1;

/// `NFTA_EXTHDR_*`, and `NFT_EXTHDR_OP_TCPOPT`. The kernel prints flags that it does not take.
const OPTION_TYPE: u16 = 2;
const OPTION_OFFSET: u16 = 3;
const OPTION_LEN: u16 = 4;
const OPTION_FLAGS: u16 = 5;
const OPTION_OPERATION: u16 = 6;
const OPTION_SOURCE: u16 = 7;
const OF_TCP: u32 = 1;
/// `TCPOPT_MAXSEG`, whose value is two bytes behind its type and length.
const MAXSEG: u8 = 2;
/// Where the value is in the option, and how long it is.
const VALUE: u32 = 2;

pub(super) fn encode_route(to: &Register, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, ROUTE_KEY, TCP_MSS);
    attribute::register(buffer, ROUTE_DESTINATION, *to);
}

pub(super) fn decode_route(data: &[u8]) -> Option<Register> {
    let said = Known::<3>::of(data)?;
    let key = said.required(ROUTE_KEY, read_u32)?;
    (key == TCP_MSS).then(|| said.required(ROUTE_DESTINATION, read_register))?
}

pub(super) fn encode_order(at: &Register, buffer: &mut Vec<u8>) {
    attribute::register(buffer, ORDER_SOURCE, *at);
    attribute::register(buffer, ORDER_DESTINATION, *at);
    attribute::u32(buffer, ORDER_OPERATION, TO_NETWORK);
    attribute::u32(buffer, ORDER_LEN, VALUE);
    attribute::u32(buffer, ORDER_SIZE, VALUE);
}

pub(super) fn decode_order(data: &[u8]) -> Option<Register> {
    let said = Known::<6>::of(data)?;
    let at = said.required(ORDER_SOURCE, read_register)?;
    let is_known = said.required(ORDER_DESTINATION, read_register)? == at
        && said.required(ORDER_OPERATION, read_u32)? == TO_NETWORK
        && said.required(ORDER_LEN, read_u32)? == VALUE
        && said.required(ORDER_SIZE, read_u32)? == VALUE;
    is_known.then_some(at)
}

pub(super) fn encode_option(from: &Register, buffer: &mut Vec<u8>) {
    attribute::register(buffer, OPTION_SOURCE, *from);
    attribute::bytes(buffer, OPTION_TYPE, &[MAXSEG]);
    attribute::u32(buffer, OPTION_OFFSET, VALUE);
    attribute::u32(buffer, OPTION_LEN, VALUE);
    attribute::u32(buffer, OPTION_OPERATION, OF_TCP);
}

pub(super) fn decode_option(data: &[u8]) -> Option<Register> {
    let said = Known::<8>::of(data)?;
    let is_known = said.required(OPTION_TYPE, read_u8)? == MAXSEG
        && said.required(OPTION_OFFSET, read_u32)? == VALUE
        && said.required(OPTION_LEN, read_u32)? == VALUE
        && said.required(OPTION_OPERATION, read_u32)? == OF_TCP
        && said.optional(OPTION_FLAGS, read_u32)?.unwrap_or_default() == 0
        && said.lacks(1);
    is_known.then(|| said.required(OPTION_SOURCE, read_register))?
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn other_keys_orders_and_options_are_not_known() {
        let register = Register::FIRST;
        let class = known(ROUTE, |buffer| {
            attribute::u32(buffer, ROUTE_KEY, 0);
            attribute::register(buffer, ROUTE_DESTINATION, register);
        });
        assert_eq!(class, None);
        let window_scale = known(OPTION, |buffer| {
            attribute::register(buffer, OPTION_SOURCE, register);
            attribute::bytes(buffer, OPTION_TYPE, &[3]);
            attribute::u32(buffer, OPTION_OFFSET, VALUE);
            attribute::u32(buffer, OPTION_LEN, VALUE);
            attribute::u32(buffer, OPTION_OPERATION, OF_TCP);
        });
        assert_eq!(window_scale, None);
        let as_printed = known(OPTION, |buffer| {
            encode_option(&register, buffer);
            attribute::u32(buffer, OPTION_FLAGS, 0);
        });
        assert!(as_printed.is_some());
    }
}
