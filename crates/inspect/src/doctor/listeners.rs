//! Where programs of the host listen, as /proc/net says.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use palisade_core::network::PortForward;

/// The lists of sockets, each with its protocol and the state of those that take what comes.
const LISTS: [(&str, &str, &str); 4] = [
    ("tcp", "/proc/net/tcp", "0A"),
    ("tcp", "/proc/net/tcp6", "0A"),
    ("udp", "/proc/net/udp", "07"),
    ("udp", "/proc/net/udp6", "07"),
];

/// A socket that takes what comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listener {
    protocol: &'static str,
    address: IpAddr,
    pub(super) port: u16,
    /// Where it is listed.
    pub(super) file: &'static str,
}

/// Those of the network namespace that the calling thread is in. Lists that cannot be read have none.
pub(super) fn read() -> Vec<Listener> {
    let mut all = Vec::new();
    for (protocol, file, state) in LISTS {
        // That of the thread, which may be in another namespace than the process.
        let own = file.replace("/proc/", "/proc/thread-self/");
        let text = fs::read_to_string(own).unwrap_or_default();
        let found = text.lines().skip(1).filter_map(|line| socket(line, state));
        all.extend(found.map(|(address, port)| Listener {
            protocol,
            address,
            port,
            file,
        }));
    }
    all
}

/// The address and port of a line, if the socket is in that state.
fn socket(line: &str, state: &str) -> Option<(IpAddr, u16)> {
    let mut words = line.split_whitespace().skip(1);
    let (local, _, actual) = (words.next()?, words.next()?, words.next()?);
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (actual == state).then_some(())?;
    Some((parse(address)?, port))
}

/// An address in words of 32 bits, each in the host's order.
fn parse(text: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..text.len()).step_by(8) {
        let word = u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        16 => {
            let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
            Some(address.to_canonical())
        }
        _ => None,
    }
}

impl Listener {
    /// Whether a forward takes what comes for it.
    pub(super) fn is_at(&self, forward: &PortForward) -> bool {
        let listen = forward.listen();
        let ports = listen.ports().start()..=listen.ports().end();
        let is_v4 = forward.target().address().is_ipv4();
        // A socket at every address of IPv6 mostly takes IPv4 too.
        let is_of_all = self.address.is_unspecified() && (self.address.is_ipv6() || is_v4);
        let is_there = match listen.address() {
            Some(at) => self.address == at,
            None => self.address.is_ipv4() == is_v4 && !self.address.is_loopback(),
        };
        self.protocol == forward.protocol().name()
            && ports.contains(&self.port)
            && (is_there || is_of_all)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = SocketAddr::new(self.address, self.port);
        write!(f, "{} {at}", self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        // Numbers as a host prints them whose first byte is the lowest.
        let tcp =
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 21 1";
        let local = Some(([127, 0, 0, 1].into(), 8080));
        if cfg!(target_endian = "little") {
            assert_eq!(socket(tcp, "0A"), local);
        }
        assert_eq!(socket(tcp, "01"), None);
        let all =
            "0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 0";
        assert_eq!(socket(all, "07"), Some((Ipv6Addr::UNSPECIFIED.into(), 53)));
        for broken in ["", "0:", "0: 00:0", "0: 0100007F:1F90", "0: zz:1F90 0 0A"] {
            assert_eq!(socket(broken, "0A"), None, "{broken}");
        }
    }

    #[test]
    fn who_shares_a_port() {
        let listener = |protocol, address: &str, port| Listener {
            protocol,
            address: address.parse().unwrap(),
            port,
            file: "",
        };
        let forward = |text: &str| text.parse::<PortForward>().unwrap();
        let any = forward("tcp 8080-8090 -> 10.0.0.5:80-90");
        for (address, is_at) in [
            ("0.0.0.0", true),
            ("::", true),
            ("192.0.2.1", true),
            ("127.0.0.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(
                listener("tcp", address, 8085).is_at(&any),
                is_at,
                "{address}"
            );
            assert!(!listener("udp", address, 8085).is_at(&any));
            assert!(!listener("tcp", address, 8091).is_at(&any));
        }
        let at = forward("udp [2001:db8::1]:53 -> [fd00::5]:53");
        for (address, is_at) in [
            ("2001:db8::1", true),
            ("::", true),
            ("2001:db8::2", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(listener("udp", address, 53).is_at(&at), is_at, "{address}");
        }
    }
}
