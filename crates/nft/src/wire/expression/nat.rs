//! `nat` (`enum nft_nat_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_register, read_u32};
use crate::object::{Family, Nat, NatKind};

pub(super) const NAME: &str = "nat";

/// `NFTA_NAT_TYPE`.
const TYPE: u16 = 1;
/// `NFTA_NAT_FAMILY`.
const FAMILY: u16 = 2;
/// `NFTA_NAT_REG_ADDR_MIN`.
const MIN_ADDRESS: u16 = 3;
/// `NFTA_NAT_REG_ADDR_MAX`.
const MAX_ADDRESS: u16 = 4;
/// `NFTA_NAT_REG_PROTO_MIN`.
const MIN_PORT: u16 = 5;
/// `NFTA_NAT_REG_PROTO_MAX`.
const MAX_PORT: u16 = 6;
/// `NFTA_NAT_FLAGS`.
const FLAGS: u16 = 7;

/// `NFT_NAT_SNAT`.
const SOURCE: u32 = 0;
/// `NFT_NAT_DNAT`.
const DESTINATION: u32 = 1;

pub(super) fn encode(nat: &Nat, buffer: &mut Vec<u8>) {
    let kind = match nat.kind {
        NatKind::Source => SOURCE,
        NatKind::Destination => DESTINATION,
    };
    attribute::u32(buffer, TYPE, kind);
    attribute::u32(buffer, FAMILY, nat.family.number().into());
    let registers = [
        (MIN_ADDRESS, nat.min_address),
        (MAX_ADDRESS, nat.max_address),
        (MIN_PORT, nat.min_port),
        (MAX_PORT, nat.max_port),
    ];
    for (kind, register) in registers {
        if let Some(register) = register {
            attribute::register(buffer, kind, register);
        }
    }
    if nat.flags != 0 {
        attribute::u32(buffer, FLAGS, nat.flags);
    }
}

pub(super) fn decode(data: &[u8]) -> Option<Nat> {
    let said = Known::<8>::of(data)?;
    let register = |kind| said.optional(kind, read_register);
    let family = said.required(FAMILY, read_u32)?;
    Some(Nat {
        kind: match said.required(TYPE, read_u32)? {
            SOURCE => NatKind::Source,
            DESTINATION => NatKind::Destination,
            _ => return None,
        },
        family: Family::from_number(u8::try_from(family).ok()?),
        min_address: register(MIN_ADDRESS)?,
        max_address: register(MAX_ADDRESS)?,
        min_port: register(MIN_PORT)?,
        max_port: register(MAX_PORT)?,
        flags: said.optional(FLAGS, read_u32)?.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::Expression;

    #[test]
    fn a_kind_or_a_family_that_our_types_do_not_hold_is_not_known() {
        let write = |kind, family| {
            known(NAME, |buffer| {
                attribute::u32(buffer, TYPE, kind);
                attribute::u32(buffer, FAMILY, family);
            })
        };
        assert!(matches!(write(0, 2), Some(Expression::Nat(nat)) if nat.kind == NatKind::Source));
        assert!(matches!(write(1, 10), Some(Expression::Nat(nat)) if nat.family == Family::Ip6));
        assert_eq!(write(2, 2), None);
        assert_eq!(write(0, 258), None);
    }
}
