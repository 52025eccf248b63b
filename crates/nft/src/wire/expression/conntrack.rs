//! `ct` (`enum nft_ct_attributes`). With a direction, or a source register, it is not known here.

use super::super::attribute;
use super::super::known::{Known, read_register, read_u32};
use crate::object::{Conntrack, ConntrackKey};

pub(super) const NAME: &str = "ct";

/// `NFTA_CT_DREG`.
const DESTINATION: u16 = 1;
/// `NFTA_CT_KEY`.
const KEY: u16 = 2;

pub(super) fn encode(conntrack: &Conntrack, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, KEY, conntrack.key.0);
    attribute::register(buffer, DESTINATION, conntrack.destination);
}

pub(super) fn decode(data: &[u8]) -> Option<Conntrack> {
    let said = Known::<3>::of(data)?;
    Some(Conntrack {
        key: ConntrackKey(said.required(KEY, read_u32)?),
        destination: said.required(DESTINATION, read_register)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn with_a_direction_or_one_that_sets_something_it_is_not_known() {
        let write = |number: Option<u16>| {
            known(NAME, |buffer| {
                attribute::u32(buffer, KEY, 0);
                attribute::u32(buffer, DESTINATION, 1);
                if let Some(number) = number {
                    attribute::u8(buffer, number, 1);
                }
            })
        };
        assert!(write(None).is_some());
        assert_eq!(write(Some(3)), None); // NFTA_CT_DIRECTION
        assert_eq!(write(Some(4)), None); // NFTA_CT_SREG
    }
}
