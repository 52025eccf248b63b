//! `reject` (`enum nft_reject_attributes`).

use super::super::attribute::{self, Known, read_u8, read_u32};
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
