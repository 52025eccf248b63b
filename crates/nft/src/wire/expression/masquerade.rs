//! `masq` (`enum nft_masq_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_register, read_u32};
use crate::object::Masquerade;

pub(super) const NAME: &str = "masq";

/// `NFTA_MASQ_FLAGS`.
const FLAGS: u16 = 1;
/// `NFTA_MASQ_REG_PROTO_MIN`.
const MIN_PORT: u16 = 2;
/// `NFTA_MASQ_REG_PROTO_MAX`.
const MAX_PORT: u16 = 3;

pub(super) fn encode(masquerade: &Masquerade, buffer: &mut Vec<u8>) {
    if masquerade.flags != 0 {
        attribute::u32(buffer, FLAGS, masquerade.flags);
    }
    let ports = [
        (MIN_PORT, masquerade.min_port),
        (MAX_PORT, masquerade.max_port),
    ];
    for (kind, register) in ports {
        if let Some(register) = register {
            attribute::register(buffer, kind, register);
        }
    }
}

pub(super) fn decode(data: &[u8]) -> Option<Masquerade> {
    let said = Known::<4>::of(data)?;
    Some(Masquerade {
        flags: said.optional(FLAGS, read_u32)?.unwrap_or(0),
        min_port: said.optional(MIN_PORT, read_register)?,
        max_port: said.optional(MAX_PORT, read_register)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::Expression;

    #[test]
    fn without_anything_it_is_the_plain_one() {
        let plain = Some(Expression::Masquerade(Masquerade::default()));
        assert_eq!(known(NAME, |_| {}), plain);
        let verdict = known(NAME, |buffer| attribute::u32(buffer, MIN_PORT, 0));
        assert_eq!(verdict, None);
    }
}
