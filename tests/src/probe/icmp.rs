//! Echo requests and replies. The kernel of the other end answers; a raw socket there watches.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use socket2::Type;

use super::echo::{Message, Types};
use super::{End, Outcome, PATIENCE, wait};

pub(super) fn ask(from: &End<'_>, to: &End<'_>) -> Outcome {
    let types = Types::of(from.address);
    let raw = |end: &End<'_>| {
        let socket = end.at(0).socket(Type::RAW, Some(types.protocol));
        // As a datagram socket it tells the source of what it reads.
        UdpSocket::from(OwnedFd::from(socket))
    };
    let (client, watch) = (raw(from), raw(to));
    let token = token();
    let identifier = u16::from_be_bytes([token[14], token[15]]);
    let request = types.request(identifier, &token);
    let address = SocketAddr::from((to.address, 0));
    client.send_to(&request, address).expect("send a request");
    let until = Instant::now() + PATIENCE;
    let mut seen = None;
    while let Some(readable) = wait([&watch, &client], until) {
        let socket = if readable == 0 { &watch } else { &client };
        let mut bytes = [0; 1500];
        let Ok((len, source)) = socket.recv_from(&mut bytes) else {
            continue;
        };
        let message = Message::of(source.ip(), &bytes[..len]);
        if message.behind(&token).is_none() {
            continue;
        }
        if readable == 0 && message.is_request() {
            seen = Some(source);
        } else if readable == 1 && message.is_reply() {
            return seen.map_or(Outcome::Silent, Outcome::Answered);
        } else if readable == 1 && message.is_refusal() {
            return Outcome::Refused;
        }
    }
    seen.map_or(Outcome::Silent, Outcome::Arrived)
}

/// What no other question carries.
fn token() -> [u8; 16] {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let number = ASKED.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut token = *b"palisade--------";
    token[8..].copy_from_slice(&number);
    token
}
