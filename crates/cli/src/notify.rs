//! What systemd is told of a service of `Type=notify`: a datagram to the socket that it names.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use nix::time::{ClockId, clock_gettime};

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It does what it is for.
    Ready,
    /// It was asked to look at everything again.
    Reloading,
    /// It ends.
    Stopping,
}

/// Tells systemd, if it started us and wants to know. That nobody hears is no reason to end.
pub(crate) fn tell(state: State) {
    let Some(socket) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(&socket, &message(state)) {
        log::debug!("systemd was not told: {error}");
    }
}

fn message(state: State) -> String {
    match state {
        State::Ready => "READY=1\n".to_owned(),
        State::Stopping => "STOPPING=1\n".to_owned(),
        State::Reloading => {
            let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
            let micros = now.map_or(0, |now| std::time::Duration::from(now).as_micros());
            format!("RELOADING=1\nMONOTONIC_USEC={micros}\n")
        }
    }
}

/// `@` begins the name of a socket that is no file.
fn send(socket: &OsStr, message: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_path_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("palisade-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        for (heard, told) in [
            (UnixDatagram::bind(&path), path.as_os_str().to_owned()),
            (UnixDatagram::bind_addr(&address), format!("@{name}").into()),
        ] {
            send(&told, &message(State::Ready)).unwrap();
            let mut buffer = [0; 64];
            let length = heard.unwrap().recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1\n");
        }
        assert!(message(State::Reloading).starts_with("RELOADING=1\nMONOTONIC_USEC="));
    }
}
