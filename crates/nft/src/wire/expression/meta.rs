//! `meta` (`enum nft_meta_attributes`). With a source register it sets something; that is not
//! known here.

use super::super::attribute;
use super::super::known::{Known, read_register, read_u32};
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

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn one_that_sets_something_is_not_known() {
        let sets = known(NAME, |buffer| {
            encode(&meta(), buffer);
            attribute::u32(buffer, 3, 1); // NFTA_META_SREG
        });
        assert_eq!(sets, None);
        assert!(known(NAME, |buffer| encode(&meta(), buffer)).is_some());
    }

    #[test]
    fn there_is_no_value_in_the_register_of_verdicts() {
        let into_verdict = known(NAME, |buffer| {
            attribute::u32(buffer, KEY, 6);
            attribute::u32(buffer, DESTINATION, 0);
        });
        assert_eq!(into_verdict, None);
    }

    fn meta() -> Meta {
        Meta {
            key: MetaKey::IIFNAME,
            destination: crate::object::Register::FIRST,
        }
    }
}
