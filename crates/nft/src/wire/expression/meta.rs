//! `meta` (`enum nft_meta_attributes`). With a source register it sets something; that is not
//! known here.

use super::super::attribute::{self, Known, read_register, read_u32};
use crate::object::{Meta, MetaKey};

pub(super) const NAME: &str = "meta";

/// `NFTA_META_DREG`.
const DESTINATION: u16 = 1;
/// `NFTA_META_KEY`.
const KEY: u16 = 2;

pub(super) fn encode(meta: &Meta, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, KEY, meta.key.0);
    attribute::register(buffer, DESTINATION, meta.destination);
}

pub(super) fn decode(data: &[u8]) -> Option<Meta> {
    let said = Known::<3>::of(data)?;
    Some(Meta {
        key: MetaKey(said.required(KEY, read_u32)?),
        destination: said.required(DESTINATION, read_register)?,
    })
}
