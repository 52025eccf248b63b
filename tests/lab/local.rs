//! What never leaves a link: broadcasts and link-local multicast keep their source, port included.
//! A DHCP server answers from port 67 with an address of the subnet to 255.255.255.255; were that
//! translated like the rest, no guest would take the answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use palisade_tests::Namespace;
use palisade_tests::probe::End;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::Lab;

/// mDNS's groups, which nobody else in the lab speaks to.
const GROUP4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

pub(crate) fn keeps_the_source(lab: &Lab) {
    let guest = lab.topology.guest("nat")[0].namespace;
    let gateways = lab.topology.gateway("nat");
    let [gateway4, gateway6] = gateways.as_slice() else {
        panic!("the host is on the network by both families");
    };
    let broadcast = IpAddr::from(Ipv4Addr::BROADCAST);
    assert_kept(guest, gateway4.at(67), broadcast, 68);
    assert_kept(guest, gateway4.at(67), GROUP4.into(), 5353);
    assert_kept(guest, gateway6.at(547), GROUP6.into(), 5353);
}

/// What the host sends from there to all on the bridge comes to the guest from there.
#[track_caller]
fn assert_kept(guest: &Namespace, from: End<'_>, to: IpAddr, port: u16) {
    let listener = guest.inside(|| listener(to, port));
    let sender = from.namespace.inside(|| sender(&from, to));
    let sent = sender.send_to(b"to all", &SockAddr::from(SocketAddr::from((to, port))));
    sent.unwrap_or_else(|error| panic!("cannot send to {to}: {error}"));
    let mut bytes = [0; 64];
    let (_, source) = listener.recv_from(&mut bytes).unwrap_or_else(|error| {
        panic!(
            "what {} sends to {to} does not arrive: {error}",
            from.address
        )
    });
    assert_eq!(
        (source.ip(), source.port()),
        (from.address, from.port),
        "sent to {to}"
    );
}

/// Bound to the port of all addresses, and in the group.
fn listener(to: IpAddr, port: u16) -> UdpSocket {
    let any = match to {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, port)).expect("bind a listener");
    let joined = match to {
        IpAddr::V4(to) if to.is_broadcast() => Ok(()),
        IpAddr::V4(to) => {
            let index = nix::net::if_::if_nametoindex("eth0").expect("the guest's device");
            let on = socket2::InterfaceIndexOrAddress::Index(index);
            socket2::SockRef::from(&socket).join_multicast_v4_n(&to, &on)
        }
        IpAddr::V6(to) => {
            let index = nix::net::if_::if_nametoindex("eth0").expect("the guest's device");
            socket.join_multicast_v6(&to, index)
        }
    };
    joined.unwrap_or_else(|error| panic!("cannot listen to {to}: {error}"));
    let patience = Some(Duration::from_secs(3));
    socket.set_read_timeout(patience).expect("set a time limit");
    socket
}

/// Bound to the host's address, and to the bridge.
fn sender(from: &End<'_>, to: IpAddr) -> Socket {
    let address = SocketAddr::from((from.address, from.port));
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None).expect("a socket");
    socket
        .bind(&address.into())
        .expect("bind to the host's address");
    socket
        .bind_device(Some(b"virbr0"))
        .expect("bind to the bridge");
    if to == IpAddr::from(Ipv4Addr::BROADCAST) {
        socket.set_broadcast(true).expect("send to all");
    }
    socket
}
