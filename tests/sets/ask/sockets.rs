//! Sockets in the namespaces of those who ask and answer.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use crate::ground::Ground;
use crate::questions::Who;

/// A socket that somebody needs.
pub(super) struct Wanted {
    pub(super) who: Who,
    pub(super) kind: Type,
    pub(super) protocol: Option<Protocol>,
    /// What it is bound to: an address, or a group to join.
    pub(super) address: SocketAddr,
    /// The only device that it uses; any if none.
    pub(super) device: Option<String>,
}

/// Far enough for every group.
const HOPS: u32 = 8;

/// All of them, in that order. Each namespace is entered once: that takes a thread.
pub(super) fn open(ground: &Ground, wanted: &[Wanted]) -> Vec<Socket> {
    let mut of_each: HashMap<Who, Vec<usize>> = HashMap::new();
    for (number, wanted) in wanted.iter().enumerate() {
        of_each.entry(wanted.who).or_default().push(number);
    }
    let mut opened: Vec<(usize, Socket)> = Vec::new();
    for (who, numbers) in of_each {
        opened.extend(ground.namespace(who).inside(|| {
            let open = |number: usize| (number, wanted[number].open());
            numbers.into_iter().map(open).collect::<Vec<_>>()
        }));
    }
    opened.sort_by_key(|(number, _)| *number);
    opened.into_iter().map(|(_, socket)| socket).collect()
}

impl Wanted {
    fn open(&self) -> Socket {
        let domain = Domain::for_address(self.address);
        let socket = Socket::new(domain, self.kind, self.protocol).expect("make a socket");
        socket.set_reuse_address(true).expect("reuse the address");
        socket.set_nonblocking(true).expect("not to wait");
        let mut address = self.address;
        if let Some(device) = &self.device {
            let index = nix::net::if_::if_nametoindex(device.as_str());
            let index = index.unwrap_or_else(|error| panic!("{device}: {error}"));
            address = scoped(address, index);
            self.speak_to_all(&socket, (device, index));
        }
        socket
            .bind(&address.into())
            .unwrap_or_else(|error| panic!("{:?} cannot bind to {address}: {error}", self.who));
        socket
    }

    /// To all on a device, and from there.
    fn speak_to_all(&self, socket: &Socket, (device, index): (&str, u32)) {
        let named = socket.bind_device(Some(device.as_bytes()));
        named.expect("use one device");
        let set = match self.address.ip() {
            IpAddr::V4(_) => socket
                .set_broadcast(true)
                .and_then(|()| socket.set_multicast_ttl_v4(HOPS))
                .and_then(|()| socket.set_multicast_loop_v4(false)),
            IpAddr::V6(_) => socket
                .set_multicast_hops_v6(HOPS)
                .and_then(|()| socket.set_multicast_loop_v6(false)),
        };
        set.expect("speak to all");
        let joined = match self.address.ip() {
            group if !group.is_multicast() => Ok(()),
            IpAddr::V4(group) => {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))
            }
            IpAddr::V6(group) => socket.join_multicast_v6(&group, index),
        };
        joined.unwrap_or_else(|error| panic!("cannot listen to {}: {error}", self.address));
    }
}

/// The same address, of this link where that must be said.
fn scoped(address: SocketAddr, index: u32) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().segments()[0] & 0xff0f == 0xff02 => {
            SocketAddrV6::new(*v6.ip(), v6.port(), 0, index).into()
        }
        address => address,
    }
}
