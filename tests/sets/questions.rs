//! Questions from everybody to everybody, all asked at once with real packets.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use palisade_tests::Namespace;
use socket2::{Domain, Socket, Type};

use crate::ground::{Ground, MADE_UP, WORLDS};
use crate::member::Member;

/// Where everybody listens.
const PORT: u16 = 7000;
/// A refused connection is tried again after a second, and hears of it then.
const TCP_PATIENCE: Duration = Duration::from_millis(1500);
/// How long it takes to believe that no datagram comes any more.
const UDP_PATIENCE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Tcp = 6,
    Udp = 17,
}

/// Who asks or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    World(usize),
    Guest(usize, usize),
    Host,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Question {
    pub(crate) from: Who,
    pub(crate) source: IpAddr,
    pub(crate) is_made_up: bool,
    pub(crate) to: Who,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: Protocol,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was answered, by one who saw this source.
    Answered(IpAddr),
    /// It arrived, from this source, and no answer came back.
    Arrived(IpAddr),
    Refused,
    Lost,
}

pub(crate) fn all(members: &[Member]) -> Vec<Question> {
    let parse = |text: &str| -> IpAddr { text.parse().expect("an address") };
    let mut senders: Vec<(Who, [IpAddr; 2], bool)> = Vec::new();
    let mut receivers: Vec<(Who, [IpAddr; 2])> = Vec::new();
    for (number, (_, here, there)) in WORLDS.iter().enumerate() {
        senders.push((Who::World(number), there.map(parse), false));
        receivers.push((Who::World(number), there.map(parse)));
        receivers.push((Who::Host, here.map(parse)));
    }
    for member in members {
        let number = member.number;
        senders.push((Who::Guest(number, 0), member.guest(0), false));
        senders.push((Who::Guest(number, 0), MADE_UP.map(parse), true));
        receivers.push((Who::Guest(number, 1), member.guest(1)));
    }
    let mut questions = Vec::new();
    for &(from, sources, is_made_up) in &senders {
        for &(to, destinations) in receivers.iter().filter(|(to, _)| *to != from) {
            for (source, destination) in sources.into_iter().zip(destinations) {
                for protocol in [Protocol::Tcp, Protocol::Udp] {
                    questions.push(Question {
                        from,
                        source,
                        is_made_up,
                        to,
                        destination,
                        protocol,
                    });
                }
            }
        }
    }
    questions
}

impl Ground {
    fn namespace(&self, who: Who) -> &Namespace {
        match who {
            Who::World(number) => &self.worlds[number],
            Who::Guest(network, which) => &self.guests[network][which],
            Who::Host => &self.host,
        }
    }

    /// Sockets in one namespace, made by one thread there.
    fn sockets(&self, who: Who, wanted: &[(Type, SocketAddr)]) -> Vec<Socket> {
        self.namespace(who).inside(|| {
            let make = |&(kind, address): &(Type, SocketAddr)| {
                let socket =
                    Socket::new(Domain::for_address(address), kind, None).expect("a socket");
                socket.set_reuse_address(true).expect("reuse the address");
                socket
                    .bind(&address.into())
                    .unwrap_or_else(|error| panic!("bind to {address}: {error}"));
                socket.set_nonblocking(true).expect("not to wait");
                socket
            };
            wanted.iter().map(make).collect()
        })
    }
}

fn kind(protocol: Protocol) -> Type {
    match protocol {
        Protocol::Tcp => Type::STREAM,
        Protocol::Udp => Type::DGRAM,
    }
}

/// Asks all of them; what became of each.
pub(crate) fn ask(ground: &Ground, questions: &[Question]) -> Vec<Fate> {
    let mut listeners: HashMap<(Who, IpAddr), (TcpListener, UdpSocket)> = HashMap::new();
    let mut clients: Vec<Socket> = Vec::new();
    for question in questions {
        let key = (question.to, question.destination);
        listeners.entry(key).or_insert_with(|| {
            let address = SocketAddr::from((question.destination, PORT));
            let wanted = [Type::STREAM, Type::DGRAM].map(|kind| (kind, address));
            let mut sockets = ground.sockets(question.to, &wanted).into_iter();
            let mut next = || sockets.next().expect("two sockets");
            let (stream, datagram) = (next(), next());
            stream.listen(128).expect("listen");
            (stream.into(), datagram.into())
        });
    }
    // All of a sender's at once: each entering of a namespace is a thread.
    let mut of_sender: HashMap<Who, Vec<usize>> = HashMap::new();
    for (number, question) in questions.iter().enumerate() {
        of_sender.entry(question.from).or_default().push(number);
    }
    let mut made: Vec<(usize, Socket)> = Vec::new();
    for (who, numbers) in of_sender {
        let wanted: Vec<(Type, SocketAddr)> = numbers
            .iter()
            .map(|&number| {
                let question = &questions[number];
                (
                    kind(question.protocol),
                    SocketAddr::from((question.source, 0)),
                )
            })
            .collect();
        made.extend(numbers.into_iter().zip(ground.sockets(who, &wanted)));
    }
    made.sort_by_key(|(number, _)| *number);
    clients.extend(made.into_iter().map(|(_, socket)| socket));

    let mut fates = vec![Fate::Lost; questions.len()];
    of_datagrams(questions, &clients, &listeners, &mut fates);
    of_connections(questions, clients, &listeners, &mut fates);
    fates
}

type Listeners = HashMap<(Who, IpAddr), (TcpListener, UdpSocket)>;

fn of_datagrams(
    questions: &[Question],
    clients: &[Socket],
    listeners: &Listeners,
    fates: &mut [Fate],
) {
    let is_datagram = |number: &usize| questions[*number].protocol == Protocol::Udp;
    let numbers: Vec<usize> = (0..questions.len()).filter(is_datagram).collect();
    for &number in &numbers {
        let to = SocketAddr::from((questions[number].destination, PORT));
        clients[number]
            .connect(&to.into())
            .expect("choose a receiver");
        let token = u32::try_from(number).unwrap_or(0).to_be_bytes();
        clients[number]
            .send(&token)
            .unwrap_or_else(|error| panic!("ask {:?}: {error}", questions[number]));
    }
    let mut last = Instant::now();
    while last.elapsed() < UDP_PATIENCE {
        let mut bytes = [0; 64];
        for (_, listener) in listeners.values() {
            while let Ok((len, source)) = listener.recv_from(&mut bytes) {
                let Some(number) = number(&bytes[..len]) else {
                    continue;
                };
                fates[number] = Fate::Arrived(source.ip());
                // Where no way leads back, even sending fails.
                let _ = listener.send_to(&bytes[..len], source);
                last = Instant::now();
            }
        }
        for &number in &numbers {
            match (&clients[number]).read(&mut bytes) {
                Ok(_) => {
                    if let Fate::Arrived(source) = fates[number] {
                        fates[number] = Fate::Answered(source);
                    }
                    last = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    fates[number] = Fate::Refused;
                    last = Instant::now();
                }
                Err(_) => {}
            }
        }
        thread::sleep(PAUSE);
    }
}

fn of_connections(
    questions: &[Question],
    clients: Vec<Socket>,
    listeners: &Listeners,
    fates: &mut [Fate],
) {
    let mut open: Vec<(usize, TcpStream, bool)> = Vec::new();
    for (number, client) in clients.into_iter().enumerate() {
        if questions[number].protocol == Protocol::Tcp {
            let to = SocketAddr::from((questions[number].destination, PORT));
            // It begins to connect.
            let _ = client.connect(&to.into());
            open.push((number, client.into(), false));
        }
    }
    let mut accepted: Vec<(TcpStream, IpAddr)> = Vec::new();
    let began = Instant::now();
    while began.elapsed() < TCP_PATIENCE && !(open.is_empty() && accepted.is_empty()) {
        for (listener, _) in listeners.values() {
            while let Ok((stream, source)) = listener.accept() {
                stream.set_nonblocking(true).expect("not to wait");
                accepted.push((stream, source.ip()));
            }
        }
        open.retain_mut(|(number, stream, is_told)| match stream.take_error() {
            Ok(Some(error)) => {
                fates[*number] = match error.kind() {
                    ErrorKind::ConnectionRefused => Fate::Refused,
                    _ => Fate::Lost,
                };
                false
            }
            _ => {
                if !*is_told && stream.peer_addr().is_ok() {
                    let token = u32::try_from(*number).unwrap_or(0).to_be_bytes();
                    *is_told = stream.write_all(&token).is_ok();
                }
                !matches!(fates[*number], Fate::Answered(_))
            }
        });
        accepted.retain_mut(|(stream, source)| {
            let mut token = [0; 4];
            match stream.read_exact(&mut token) {
                Ok(_) => {
                    if let Some(number) = number(&token) {
                        fates[number] = Fate::Answered(*source);
                    }
                    false
                }
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            }
        });
        thread::sleep(PAUSE);
    }
}

fn number(token: &[u8]) -> Option<usize> {
    let token: [u8; 4] = token.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(token)).ok()
}
