//! `counter` (`enum nft_counter_attributes`).

use super::super::attribute;
use super::super::known::{Known, read_u64};
use crate::object::Counter;

pub(super) const NAME: &str = "counter";

/// `NFTA_COUNTER_BYTES`.
const BYTES: u16 = 1;
/// `NFTA_COUNTER_PACKETS`.
const PACKETS: u16 = 2;

pub(super) fn encode(counter: &Counter, buffer: &mut Vec<u8>) {
    attribute::u64(buffer, BYTES, counter.bytes);
    attribute::u64(buffer, PACKETS, counter.packets);
}

pub(super) fn decode(data: &[u8]) -> Option<Counter> {
    // The fourth is `NFTA_COUNTER_PAD`, which says nothing.
    let said = Known::<4>::of(data)?;
    Some(Counter {
        packets: said.optional(PACKETS, read_u64)?.unwrap_or(0),
        bytes: said.optional(BYTES, read_u64)?.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;
    use crate::object::Expression;

    #[test]
    fn what_is_not_said_is_zero() {
        let empty = known(NAME, |buffer| attribute::bytes(buffer, 3, &[]));
        assert_eq!(empty, Some(Expression::Counter(Counter::default())));
        let one = known(NAME, |buffer| attribute::u64(buffer, PACKETS, 9));
        let counter = Counter {
            packets: 9,
            bytes: 0,
        };
        assert_eq!(one, Some(Expression::Counter(counter)));
    }

    #[test]
    fn a_number_of_another_size_is_not_known() {
        assert_eq!(known(NAME, |buffer| attribute::u32(buffer, BYTES, 9)), None);
    }
}
