//! Interfaces: `linux/if_link.h`.

use super::request::{dump, number};
use crate::attribute::{self, Attributes};
use crate::{Header, Malformed, Message, flags, message};

/// `RTM_NEWLINK`: an interface.
const LINK: u16 = 16;
/// `RTM_GETLINK`.
const GET: u16 = 18;

/// `IFLA_IFNAME`.
const NAME: u16 = 3;
/// `IFLA_MTU`.
const MTU: u16 = 4;
/// `IFLA_MASTER`: the number of the interface that it is a port of.
const MASTER: u16 = 10;
/// `IFLA_LINKINFO`, and in it `IFLA_INFO_KIND` and `IFLA_INFO_SLAVE_DATA`.
const INFO: u16 = 18;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const INFO_PORT: u16 = 5;
/// `IFLA_BR_NF_CALL_IPTABLES`, `IFLA_BR_NF_CALL_IP6TABLES`, of a bridge.
const NF_CALL_IPTABLES: u16 = 36;
const NF_CALL_IP6TABLES: u16 = 37;
/// `IFLA_BRPORT_STATE`, of a bridge's port.
const STATE: u16 = 1;
/// `IFLA_BRPORT_ISOLATED`, of a bridge's port.
const ISOLATED: u16 = 33;
/// `struct ifinfomsg` before the attributes: family, type, number, flags, changed flags.
const HEAD: usize = 16;
/// `IFF_UP`.
const UP: u32 = 1;
/// `IFF_LOWER_UP`.
const CARRIER: u32 = 1 << 16;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What kind of virtual interface it is: `bridge`, `veth`, `tun`; none for hardware.
    pub kind: Option<String>,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it has a carrier: somebody at its other end.
    pub has_carrier: bool,
    /// The number of the bridge or bond that it is a port of.
    pub master: Option<u32>,
    /// Whether it is a bridge's port that is isolated from other isolated ports.
    pub is_isolated: bool,
    /// The largest packet that it carries, in bytes.
    pub mtu: u32,
    /// The state of a bridge's port; none of other interfaces.
    pub port_state: Option<PortState>,
    /// Whether frames of this bridge meet the rules of IPv4 and of IPv6, by its own setting.
    pub nf_call: [bool; 2],
}

/// The state of a bridge's port: `BR_STATE_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortState(pub u8);

impl PortState {
    /// Its name, as `bridge link` prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "disabled",
            1 => "listening",
            2 => "learning",
            3 => "forwarding",
            4 => "blocking",
            _ => "unknown",
        }
    }
}

impl Link {
    /// Whether it is a bridge.
    #[must_use]
    pub fn is_bridge(&self) -> bool {
        self.kind.as_deref() == Some("bridge")
    }
}

/// Appends the request for all interfaces.
pub(super) fn request(buffer: &mut Vec<u8>) {
    dump(buffer, GET);
}

/// Appends the request for the interface of this name.
pub(super) fn request_one(buffer: &mut Vec<u8>, name: &str) {
    let header = Header::request(GET, flags::REQUEST, 0);
    message::put(buffer, header, &[0; HEAD], |body| {
        attribute::text(body, NAME, name);
    });
}

/// Reads an interface; none if the message is about none, or it has no name.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(message: &Message<'_>) -> Result<Option<Link>, Malformed> {
    let body = message.payload;
    let (LINK, Some(index), Some(flags)) = (
        message.header.kind,
        number(body.get(4..8)),
        number(body.get(8..12)),
    ) else {
        return Ok(None);
    };
    let mut link = Link {
        index,
        name: String::new(),
        kind: None,
        is_up: flags & UP != 0,
        has_carrier: flags & CARRIER != 0,
        master: None,
        is_isolated: false,
        mtu: 0,
        port_state: None,
        nf_call: [false; 2],
    };
    for attribute in Attributes::of("link", body.get(HEAD..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.number() {
            NAME => link.name = text(attribute.bytes),
            MTU => link.mtu = number(Some(attribute.bytes)).unwrap_or(0),
            MASTER => link.master = number(Some(attribute.bytes)),
            INFO => {
                for info in Attributes::of("link", attribute.bytes) {
                    let info = info?;
                    match info.number() {
                        INFO_KIND => link.kind = Some(text(info.bytes)),
                        INFO_DATA if link.is_bridge() => link.nf_call = nf_call(info.bytes)?,
                        INFO_PORT => put_port(&mut link, info.bytes)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(link).filter(|link| !link.name.is_empty()))
}

/// What is said of a port. A bond's port has other attributes, and none of this number with one byte.
fn put_port(link: &mut Link, port: &[u8]) -> Result<(), Malformed> {
    for attribute in Attributes::of("port", port) {
        let attribute = attribute?;
        match (attribute.number(), attribute.bytes) {
            (ISOLATED, &[isolated]) => link.is_isolated = isolated == 1,
            (STATE, &[state]) => link.port_state = Some(PortState(state)),
            _ => {}
        }
    }
    Ok(())
}

fn nf_call(bridge: &[u8]) -> Result<[bool; 2], Malformed> {
    let mut call = [false; 2];
    for attribute in Attributes::of("bridge", bridge) {
        let attribute = attribute?;
        match attribute.number() {
            NF_CALL_IPTABLES => call[0] = attribute.bytes == [1],
            NF_CALL_IP6TABLES => call[1] = attribute.bytes == [1],
            _ => {}
        }
    }
    Ok(call)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;

    #[test]
    fn a_port_of_a_bridge() {
        let mut head = vec![0, 0, 1, 0];
        for word in [7u32, 0x1003, 0] {
            head.extend(word.to_ne_bytes());
        }
        let mut bytes = Vec::new();
        message::put(&mut bytes, Header::request(LINK, 2, 0), &head, |body| {
            attribute::bytes(body, NAME, b"vnet0\0");
            attribute::bytes(body, MASTER, &3u32.to_ne_bytes());
            attribute::nest(body, INFO, |info| {
                attribute::bytes(info, INFO_KIND, b"tun\0");
                attribute::nest(info, INFO_PORT, |port| {
                    attribute::bytes(port, ISOLATED, &[1]);
                });
            });
        });
        let message = messages(&bytes).next().unwrap().unwrap();
        let link = decode(&message).unwrap().unwrap();
        let expected = Link {
            index: 7,
            name: "vnet0".to_owned(),
            kind: Some("tun".to_owned()),
            is_up: true,
            has_carrier: false,
            master: Some(3),
            is_isolated: true,
            mtu: 0,
            port_state: None,
            nf_call: [false; 2],
        };
        assert_eq!(link, expected);
        for end in 0..message.payload.len() {
            let payload = &message.payload[..end];
            let _ = decode(&Message { payload, ..message }); // Nothing panics.
        }
        let payload = &[];
        assert_eq!(decode(&Message { payload, ..message }), Ok(None));
    }
}
