//! `reject` (`enum nft_reject_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_u8, read_u32};
use crate::object::{Reject, RejectKind};

pub(super) const NAME: &str = "reject";

/// `NFTA_REJECT_TYPE`.
const TYPE: u16 = 1;
/// `NFTA_REJECT_ICMP_CODE`.
const CODE: u16 = 2;

pub(super) fn encode(reject: &Reject, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, TYPE, reject.kind.0);
    // A TCP reset has none, and the kernel says none.
    if reject.kind != RejectKind::TCP_RESET || reject.code != 0 {
        attribute::u8(buffer, CODE, reject.code);
    }
}

pub(super) fn decode(data: &[u8]) -> Option<Reject> {
    let said = Known::<3>::of(data)?;
    let kind = RejectKind(said.required(TYPE, read_u32)?);
    let code = match said.optional(CODE, read_u8)? {
        Some(code) => code,
        None if kind == RejectKind::TCP_RESET => 0,
        None => return None,
    };
    Some(Reject { kind, code })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::Expression;

    #[test]
    fn only_a_reset_needs_no_code() {
        let codeless = |kind| known(NAME, |buffer| attribute::u32(buffer, TYPE, kind));
        let reset = Reject {
            kind: RejectKind::TCP_RESET,
            code: 0,
        };
        assert_eq!(codeless(1), Some(Expression::Reject(reset)));
        assert_eq!(codeless(0), None);
        assert_eq!(codeless(2), None);
    }
}
