//! The journal's frames in bytes. The only place that knows bincode.
//!
//! ```text
//! "PLSJ"  schema u16  length u32  crc32c u32  entry, by bincode
//! ```
//!
//! Numbers are little-endian; the checksum is of schema, length and entry. bincode fails on one
//! added field and misses most flipped bits: that is what schema and checksum are for.

use bincode::config::{self, Configuration, Fixint, LittleEndian, NoLimit};

use super::Entry;

const MAGIC: [u8; 4] = *b"PLSJ";
/// The number of the form of entries.
pub(super) const SCHEMA: u16 = 1;
const HEADER: usize = 14;

type Legacy = Configuration<LittleEndian, Fixint, NoLimit>;
const FORM: Legacy = config::legacy();

/// What a journal's bytes hold.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    /// The entries that are whole, from the first on.
    pub(super) entries: Vec<Entry>,
    /// What is wrong behind them.
    pub(super) broken: Option<&'static str>,
}

/// An entry as a frame. None if it is larger than a frame can say.
pub(super) fn encode(entry: &Entry) -> Option<Vec<u8>> {
    let body = bincode::serde::encode_to_vec(entry, FORM).ok()?;
    let len = u32::try_from(body.len()).ok()?;
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend(MAGIC);
    frame.extend(SCHEMA.to_le_bytes());
    frame.extend(len.to_le_bytes());
    frame.extend(checksum(SCHEMA, len, &body).to_le_bytes());
    frame.extend(body);
    Some(frame)
}

/// Reads frames as far as they are whole.
pub(super) fn decode(mut bytes: &[u8]) -> Decoded {
    let mut entries = Vec::new();
    let broken = loop {
        if bytes.is_empty() {
            break None;
        }
        match frame(bytes) {
            Ok((entry, rest)) => {
                entries.push(entry);
                bytes = rest;
            }
            Err(broken) => break Some(broken),
        }
    };
    Decoded { entries, broken }
}

fn frame(bytes: &[u8]) -> Result<(Entry, &[u8]), &'static str> {
    let cut = "it breaks off";
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(cut)?;
    if *magic != MAGIC {
        return Err("it is not palisade's");
    }
    let (schema, rest) = rest.split_first_chunk::<2>().ok_or(cut)?;
    let (len, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
    let (sum, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
    let (schema, len) = (u16::from_le_bytes(*schema), u32::from_le_bytes(*len));
    let (body, rest) = usize::try_from(len)
        .ok()
        .and_then(|len| rest.split_at_checked(len))
        .ok_or(cut)?;
    if checksum(schema, len, body) != u32::from_le_bytes(*sum) {
        return Err("its checksum is wrong");
    }
    if schema != SCHEMA {
        return Err("a newer build wrote it");
    }
    match bincode::serde::decode_from_slice(body, FORM) {
        Ok((entry, read)) if read == body.len() => Ok((entry, rest)),
        _ => Err("it is not what this build writes"),
    }
}

fn checksum(schema: u16, len: u32, body: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&schema.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &len.to_le_bytes());
    crc32c::crc32c_append(sum, body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Begin, Planned};
    use super::*;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::Begin(Begin {
                transaction: "0123456789abcde".to_owned(),
                steps: vec![Planned {
                    backend: "nftables".to_owned(),
                    what: "one batch".to_owned(),
                    payload: vec![1, 2, 3],
                    undo: vec![],
                }],
                before: vec!["{}".to_owned()],
                after: vec!["{\"a\":1}".to_owned()],
            }),
            Entry::Commit("0123456789abcde".to_owned()),
        ]
    }

    fn bytes() -> Vec<u8> {
        entries()
            .iter()
            .flat_map(|entry| encode(entry).unwrap())
            .collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let decoded = decode(&bytes());
        assert_eq!(decoded.entries, entries());
        assert_eq!(decoded.broken, None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = bytes();
        let first = encode(&entries()[0]).unwrap().len();
        for len in 0..bytes.len() {
            let decoded = decode(&bytes[..len]);
            assert_eq!(decoded.entries.len(), usize::from(len >= first));
            assert_eq!(decoded.broken.is_none(), len == 0 || len == first, "{len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let decoded = decode(&flipped);
            assert!(decoded.broken.is_some(), "bit {bit}");
            assert_eq!(decoded.entries, entries()[..decoded.entries.len()]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            decode(&bytes);
        }

        #[test]
        fn any_body(body: Vec<u8>) {
            let len = u32::try_from(body.len()).unwrap();
            let mut frame = MAGIC.to_vec();
            frame.extend(SCHEMA.to_le_bytes());
            frame.extend(len.to_le_bytes());
            frame.extend(checksum(SCHEMA, len, &body).to_le_bytes());
            frame.extend(body);
            decode(&frame);
        }
    }
}
