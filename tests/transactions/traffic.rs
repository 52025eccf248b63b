//! A packet a millisecond from a guest to the world, while its network's rules move and are
//! replaced: each arrives, and none with the guest's own address.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use palisade_tests::{Namespace, Palisade, Trials};
use socket2::SockRef;

use palisade_tests::place::{Place, assert_clean, net};

/// How often the rules move in each trial.
const MOVES: usize = 20;
const PORT: u16 = 4000;
const HOST: [&str; 2] = ["192.0.2.1", "2001:db8:a::1"];
const WORLD: [&str; 2] = ["192.0.2.2", "2001:db8:a::2"];
const GUEST: [&str; 2] = ["10.1.0.10", "fd00:1::10"];

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    use Place::{Flat, Legacy, Mapped, Nft};
    for rounds in [[Mapped, Nft, Flat, Nft], [Mapped, Legacy, Flat, Legacy]] {
        let name = format!("under traffic: {MOVES} times on through {rounds:?}");
        trials = trials.with(name, move || migrated(rounds));
    }
    for place in Place::ALL {
        let name = format!("under traffic: {place:?}, replaced {MOVES} times");
        trials = trials.with(name, move || replaced(place));
    }
    trials.with("without rules the guest's address is seen", unprotected)
}

fn migrated(rounds: [Place; 4]) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host);
    let first = rounds[0].palisade(&lab.host).sharing(&palisade);
    first.apply([&nat("1024")]).stdout();
    let seen = lab.seen_during(|| {
        for place in rounds.iter().cycle().skip(1).take(MOVES) {
            palisade.ok(place.migration());
        }
    });
    assert_clean(&palisade);
    seen.assert_all_hidden();
}

fn replaced(place: Place) {
    let lab = Lab::new();
    let palisade = place.palisade(&lab.host);
    palisade.apply([&nat("1024")]).stdout();
    let seen = lab.seen_during(|| {
        for port in ["2048", "1024"].iter().cycle().take(MOVES) {
            palisade.apply([&nat(port)]).stdout();
        }
    });
    assert_clean(&palisade);
    seen.assert_all_hidden();
}

/// The witness: what must not be seen can be seen.
fn unprotected() {
    let seen = Lab::new().seen_during(|| thread::sleep(Duration::from_millis(50)));
    for (i, guest) in GUEST.map(address).iter().enumerate() {
        let sources = seen.sources();
        assert!(sources.contains_key(guest), "family {i}: {sources:?}");
    }
}

/// A network whose guests leave at ports from this one on.
fn nat(first_port: &str) -> palisade_tests::Definition {
    net(1).forwarding(&format!(
        "<forward mode='nat'><nat ipv6='yes'><port start='{first_port}' end='65535'/></nat>\
         </forward>"
    ))
}

/// `guest -- virbr1 [ host ] wan0 -- world`
struct Lab {
    host: Namespace,
    world: Namespace,
    guest: Namespace,
}

impl Lab {
    fn new() -> Self {
        let [host, world, guest] = [(); 3].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        host.bridges(["virbr1"]);
        host.cable("wan0", &world, "eth0");
        host.cable("port1", &guest, "eth0");
        let addresses = |[v4, v6]: [&str; 2], device: &str| {
            // Usable at once.
            format!("addr add {v4}/24 dev {device}\naddr add {v6}/64 dev {device} nodad\n")
        };
        let gateway = ["10.1.0.1", "fd00:1::1"];
        let routes =
            |[v4, v6]: [&str; 2]| format!("route add default via {v4}\nroute add ::/0 via {v6}\n");
        host.ip(&format!(
            "link set port1 master virbr1\n{}{}",
            addresses(HOST, "wan0"),
            addresses(gateway, "virbr1")
        ));
        // The world knows the way back, so that only the rules hide the guest.
        world.ip(&(addresses(WORLD, "eth0") + &routes(HOST)));
        guest.ip(&(addresses(GUEST, "eth0") + &routes(gateway)));
        Self { host, world, guest }
    }

    /// What arrives of what is sent from shortly before to shortly after an action.
    fn seen_during(&self, action: impl FnOnce()) -> Seen {
        let servers = WORLD.map(|at| {
            let server = self.world.inside(|| UdpSocket::bind((address(at), PORT)));
            let server = server.expect("listen in the world");
            let buffer = SockRef::from(&server).set_recv_buffer_size(1 << 20);
            buffer.expect("make room for packets");
            let patience = Some(Duration::from_millis(300));
            server.set_read_timeout(patience).expect("set a timeout");
            server
        });
        let (begun, is_done) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let (begun, is_done) = (&begun, &is_done);
            let readers =
                servers.map(|server| scope.spawn(move || arrived(&server, begun, is_done)));
            let sender = scope.spawn(|| self.guest.inside(|| send_until(is_done)));
            // Neighbours find each other first, which may take a second.
            let until = Instant::now() + Duration::from_secs(10);
            while begun.load(Ordering::Relaxed) < WORLD.len() && Instant::now() < until {
                thread::sleep(Duration::from_millis(10));
            }
            let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action));
            thread::sleep(Duration::from_millis(50));
            is_done.store(true, Ordering::Relaxed);
            let sent = sender.join().expect("the sender");
            let arrived = readers.map(|reader| reader.join().expect("a reader"));
            acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Seen { sent, arrived }
        })
    }
}

/// Sends numbered packets, one a millisecond, now by the one family, now by the other: of each
/// four, two belong to a flow that has been there since the beginning, and two begin one. How many.
fn send_until(is_done: &AtomicBool) -> u64 {
    let open = || {
        [0, 1].map(|family| {
            let socket = UdpSocket::bind((address(GUEST[family]), 0)).expect("make a socket");
            let world = (address(WORLD[family]), PORT);
            socket.connect(world).expect("choose the world");
            socket
        })
    };
    let lasting = open();
    let mut number = 0_u64;
    let began = Instant::now();
    while !is_done.load(Ordering::Relaxed) {
        let fresh = open();
        for socket in lasting.iter().chain(&fresh) {
            // It fails where an earlier packet was refused: the other end knows what it misses.
            let _ = socket.send(&number.to_be_bytes());
            number += 1;
            let due = began + Duration::from_millis(number);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    number
}

/// Which packets arrive, and from where, until nothing comes any more.
fn arrived(
    server: &UdpSocket,
    begun: &AtomicUsize,
    is_done: &AtomicBool,
) -> BTreeMap<u64, SocketAddr> {
    let mut arrived = BTreeMap::new();
    let mut bytes = [0; 8];
    loop {
        match server.recv_from(&mut bytes) {
            Ok((_, source)) => {
                let number = u64::from_be_bytes(bytes);
                if arrived.is_empty() {
                    begun.fetch_add(1, Ordering::Relaxed);
                }
                let earlier = arrived.insert(number, source);
                assert_eq!(earlier, None, "packet {number} arrived twice");
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if is_done.load(Ordering::Relaxed) {
                    return arrived;
                }
            }
            Err(error) => panic!("cannot read packets: {error}"),
        }
    }
}

/// What was sent and what came.
struct Seen {
    sent: u64,
    arrived: [BTreeMap<u64, SocketAddr>; 2],
}

impl Seen {
    /// How many packets came from each address.
    fn sources(&self) -> BTreeMap<IpAddr, usize> {
        let mut sources = BTreeMap::new();
        for source in self.arrived.iter().flat_map(BTreeMap::values) {
            *sources.entry(source.ip()).or_default() += 1;
        }
        sources
    }

    #[track_caller]
    fn assert_all_hidden(&self) {
        assert!(self.sent > 400, "only {} packets were sent", self.sent);
        // From the first that came: what was sent before the neighbours knew each other is lost.
        let missing = |(family, came): (u64, &BTreeMap<u64, SocketAddr>)| {
            let first = came.keys().next().copied();
            let first = first.unwrap_or_else(|| panic!("nothing came of family {family}"));
            let sent = (first..self.sent).step_by(WORLD.len());
            let missing = sent.filter(|number| !came.contains_key(number));
            missing.collect::<Vec<u64>>()
        };
        let lost: Vec<u64> = (0..).zip(&self.arrived).flat_map(missing).collect();
        let sources = self.sources();
        assert!(
            sources
                .keys()
                .all(|source| HOST.map(address).contains(source)),
            "packets came from {sources:?}"
        );
        assert!(
            lost.is_empty(),
            "{} of {} packets were lost: {lost:?}",
            lost.len(),
            self.sent
        );
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
