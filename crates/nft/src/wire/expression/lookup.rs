//! `lookup` (`enum nft_lookup_attributes`).

use super::super::attribute::{self, Known, read_register, read_text, read_u32};
use crate::object::{Lookup, LookupTarget, Register};

pub(super) const NAME: &str = "lookup";

/// `NFTA_LOOKUP_SET`.
const SET: u16 = 1;
/// `NFTA_LOOKUP_SREG`.
const SOURCE: u16 = 2;
/// `NFTA_LOOKUP_DREG`.
const DESTINATION: u16 = 3;
/// `NFTA_LOOKUP_SET_ID`.
const SET_ID: u16 = 4;
/// `NFTA_LOOKUP_FLAGS`.
const FLAGS: u16 = 5;

/// `NFT_LOOKUP_F_INV`.
const INVERTED: u32 = 1;
/// `NFT_REG_VERDICT`.
const VERDICT: u32 = 0;

pub(super) fn encode(lookup: &Lookup, buffer: &mut Vec<u8>) {
    attribute::text(buffer, SET, &lookup.set);
    attribute::register(buffer, SOURCE, lookup.source);
    match lookup.target {
        LookupTarget::None => {}
        LookupTarget::Register(register) => attribute::register(buffer, DESTINATION, register),
        LookupTarget::Verdict => attribute::u32(buffer, DESTINATION, VERDICT),
    }
    if let Some(id) = lookup.set_id {
        attribute::u32(buffer, SET_ID, id);
    }
    if lookup.inverted {
        attribute::u32(buffer, FLAGS, INVERTED);
    }
}

pub(super) fn decode(data: &[u8]) -> Option<Lookup> {
    let said = Known::<6>::of(data)?;
    Some(Lookup {
        set: said.required(SET, read_text)?.to_owned(),
        set_id: said.optional(SET_ID, read_u32)?,
        source: said.required(SOURCE, read_register)?,
        target: match said.optional(DESTINATION, read_u32)? {
            None => LookupTarget::None,
            Some(VERDICT) => LookupTarget::Verdict,
            Some(number) => LookupTarget::Register(Register::from_number(number)?),
        },
        // The kernel says 0 where there are none.
        inverted: match said.optional(FLAGS, read_u32)? {
            None | Some(0) => false,
            Some(INVERTED) => true,
            Some(_) => return None,
        },
    })
}
