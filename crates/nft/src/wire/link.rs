//! The host's interfaces, as rtnetlink tells of them: `linux/if_link.h`.

use super::Malformed;
use super::attribute::Attributes;
use super::rtnetlink::{number, question};
use crate::host::Link;

/// `RTM_NEWLINK`: an interface.
pub const LINK: u16 = 16;
/// `RTM_GETLINK`.
const GET: u16 = 18;

/// `IFLA_IFNAME`.
const NAME: u16 = 3;
/// `IFLA_MASTER`: the number of the interface that it is a port of.
const MASTER: u16 = 10;
/// `IFLA_LINKINFO`, and in it `IFLA_INFO_KIND`.
const INFO: u16 = 18;
const INFO_KIND: u16 = 1;
/// What stands before the attributes: number, flags, and which of them changed.
const HEAD: usize = 12;
/// `IFF_UP`.
const UP: u32 = 1;

/// Appends the question for all interfaces.
pub fn message(buffer: &mut Vec<u8>, flags: u16) {
    question(buffer, GET, flags);
}

/// Reads the body of a [`LINK`]; none if it has no name.
///
/// # Errors
/// If its bytes are broken.
pub fn decode(body: &[u8]) -> Result<Option<Link>, Malformed> {
    let (Some(index), Some(flags)) = (number(body.get(..4)), number(body.get(4..8))) else {
        return Ok(None);
    };
    let mut link = Link {
        index,
        name: String::new(),
        kind: None,
        is_up: flags & UP != 0,
        master: None,
    };
    for attribute in Attributes::of("link", body.get(HEAD..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.number() {
            NAME => link.name = text(attribute.bytes),
            MASTER => link.master = number(Some(attribute.bytes)),
            INFO => {
                for info in Attributes::of("link", attribute.bytes) {
                    let info = info?;
                    if info.number() == INFO_KIND {
                        link.kind = Some(text(info.bytes));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(link).filter(|link| !link.name.is_empty()))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::attribute;
    use super::*;

    #[test]
    fn a_port_of_a_bridge() {
        let mut body = Vec::new();
        for word in [7u32, 0x1003, 0] {
            body.extend(word.to_ne_bytes());
        }
        attribute::bytes(&mut body, NAME, b"vnet0\0");
        attribute::bytes(&mut body, MASTER, &3u32.to_ne_bytes());
        attribute::nest(&mut body, INFO, |info| {
            attribute::bytes(info, INFO_KIND, b"tun\0");
        });
        let link = decode(&body).unwrap().unwrap();
        let expected = Link {
            index: 7,
            name: "vnet0".to_owned(),
            kind: Some("tun".to_owned()),
            is_up: true,
            master: Some(3),
        };
        assert_eq!(link, expected);
        for end in 0..body.len() {
            let _ = decode(&body[..end]); // Nothing panics.
        }
        assert_eq!(decode(&[]), Ok(None));
    }
}
