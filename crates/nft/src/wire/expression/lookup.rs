//! `lookup` (`enum nft_lookup_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_register, read_text, read_u32};
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

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::Expression;

    fn with(number: u16, value: u32) -> Option<Expression> {
        known(NAME, |buffer| {
            attribute::text(buffer, SET, "s");
            attribute::u32(buffer, SOURCE, 1);
            attribute::u32(buffer, number, value);
        })
    }

    #[test]
    fn flags_that_are_not_known_change_the_meaning() {
        let inverted = |read: Option<Expression>| match read {
            Some(Expression::Lookup(lookup)) => Some(lookup.inverted),
            _ => None,
        };
        assert_eq!(inverted(with(FLAGS, 0)), Some(false));
        assert_eq!(inverted(with(FLAGS, 1)), Some(true));
        assert_eq!(inverted(with(FLAGS, 3)), None);
    }

    #[test]
    fn the_register_of_verdicts_is_a_target() {
        let target = |read: Option<Expression>| match read {
            Some(Expression::Lookup(lookup)) => Some(lookup.target),
            _ => None,
        };
        assert_eq!(target(with(DESTINATION, 0)), Some(LookupTarget::Verdict));
        let first = LookupTarget::Register(Register::FIRST);
        assert_eq!(target(with(DESTINATION, 1)), Some(first));
        assert_eq!(target(with(DESTINATION, 5)), None);
        assert_eq!(target(with(FLAGS, 0)), Some(LookupTarget::None));
    }
}
