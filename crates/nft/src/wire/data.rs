//! Values and verdicts, as expressions and elements hold them (`enum nft_data_attributes`).

use super::attribute;
use super::known::{Known, read_text, read_u32};
use crate::object::{Value, Verdict};

/// `NFTA_DATA_VALUE`.
const VALUE: u16 = 1;
/// `NFTA_DATA_VERDICT`.
const VERDICT: u16 = 2;
/// `NFTA_VERDICT_CODE`.
const CODE: u16 = 1;
/// `NFTA_VERDICT_CHAIN`.
const CHAIN: u16 = 2;

/// `enum nft_verdicts`, and before it those of netfilter.
const DROP: i32 = 0;
const ACCEPT: i32 = 1;
const CONTINUE: i32 = -1;
const JUMP: i32 = -3;
const GOTO: i32 = -4;
const RETURN: i32 = -5;

pub(super) fn encode_bytes(buffer: &mut Vec<u8>, kind: u16, value: &[u8]) {
    attribute::nest(buffer, kind, |buffer| {
        attribute::bytes(buffer, VALUE, value);
    });
}

pub(super) fn encode_verdict(buffer: &mut Vec<u8>, kind: u16, verdict: &Verdict) {
    let (code, chain) = match verdict {
        Verdict::Drop => (DROP, None),
        Verdict::Accept => (ACCEPT, None),
        Verdict::Continue => (CONTINUE, None),
        Verdict::Return => (RETURN, None),
        Verdict::Jump(chain) => (JUMP, Some(chain)),
        Verdict::Goto(chain) => (GOTO, Some(chain)),
        Verdict::Other(code) => (*code, None),
    };
    attribute::nest(buffer, kind, |buffer| {
        attribute::nest(buffer, VERDICT, |buffer| {
            attribute::u32(buffer, CODE, code.cast_unsigned());
            if let Some(chain) = chain {
                attribute::text(buffer, CHAIN, chain);
            }
        });
    });
}

/// What is inside the attribute, if our types hold it.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let data = Known::<3>::of(bytes)?;
    if data.lacks(VERDICT) {
        data.required(VALUE, Some)
            .map(|bytes| Value::Bytes(bytes.to_vec()))
    } else if data.lacks(VALUE) {
        data.required(VERDICT, decode_verdict).map(Value::Verdict)
    } else {
        None
    }
}

/// The bytes inside the attribute, where they stand; none if it holds something else.
pub(super) fn bytes_in(bytes: &[u8]) -> Option<&[u8]> {
    let data = Known::<3>::of(bytes)?;
    let value = data.required(VALUE, Some)?;
    data.lacks(VERDICT).then_some(value)
}

pub(super) fn decode_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    bytes_in(bytes).map(<[u8]>::to_vec)
}

pub(super) fn decode_verdict(bytes: &[u8]) -> Option<Verdict> {
    let verdict = Known::<3>::of(bytes)?;
    let code = verdict.required(CODE, read_u32)?.cast_signed();
    let chain = verdict.optional(CHAIN, read_text)?.map(str::to_owned);
    match (code, chain) {
        (JUMP, chain) => chain.map(Verdict::Jump),
        (GOTO, chain) => chain.map(Verdict::Goto),
        (_, Some(_)) => None,
        (DROP, None) => Some(Verdict::Drop),
        (ACCEPT, None) => Some(Verdict::Accept),
        (CONTINUE, None) => Some(Verdict::Continue),
        (RETURN, None) => Some(Verdict::Return),
        (other, None) => Some(Verdict::Other(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: impl FnOnce(&mut Vec<u8>)) -> Option<Value> {
        let mut buffer = Vec::new();
        content(&mut buffer);
        decode(&buffer)
    }

    fn verdict(code: i32, chain: Option<&str>) -> Option<Value> {
        read(|buffer| {
            attribute::nest(buffer, VERDICT, |buffer| {
                attribute::u32(buffer, CODE, code.cast_unsigned());
                if let Some(chain) = chain {
                    attribute::text(buffer, CHAIN, chain);
                }
            });
        })
    }

    #[test]
    fn verdicts_by_number() {
        for (code, chain, expected) in [
            (0, None, Verdict::Drop),
            (1, None, Verdict::Accept),
            (-1, None, Verdict::Continue),
            (-3, Some("c"), Verdict::Jump("c".to_owned())),
            (-4, Some("c"), Verdict::Goto("c".to_owned())),
            (-5, None, Verdict::Return),
            (3, None, Verdict::Other(3)),
            (-2, None, Verdict::Other(-2)),
        ] {
            assert_eq!(verdict(code, chain), Some(Value::Verdict(expected)));
        }
    }

    #[test]
    fn what_has_no_meaning_has_no_value() {
        assert_eq!(verdict(-3, None), None);
        assert_eq!(verdict(1, Some("c")), None);
        assert_eq!(read(|_| {}), None);
        assert_eq!(read(|buffer| attribute::u32(buffer, 3, 1)), None);
        let both = read(|buffer| {
            attribute::bytes(buffer, VALUE, &[1]);
            attribute::nest(buffer, VERDICT, |buffer| attribute::u32(buffer, CODE, 1));
        });
        assert_eq!(both, None);
        // `NFTA_VERDICT_CHAIN_ID`: a chain of the batch without a name.
        let chain_id = read(|buffer| {
            attribute::nest(buffer, VERDICT, |buffer| {
                attribute::u32(buffer, CODE, JUMP.cast_unsigned());
                attribute::u32(buffer, 3, 9);
            });
        });
        assert_eq!(chain_id, None);
    }

    #[test]
    fn bytes_are_as_they_are() {
        let value = read(|buffer| attribute::bytes(buffer, VALUE, &[0, 1, 2]));
        assert_eq!(value, Some(Value::Bytes(vec![0, 1, 2])));
    }
}
