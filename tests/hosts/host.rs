//! A host with two guests and two worlds, and real connections between them.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use palisade::{Firewall, Options};
use palisade_tests::{Chance, Definition, Namespace, Palisade};

use crate::question::{Question, Whom};
use crate::trouble::Trouble;

/// How long packets take at most; the kernel asks for neighbours once a second.
const PATIENCE: Duration = Duration::from_millis(120);

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// It was sent: its source is an address of whoever asks.
    pub(crate) sent: bool,
    /// Its first packet came to somebody.
    pub(crate) arrived: bool,
    /// The answer came back.
    pub(crate) answered: bool,
}

/// A host in trouble.
pub(crate) struct Host {
    pub(crate) troubles: Vec<Trouble>,
    host: Namespace,
    guests: [Namespace; 2],
    worlds: [Namespace; 2],
    state: tempfile::TempDir,
}

impl Host {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let [host, guest, other, first, second] = [(); 5].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.bridges(["virbr0", "tail0"]);
        for (port, guest) in [("vnet0", &guest), ("vnet1", &other)] {
            host.cable(port, guest, "eth0");
            host.ip(&format!("link set {port} master virbr0"));
        }
        host.cable("wan0", &first, "eth0");
        host.cable("wan1", &second, "eth0");
        host.ip(
            "link set lo up\nlink set virbr0 address 02:00:00:00:00:01\n\
             link set wan0 address 02:00:00:00:00:02\nlink set wan1 address 02:00:00:00:00:03\n\
             addr add 10.1.0.1/24 dev virbr0\naddr add 192.0.2.1/24 dev wan0\n\
             addr add 203.0.113.1/24 dev wan1\naddr add 100.64.0.1/32 dev tail0\n\
             route add default via 192.0.2.2\nroute add 198.51.100.20 via 203.0.113.9",
        );
        for (guest, own) in [(&guest, "10.1.0.5"), (&other, "10.1.0.6")] {
            guest.ip(&format!(
                "addr add {own}/24 dev eth0\nroute add default via 10.1.0.1"
            ));
        }
        for (world, own, other, host) in [
            (&first, "192.0.2.2", "198.51.100.10", "192.0.2.1"),
            (&second, "203.0.113.9", "198.51.100.20", "203.0.113.1"),
        ] {
            world.ip(&format!(
                "link set lo up\naddr add {other}/32 dev lo\naddr add 198.51.100.30/32 dev lo\n\
                 addr add {own}/24 dev eth0\n\
                 route add default via {host}"
            ));
        }
        // What is sent comes to the host, whatever addresses it has.
        for (number, gateway, places) in [
            (1, "10.1.0.1", &[&guest, &other][..]),
            (2, "192.0.2.1", &[&first]),
            (3, "203.0.113.1", &[&second]),
        ] {
            for place in places {
                place.ip(&format!(
                    "neigh add {gateway} lladdr 02:00:00:00:00:0{number} dev eth0 nud permanent"
                ));
            }
        }
        let this = Self {
            troubles: Trouble::some(chance),
            host,
            guests: [guest, other],
            worlds: [first, second],
            state: tempfile::tempdir().expect("make a folder"),
        };
        this.run_network(chance);
        for (number, trouble) in this.troubles.iter().enumerate() {
            trouble.happens(&this.host, number);
        }
        this
    }

    fn run_network(&self, chance: &mut Chance) {
        let subnet = ["10.1.0.1/24"];
        let network = match chance.below(4) {
            0 | 1 => Definition::nat("default", "virbr0", &subnet),
            2 => Definition::route("default", "virbr0", &subnet),
            _ => Definition::isolated("default", "virbr0", &subnet),
        };
        let places: [&[&str]; 4] = [
            &["--layout", "mapped"],
            &["--layout", "flat"],
            &["--backend", "iptables", "--iptables", "legacy"],
            &["--backend", "iptables", "--iptables", "nft"],
        ];
        let place = chance.one_of(&places).iter().copied();
        let palisade = Palisade::new(&self.host).with(place);
        let palisade = palisade.keeping_state_in(&self.place());
        palisade.apply(&[network]).stdout();
    }

    fn place(&self) -> PathBuf {
        self.state.path().join("state")
    }

    pub(crate) fn firewall(&self) -> Firewall {
        let options = Options {
            state_directory: Some(self.place()),
            namespace: Some(self.host.path()),
            ..Options::default()
        };
        Firewall::open(&options).expect("open the firewall")
    }

    fn of(&self, whom: Whom) -> &Namespace {
        match whom {
            Whom::Guest => &self.guests[0],
            Whom::Other => &self.guests[1],
            Whom::First => &self.worlds[0],
            Whom::Second => &self.worlds[1],
            Whom::Host => &self.host,
        }
    }

    /// Sends the first packet of each connection and the answers, all at once.
    pub(crate) fn send(&self, questions: &[Question]) -> Vec<Seen> {
        let listening: Vec<Vec<UdpSocket>> = questions
            .iter()
            .map(|question| {
                let others = Whom::ALL.into_iter().filter(|whom| *whom != question.from);
                // What answers from an address is bound to it.
                let places = others.flat_map(|whom| whom.listens().map(move |own| (whom, own)));
                let socket =
                    |(whom, own): (Whom, Ipv4Addr)| bound(self.of(whom), (own, question.port));
                places.filter_map(socket).collect()
            })
            .collect();
        let asking: Vec<Option<UdpSocket>> = questions
            .iter()
            .map(|question| {
                let at = (question.source, question.source_port());
                bound(self.of(question.from), at)
            })
            .collect();
        for (socket, question) in asking.iter().zip(questions) {
            if let Some(socket) = socket {
                let _ = socket.send_to(b"there", (question.destination, question.port));
            }
        }
        let mut arrived = vec![false; questions.len()];
        let mut answered = vec![false; questions.len()];
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let mut is_quiet = true;
            for (sockets, arrived) in listening.iter().zip(&mut arrived) {
                for socket in sockets {
                    if let Ok((_, from)) = socket.recv_from(&mut [0; 16]) {
                        *arrived = true;
                        is_quiet = false;
                        let _ = socket.send_to(b"back", from);
                    }
                }
            }
            for (socket, answered) in asking.iter().zip(&mut answered) {
                if let Some(socket) = socket
                    && socket.recv_from(&mut [0; 16]).is_ok()
                {
                    *answered = true;
                    is_quiet = false;
                }
            }
            if is_quiet {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let all = asking.iter().zip(arrived).zip(answered);
        all.map(|((socket, arrived), answered)| Seen {
            sent: socket.is_some(),
            arrived,
            answered,
        })
        .collect()
    }
}

/// A socket there; none where the address is gone.
fn bound(place: &Namespace, at: (Ipv4Addr, u16)) -> Option<UdpSocket> {
    let socket = place.inside(|| UdpSocket::bind(at)).ok()?;
    socket
        .set_nonblocking(true)
        .expect("a socket that does not wait");
    Some(socket)
}
