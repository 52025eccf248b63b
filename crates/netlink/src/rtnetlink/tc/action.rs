//! Actions of filters: recomputing checksums (`linux/tc_act/tc_csum.h`).

use super::super::request::number;
use super::head::{KIND, OPTIONS};
use crate::attribute::{self, Attributes};
use crate::{Header, Malformed, flags, message};

/// `RTM_NEWACTION`, and in it `TCA_ACT_TAB`.
const NEW: u16 = 48;
const TABLE: u16 = 1;
/// `TCA_ACT_COOKIE`: bytes that the kernel keeps for whoever made the action.
const COOKIE: u16 = 6;
/// `TCA_CSUM_PARMS`: `struct tc_csum`, whose third word says how packets go on and whose last which
/// checksums are recomputed.
const PARAMETERS: u16 = 1;
/// `TC_ACT_UNSPEC`: packets go on to the next filter.
const CONTINUE: i32 = -1;
/// `TCA_CSUM_UPDATE_FLAG_IPV4HDR` and `TCA_CSUM_UPDATE_FLAG_UDP`.
const IPV4_AND_UDP: u32 = 0x11;
const NAME: &str = "csum";

/// What identifies an action as palisade's.
pub(super) const MARK: &[u8] = b"palisade";

/// An action of a filter, as far as it matters whether it is the one that palisade adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Action {
    pub(super) is_marked: bool,
    /// Whether it recomputes both checksums and lets packets go on.
    pub(super) recomputes: bool,
}

/// Appends a request that makes no action: it fails with `EINVAL` where the kernel can recompute
/// checksums, since parameters are missing, and otherwise says that it cannot. The kernel loads the
/// module for it.
pub(super) fn probe(buffer: &mut Vec<u8>) {
    let how = flags::REQUEST | flags::ACK | flags::EXCLUSIVE | flags::CREATE;
    // `struct tcamsg`: a family and padding.
    message::put(buffer, Header::request(NEW, how, 0), &[0; 4], |body| {
        attribute::nest(body, TABLE, |table| {
            attribute::nest(table, 1, |action| attribute::text(action, KIND, NAME));
        });
    });
}

/// Appends the action to the list of a filter, as its first.
pub(super) fn put(buffer: &mut Vec<u8>) {
    let mut parameters = [0_u8; 24];
    let (words, _) = parameters.as_chunks_mut::<4>();
    words[2] = CONTINUE.to_ne_bytes();
    words[5] = IPV4_AND_UDP.to_ne_bytes();
    attribute::nest(buffer, 1, |action| {
        attribute::text(action, KIND, NAME);
        attribute::nest(action, OPTIONS, |options| {
            attribute::bytes(options, PARAMETERS, &parameters);
        });
        attribute::bytes(action, COOKIE, MARK);
    });
}

/// Reads an action.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(bytes: &[u8]) -> Result<Action, Malformed> {
    let (mut is_checksum, mut action) = (false, Action::default());
    for attribute in Attributes::of("action", bytes) {
        let attribute = attribute?;
        match attribute.number() {
            KIND => is_checksum = attribute.text() == NAME,
            COOKIE => action.is_marked = attribute.bytes == MARK,
            OPTIONS => action.recomputes = recomputes(attribute.bytes)?,
            _ => {}
        }
    }
    action.recomputes &= is_checksum;
    Ok(action)
}

fn recomputes(options: &[u8]) -> Result<bool, Malformed> {
    for option in Attributes::of("action", options) {
        let option = option?;
        if option.number() == PARAMETERS {
            let word = |at: usize| number(option.bytes.get(at..at + 4));
            return Ok(word(8) == Some(CONTINUE.cast_unsigned()) && word(20) == Some(IPV4_AND_UDP));
        }
    }
    Ok(false)
}
