//! Frames: entries of the journal and of the index in bytes. The only place that knows bincode.
//!
//! ```text
//! magic  schema u16  length u32  crc32c u32  entry, by bincode
//! ```
//!
//! Numbers are little-endian; the checksum is of schema, length and entry. bincode fails on one
//! added field and misses most flipped bits: that is what schema and checksum are for.

use bincode::config::{self, Configuration, Fixint, LittleEndian, NoLimit};
use serde::{Deserialize, Serialize, Serializer};

/// Which file a frame is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) magic: [u8; 4],
    /// The number of the form of entries.
    pub(crate) schema: u16,
}

const HEADER: usize = 14;
/// What an entry may take in memory: no length in a file makes us ask for more.
const MOST: usize = 1 << 30;

type Legacy = Configuration<LittleEndian, Fixint, NoLimit>;
const NUMBERS: Legacy = config::legacy();

/// What a file's bytes hold.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded<T> {
    /// The entries that are whole, from the first on.
    pub(crate) entries: Vec<T>,
    /// What is wrong behind them.
    pub(crate) broken: Option<&'static str>,
}

/// Entries as frames. None if one is larger than a frame can say.
pub(crate) fn encode<'e, T: Serialize + 'e>(
    form: Form,
    entries: impl IntoIterator<Item = &'e T>,
) -> Option<Vec<u8>> {
    let mut frames = Vec::new();
    for entry in entries {
        let start = frames.len();
        // Length and checksum are not known before the entry is written.
        frames.extend([0; HEADER]);
        bincode::serde::encode_into_std_write(entry, &mut frames, NUMBERS).ok()?;
        let (header, body) = frames.get_mut(start..)?.split_first_chunk_mut::<HEADER>()?;
        let len = u32::try_from(body.len()).ok()?;
        *header = self::header(form, len, checksum(form.schema, len, body))?;
    }
    Some(frames)
}

fn header(form: Form, len: u32, sum: u32) -> Option<[u8; HEADER]> {
    let [magic, schema] = [&form.magic[..], &form.schema.to_le_bytes()];
    let [len, sum] = [len.to_le_bytes(), sum.to_le_bytes()];
    [magic, schema, &len, &sum].concat().try_into().ok()
}

/// Reads frames as far as they are whole. Entries may keep what they say where it lies.
pub(crate) fn decode<'b, T: Deserialize<'b>>(form: Form, mut bytes: &'b [u8]) -> Decoded<T> {
    let mut entries = Vec::new();
    let broken = loop {
        if bytes.is_empty() {
            break None;
        }
        match frame(form, bytes) {
            Ok((entry, rest)) => {
                entries.push(entry);
                bytes = rest;
            }
            Err(broken) => break Some(broken),
        }
    };
    Decoded { entries, broken }
}

fn frame<'b, T: Deserialize<'b>>(
    form: Form,
    bytes: &'b [u8],
) -> Result<(T, &'b [u8]), &'static str> {
    let cut = "it breaks off";
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(cut)?;
    if *magic != form.magic {
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
    if schema != form.schema {
        return Err("another build wrote it");
    }
    match bincode::serde::borrow_decode_from_slice(body, NUMBERS.with_limit::<MOST>()) {
        Ok((entry, read)) if read == body.len() => Ok((entry, rest)),
        _ => Err("it is not what this build writes"),
    }
}

fn checksum(schema: u16, len: u32, body: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&schema.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &len.to_le_bytes());
    crc32c::crc32c_append(sum, body)
}

/// Bytes at once: one by one, as serde would, takes as long as all else that is written.
pub(crate) fn at_once<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Entry = (String, Vec<u8>);

    const FORM: Form = Form {
        magic: *b"TEST",
        schema: 3,
    };

    fn entries() -> Vec<Entry> {
        vec![
            ("begin".to_owned(), vec![1, 2, 3]),
            ("commit".to_owned(), Vec::new()),
        ]
    }

    fn bytes() -> Vec<u8> {
        encode(FORM, &entries()).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let decoded = decode::<Entry>(FORM, &bytes());
        assert_eq!(decoded.entries, entries());
        assert_eq!(decoded.broken, None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = bytes();
        let first = encode(FORM, &entries()[..1]).unwrap().len();
        for len in 0..bytes.len() {
            let decoded = decode::<Entry>(FORM, &bytes[..len]);
            assert_eq!(decoded.entries.len(), usize::from(len >= first));
            assert_eq!(decoded.broken.is_none(), len == 0 || len == first, "{len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let decoded = decode::<Entry>(FORM, &flipped);
            assert!(decoded.broken.is_some(), "bit {bit}");
            assert_eq!(decoded.entries, entries()[..decoded.entries.len()]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            decode::<Entry>(FORM, &bytes);
        }

        #[test]
        fn any_body(body: Vec<u8>) {
            let len = u32::try_from(body.len()).unwrap();
            let mut frame = FORM.magic.to_vec();
            frame.extend(FORM.schema.to_le_bytes());
            frame.extend(len.to_le_bytes());
            frame.extend(checksum(FORM.schema, len, &body).to_le_bytes());
            frame.extend(body);
            decode::<Entry>(FORM, &frame);
        }
    }
}
