//! Messages of netfilter's subsystems: `linux/netfilter/nfnetlink.h`.
//!
//! A type has the subsystem in its upper byte and the kind of message in the lower. Behind the
//! header come four bytes, `struct nfgenmsg`: the family, a version, and the number of a resource.

use crate::message::{self, Message};
use crate::{Family, Header, Malformed};

/// `NFNL_SUBSYS_CTNETLINK`: connection tracking.
pub(crate) const CONNTRACK: u8 = 1;
/// `NFNL_SUBSYS_NFTABLES`: nf_tables.
pub const NFTABLES: u8 = 10;
/// `NFNL_MSG_BATCH_BEGIN`: the head of a batch, of no subsystem.
pub const BATCH_BEGIN: u16 = 16;
/// `NFNL_MSG_BATCH_END`: the end of a batch.
pub const BATCH_END: u16 = 17;

/// The type of a message: a subsystem's kind.
#[must_use]
pub const fn kind(subsystem: u8, kind: u8) -> u16 {
    u16::from_be_bytes([subsystem, kind])
}

/// Appends a message of netfilter: header, family, and the attributes that `attributes` writes.
pub fn put(
    buffer: &mut Vec<u8>,
    header: Header,
    (family, resource): (Family, u16),
    attributes: impl FnOnce(&mut Vec<u8>),
) {
    let [high, low] = resource.to_be_bytes();
    message::put(buffer, header, &[family.number(), 0, high, low], attributes);
}

/// The family and the attributes of a message of netfilter.
///
/// # Errors
/// If the message is too short for a family.
pub fn split<'a>(message: &Message<'a>) -> Result<(Family, &'a [u8]), Malformed> {
    match message.payload {
        [family, _, _, _, attributes @ ..] => Ok((Family::from_number(*family), attributes)),
        _ => Err(Malformed::Message {
            told: message.header.len,
            there: message.bytes.len(),
        }),
    }
}
