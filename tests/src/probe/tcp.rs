//! Connections.

use std::io::ErrorKind;
use std::net::TcpListener;

use socket2::Type;

use super::end::{End, Outcome, PATIENCE};

pub(super) fn ask(from: &End<'_>, to: &End<'_>) -> Outcome {
    let server = to.socket(Type::STREAM, None);
    server.listen(1).expect("listen");
    let server = TcpListener::from(server);
    let address = server.local_addr().expect("the address of the server");
    let client = from.socket(Type::STREAM, None);
    match client.connect_timeout(&address.into(), PATIENCE) {
        Ok(()) => Outcome::Answered(server.accept().expect("accept a connection").1),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => Outcome::Refused,
            ErrorKind::TimedOut => Outcome::Silent,
            _ => panic!("connect {} to {address}: {error}", from.address),
        },
    }
}
