//! The little that is read of expressions that only others use, to tell what they may do to a
//! packet: stateful objects (`enum nft_objref_attributes`), and the extensions of xtables that
//! iptables-nft puts into rules (`enum nft_match_attributes`, `enum nft_target_attributes`).

use super::known::{Known, read_offset, read_register, read_text, read_u32};
use crate::object::{PayloadBase, Register};

/// `NFTA_OBJREF_IMM_TYPE`.
const OBJECT_TYPE: u16 = 1;
/// `NFT_OBJECT_COUNTER`.
const COUNTER: u32 = 1;

/// `NFTA_MATCH_NAME`, `NFTA_TARGET_NAME`.
const NAME: u16 = 1;
/// `NFTA_MATCH_REV`.
const REVISION: u16 = 2;
/// `NFTA_MATCH_INFO`.
const INFO: u16 = 3;

/// Whether an `objref` only counts.
pub(crate) fn counts(data: &[u8]) -> bool {
    let number = Known::<5>::of(data).and_then(|said| said.required(OBJECT_TYPE, read_u32));
    number == Some(COUNTER)
}

/// The name of an extension, behind `match` or `target`.
pub(crate) fn extension(data: &[u8]) -> Option<&str> {
    Known::<4>::of(data)?.required(NAME, read_text)
}

/// The text of a comment, behind `match`.
pub(crate) fn comment(data: &[u8]) -> Option<&str> {
    let said = Known::<4>::of(data)?;
    let is_comment = said.required(NAME, read_text)? == "comment";
    let text = said.required(INFO, |info| {
        let end = info.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&info[..end]).ok()
    });
    text.filter(|_| is_comment)
}

/// What a `payload` that writes puts into the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// The header.
    pub(crate) base: PayloadBase,
    /// Where it begins there.
    pub(crate) offset: u32,
    /// How many bytes it has.
    pub(crate) len: u32,
    /// Where they come from.
    pub(crate) source: Register,
}

/// What a `payload` writes (`enum nft_payload_attributes`); none if it does not, or cannot be read.
pub(crate) fn written(data: &[u8]) -> Option<Written> {
    const BASE: u16 = 2;
    const OFFSET: u16 = 3;
    const LEN: u16 = 4;
    const SOURCE: u16 = 5;
    let said = Known::<9>::of(data)?;
    let written = Written {
        base: PayloadBase(said.required(BASE, read_u32)?),
        offset: said.required(OFFSET, read_offset)?,
        len: said.required(LEN, read_u32)?,
        source: said.required(SOURCE, read_register)?,
    };
    let fits = written.source.fits(written.len as usize);
    fits.then_some(written)
}

/// What a `meta` or `ct` that writes puts into which of its keys (`enum nft_meta_attributes`, `enum
/// nft_ct_attributes`); none if it loads, or cannot be read.
pub(crate) fn kept(name: &str, data: &[u8]) -> Option<(u32, Register)> {
    const KEY: u16 = 2;
    let source = if name == "ct" { 4 } else { 3 };
    let said = Known::<6>::of(data)?;
    Some((
        said.required(KEY, read_u32)?,
        said.required(source, read_register)?,
    ))
}

/// The ports that a `redir` gives packets, in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redirected {
    /// The first; none if packets keep theirs.
    pub(crate) min_port: Option<Register>,
    /// The last.
    pub(crate) max_port: Option<Register>,
}

/// Where a `redir` leads on the host (`enum nft_redir_attributes`); none if it cannot be read.
pub(crate) fn redirected(data: &[u8]) -> Option<Redirected> {
    const MIN: u16 = 1;
    const MAX: u16 = 2;
    let said = Known::<4>::of(data)?;
    Some(Redirected {
        min_port: said.optional(MIN, read_register)?,
        max_port: said.optional(MAX, read_register)?,
    })
}

/// Whether a `target` keeps conntrack from the packet.
pub(crate) fn untracks(data: &[u8]) -> bool {
    /// `XT_CT_NOTRACK`, of the flags that `struct xt_ct_target_info` begins with.
    const NOTRACK: u16 = 1;
    match extension(data) {
        Some("NOTRACK") => true,
        Some("CT") => {
            let flags = |info: &[u8]| info.get(..2)?.try_into().ok().map(u16::from_ne_bytes);
            let flags = Known::<4>::of(data).and_then(|said| said.required(INFO, flags));
            flags.is_some_and(|flags| flags & NOTRACK != 0)
        }
        _ => false,
    }
}

/// What a match of xtables asks, where we can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Nothing: it is a comment.
    Nothing,
    /// Whether the state of the packet's flow is among these bits (as `ct state` has them).
    State {
        /// The bits.
        mask: u32,
        /// It must not be among them.
        inverted: bool,
    },
}

/// What a `match` asks; none if it is not known.
pub(crate) fn asks(data: &[u8]) -> Option<Asks> {
    let said = Known::<4>::of(data)?;
    let revision = said.optional(REVISION, read_u32)?.unwrap_or(0);
    match (said.required(NAME, read_text)?, revision) {
        ("comment", _) => Some(Asks::Nothing),
        ("conntrack", 2 | 3) => said.required(INFO, conntrack_state),
        ("state", 0) => said.required(INFO, |info| {
            let mask = u32::from_ne_bytes(info.get(..4)?.try_into().ok()?);
            let inverted = false;
            Some(Asks::State { mask, inverted })
        }),
        _ => None,
    }
}

/// `struct xt_conntrack_mtinfo2` and `3`: eight addresses and masks, times and ports come before
/// the flags that say what is asked.
fn conntrack_state(info: &[u8]) -> Option<Asks> {
    const FLAGS: usize = 146;
    /// `XT_CONNTRACK_STATE`.
    const STATE: u16 = 1;
    /// invalid, established, related, new; `ct state` has the same bits.
    const ALIKE: u16 = 0xf;
    /// `XT_CONNTRACK_STATE_UNTRACKED`, and what `ct state` has for it.
    const UNTRACKED: (u16, u32) = (0x100, 0x40);
    let word = |at: usize| {
        let bytes = info.get(at..at + 2)?;
        bytes.try_into().ok().map(u16::from_ne_bytes)
    };
    let (asked, inverted, mask) = (word(FLAGS)?, word(FLAGS + 2)?, word(FLAGS + 4)?);
    let untracked = if mask & UNTRACKED.0 == 0 {
        0
    } else {
        UNTRACKED.1
    };
    // Others are about translation.
    let is_known = asked == STATE && mask & !(ALIKE | UNTRACKED.0) == 0;
    is_known.then_some(Asks::State {
        mask: u32::from(mask & ALIKE) | untracked,
        inverted: inverted & STATE != 0,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::attribute;
    use super::*;

    /// A `payload` that writes two bytes.
    pub(crate) fn writing(base: PayloadBase, offset: u32, source: Register) -> Vec<u8> {
        let mut buffer = Vec::new();
        for (number, value) in [(2, base.0), (3, offset), (4, 2), (5, source.number())] {
            attribute::u32(&mut buffer, number, value);
        }
        buffer
    }

    #[test]
    fn what_a_payload_writes() {
        let port = writing(PayloadBase::TRANSPORT, 2, Register::FIRST);
        let expected = Written {
            base: PayloadBase::TRANSPORT,
            offset: 2,
            len: 2,
            source: Register::FIRST,
        };
        assert_eq!(written(&port), Some(expected));
        assert_eq!(written(&port[..24]), None);
    }

    #[test]
    fn a_target_that_keeps_conntrack_away() {
        let of = |name: &str, flags: u16| {
            let mut buffer = Vec::new();
            attribute::text(&mut buffer, NAME, name);
            attribute::bytes(&mut buffer, INFO, &flags.to_ne_bytes());
            untracks(&buffer)
        };
        assert!(of("CT", 1) && of("NOTRACK", 0));
        assert!(!of("CT", 2) && !of("MARK", 1));
    }

    fn matching(name: &str, revision: u32, info: &[u8]) -> Option<Asks> {
        let mut buffer = Vec::new();
        attribute::text(&mut buffer, NAME, name);
        attribute::u32(&mut buffer, REVISION, revision);
        attribute::bytes(&mut buffer, INFO, info);
        assert_eq!(extension(&buffer), Some(name));
        asks(&buffer)
    }

    #[test]
    fn the_text_of_a_comment() {
        let of = |name: &str, info: &[u8]| {
            let mut buffer = Vec::new();
            attribute::text(&mut buffer, NAME, name);
            attribute::bytes(&mut buffer, INFO, info);
            comment(&buffer).map(str::to_owned)
        };
        assert_eq!(
            of("comment", b"lab: out\0\0\0").as_deref(),
            Some("lab: out")
        );
        assert_eq!(of("comment", b"lab: out"), None);
        assert_eq!(of("mark", b"lab: out\0"), None);
    }

    #[test]
    fn the_state_of_a_flow() {
        let mut info = [0_u8; 168];
        info[146] = 1;
        info[150] = 6;
        let state = |mask, inverted| Some(Asks::State { mask, inverted });
        assert_eq!(matching("conntrack", 3, &info), state(6, false));
        info[148] = 1;
        assert_eq!(matching("conntrack", 3, &info), state(6, true));
        info[151] = 1;
        assert_eq!(matching("conntrack", 3, &info), state(0x46, true));
        info[150] = 0x40; // SNAT.
        assert_eq!(matching("conntrack", 3, &info), None);
        info[146] = 3;
        assert_eq!(matching("conntrack", 3, &info), None);
        assert_eq!(matching("conntrack", 1, &info), None);
        assert_eq!(matching("conntrack", 3, &info[..140]), None);
        assert_eq!(matching("comment", 0, &[]), Some(Asks::Nothing));
        assert_eq!(matching("addrtype", 0, &[]), None);
    }
}
