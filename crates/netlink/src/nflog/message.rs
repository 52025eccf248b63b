//! Logged packets, in bytes.

use super::headers::PacketHeaders;
use crate::attribute::Attributes;
use crate::{Malformed, Message, nfnetlink};

/// `NFULA_IFINDEX_INDEV`.
const INPUT: u16 = 4;
/// `NFULA_IFINDEX_OUTDEV`.
const OUTPUT: u16 = 5;
/// `NFULA_PAYLOAD`.
const PAYLOAD: u16 = 9;
/// `NFULA_PREFIX`.
const PREFIX: u16 = 10;

/// A packet that a rule logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedPacket {
    /// The group.
    pub group: u16,
    /// The text that the rule logs with it.
    pub prefix: String,
    /// The index of the interface that it came in through.
    pub input: Option<u32>,
    /// The index of the interface that it leaves through.
    pub output: Option<u32>,
    /// Its headers; none if it is cut off before the addresses.
    pub headers: Option<PacketHeaders>,
}

/// Reads a message about a logged packet.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(message: &Message<'_>) -> Result<LoggedPacket, Malformed> {
    let (family, body) = nfnetlink::split(message)?;
    let group = match message.payload {
        [_, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    let mut packet = LoggedPacket {
        group,
        prefix: String::new(),
        input: None,
        output: None,
        headers: None,
    };
    for attribute in Attributes::of("logged packet", body) {
        let attribute = attribute?;
        match attribute.number() {
            INPUT => packet.input = Some(attribute.u32()?),
            OUTPUT => packet.output = Some(attribute.u32()?),
            PREFIX => packet.prefix = attribute.text(),
            PAYLOAD => packet.headers = PacketHeaders::read(family, attribute.bytes),
            _ => {}
        }
    }
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Family, Header, attribute, messages};

    const KIND: u16 = nfnetlink::kind(4, 0);

    #[test]
    fn what_the_kernel_says() {
        let mut buffer = Vec::new();
        let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0];
        packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        nfnetlink::put(
            &mut buffer,
            Header::request(KIND, 0, 0),
            (Family::Ip, 258),
            |buffer| {
                attribute::u32(buffer, 1, 0x0800_0200); // NFULA_PACKET_HDR
                attribute::text(buffer, PREFIX, "palisade refused_out: ");
                attribute::u32(buffer, INPUT, 7);
                attribute::bytes(buffer, PAYLOAD, &packet);
            },
        );
        let read = decode(&messages(&buffer).next().unwrap().unwrap()).unwrap();
        assert_eq!(read.group, 258);
        assert_eq!(read.prefix, "palisade refused_out: ");
        assert_eq!((read.input, read.output), (Some(7), None));
        assert_eq!(read.headers.unwrap().protocol, Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let payload = bytes.as_slice();
            let header = Header::request(KIND, 0, 0);
            let _ = decode(&Message { header, payload, bytes: payload });
        }
    }
}
