//! What programs write beside objects, for themselves: the kernel keeps it and never looks at it.
//!
//! `nft` has its own form for it, and ours is the same, so that `nft list ruleset` shows our
//! comments and what it prints can be loaded again with nothing lost: a list of values, each with
//! a byte for its type and one for its length.

/// The bytes beside an object; none if empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Userdata(pub Vec<u8>);

/// The comment of a table, chain, rule or element (`NFTNL_UDATA_RULE_COMMENT` and its like).
const COMMENT: u8 = 0;
/// A set's comment (`NFTNL_UDATA_SET_COMMENT`).
const SET_COMMENT: u8 = 7;
/// The byte order of a set's key (`NFTNL_UDATA_SET_KEYBYTEORDER`): without it, `nft` lists the
/// names of interfaces as "".
const SET_KEY_BYTE_ORDER: u8 = 0;

impl Userdata {
    /// The longest comment, in bytes, that `nft` reads back.
    pub(crate) const MAX_COMMENT: usize = 127;

    /// Holds a comment for a table, a chain, a rule or an element. What is longer than 127 bytes, which is
    /// what `nft` reads back, is cut between characters.
    #[must_use]
    pub fn comment(text: &str) -> Self {
        let mut userdata = Self(Vec::with_capacity(text.len() + 3));
        userdata.push_text(COMMENT, text);
        userdata
    }

    /// What `nft` needs to know of a set: whether its key is in the host's byte order, and the
    /// set's comment.
    #[must_use]
    pub fn of_set(host_endian_key: Option<bool>, comment: &str) -> Self {
        let mut userdata = Self::default();
        let order: u32 = match host_endian_key {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        };
        userdata.push(SET_KEY_BYTE_ORDER, &order.to_ne_bytes());
        if !comment.is_empty() {
            userdata.push_text(SET_COMMENT, comment);
        }
        userdata
    }

    /// The comment of a table, a chain, a rule or an element.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        comment_in(&self.0)
    }

    /// The comment of a set.
    #[must_use]
    pub(crate) fn set_text(&self) -> Option<&str> {
        find(&self.0, SET_COMMENT).and_then(text)
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push_text(&mut self, kind: u8, text: &str) {
        let mut end = text.len().min(Self::MAX_COMMENT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.push_all(kind, &[&text.as_bytes()[..end], &[0]]);
    }

    fn push(&mut self, kind: u8, value: &[u8]) {
        self.push_all(kind, &[value]);
    }

    fn push_all(&mut self, kind: u8, parts: &[&[u8]]) {
        let Ok(len) = u8::try_from(parts.iter().map(|part| part.len()).sum::<usize>()) else {
            return; // Comments are cut before they come here.
        };
        self.0.extend([kind, len]);
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

/// The comment of a table, a chain, a rule or an element, in the bytes beside it.
pub(super) fn comment_in(userdata: &[u8]) -> Option<&str> {
    find(userdata, COMMENT).and_then(text)
}

fn find(userdata: &[u8], kind: u8) -> Option<&[u8]> {
    let mut rest = userdata;
    while let [found, len, tail @ ..] = rest {
        let value = tail.get(..usize::from(*len))?;
        if *found == kind {
            return Some(value);
        }
        rest = &tail[value.len()..];
    }
    None
}

fn text(value: &[u8]) -> Option<&str> {
    let (last, text) = value.split_last()?;
    (*last == 0).then(|| std::str::from_utf8(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_as_nft_writes_them() {
        assert_eq!(Userdata::comment("hi").0, b"\x00\x03hi\x00");
        assert_eq!(Userdata::comment("hi").text(), Some("hi"));
        let set = Userdata::of_set(Some(true), "names");
        assert_eq!(set.set_text(), Some("names"));
        assert_eq!(set.0[..6], [0, 4, 1, 0, 0, 0]);
    }

    #[test]
    fn long_ones_are_cut_between_characters() {
        let long = "é".repeat(100);
        let userdata = Userdata::comment(&long);
        assert_eq!(userdata.text().unwrap(), "é".repeat(63));
    }

    #[test]
    fn broken_ones_hold_no_comment() {
        for bytes in [
            &b"\x00"[..],
            b"\x00\x09ab\x00",
            b"\x00\x00",
            b"\x00\x01a",
            b"\x00\x02\xff\x00",
        ] {
            assert_eq!(Userdata(bytes.to_vec()).text(), None, "{bytes:?}");
        }
    }
}
