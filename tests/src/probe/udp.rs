//! Datagrams.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use socket2::Type;

use super::end::{End, Outcome, PATIENCE, wait};

pub(super) fn ask(from: &End<'_>, to: &End<'_>) -> Outcome {
    let (client, server) = sockets(from, to);
    match question(&client, &server) {
        Outcome::Arrived(source) => answer(&client, &server, source),
        outcome => outcome,
    }
}

fn sockets(from: &End<'_>, to: &End<'_>) -> (UdpSocket, UdpSocket) {
    let [client, server] = [from, to].map(|end| UdpSocket::from(end.socket(Type::DGRAM, None)));
    let address = server.local_addr().expect("the address of the server");
    client.connect(address).expect("choose the server");
    (client, server)
}

fn question(client: &UdpSocket, server: &UdpSocket) -> Outcome {
    client.send(b"question").expect("send a question");
    let mut bytes = [0; 64];
    match wait([client, server], Instant::now() + PATIENCE) {
        Some(0) => match client.recv(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Refused,
            unexpected => panic!("instead of an answer: {unexpected:?}"),
        },
        Some(_) => Outcome::Arrived(server.recv_from(&mut bytes).expect("read the question").1),
        None => Outcome::Silent,
    }
}

fn answer(client: &UdpSocket, server: &UdpSocket, source: SocketAddr) -> Outcome {
    // Where no way leads back, even sending fails.
    let _ = server.send_to(b"answer", source);
    let mut bytes = [0; 64];
    match wait([client], Instant::now() + PATIENCE) {
        Some(_) if client.recv(&mut bytes).is_ok() => Outcome::Answered(source),
        _ => Outcome::Arrived(source),
    }
}
