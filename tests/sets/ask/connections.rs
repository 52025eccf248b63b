//! Connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use socket2::Type;

use super::asked::{Asked, Fate, number, token};
use super::sockets::{Wanted, open};
use crate::ground::Ground;
use crate::means::Means;
use crate::questions::{Question, Who};

pub(super) struct Connections {
    listeners: Vec<TcpListener>,
    /// Those that are not accepted or refused yet.
    open: Vec<Client>,
    /// Those that have not said yet which they are.
    accepted: Vec<(TcpStream, SocketAddr)>,
}

struct Client {
    number: usize,
    stream: TcpStream,
    is_told: bool,
}

impl Connections {
    pub(super) fn begin(ground: &Ground, questions: &[Question], port: u16) -> Self {
        let numbered = questions.iter().enumerate();
        let ours: Vec<(usize, &Question)> = numbered
            .filter(|(_, question)| question.means == Means::Tcp)
            .collect();
        let places = ours
            .iter()
            .map(|(_, question)| (question.to, question.destination));
        let mut places: Vec<(Who, IpAddr)> = places.collect();
        places.sort();
        places.dedup();
        let wanted = |who, address, port| Wanted {
            who,
            kind: Type::STREAM,
            protocol: None,
            address: SocketAddr::from((address, port)),
            device: None,
        };
        let listening: Vec<Wanted> = places
            .into_iter()
            .map(|(who, address)| wanted(who, address, port))
            .collect();
        let listeners = open(ground, &listening).into_iter();
        let listen = |socket: socket2::Socket| {
            socket.listen(128).expect("listen");
            TcpListener::from(socket)
        };
        let listeners = listeners.map(listen).collect();
        let asking: Vec<Wanted> = ours
            .iter()
            .map(|(_, question)| {
                let port = question.source_port.unwrap_or(0);
                wanted(question.from, question.source, port)
            })
            .collect();
        let clients = ours.iter().zip(open(ground, &asking));
        let connect = |(&(number, question), socket): (&(usize, &Question), socket2::Socket)| {
            // It begins to connect.
            let _ = socket.connect(&SocketAddr::from((question.destination, port)).into());
            Client {
                number,
                stream: socket.into(),
                is_told: false,
            }
        };
        Self {
            listeners,
            open: clients.map(connect).collect(),
            accepted: Vec::new(),
        }
    }
}

impl Asked for Connections {
    fn listen(&mut self, fates: &mut [Fate]) -> bool {
        let before = (self.open.len(), self.accepted.len());
        for listener in &self.listeners {
            while let Ok((stream, source)) = listener.accept() {
                stream.set_nonblocking(true).expect("not to wait");
                self.accepted.push((stream, source));
            }
        }
        self.accepted.retain_mut(|(stream, source)| {
            let mut token = [0; 4];
            match stream.read_exact(&mut token) {
                Ok(()) => {
                    if let Some(number) = number(&token) {
                        fates[number] = Fate::Answered(*source);
                    }
                    false
                }
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            }
        });
        self.open.retain_mut(|client| client.goes_on(fates));
        before != (self.open.len(), self.accepted.len())
    }

    fn is_open(&self) -> bool {
        !self.open.is_empty() || !self.accepted.is_empty()
    }
}

impl Client {
    /// Whether it is not decided yet what becomes of it.
    fn goes_on(&mut self, fates: &mut [Fate]) -> bool {
        if let Ok(Some(error)) = self.stream.take_error() {
            if error.kind() == ErrorKind::ConnectionRefused {
                fates[self.number] = Fate::Refused;
            }
            return false;
        }
        if !self.is_told && self.stream.peer_addr().is_ok() {
            self.is_told = self.stream.write_all(&token(self.number)).is_ok();
        }
        !matches!(fates[self.number], Fate::Answered(_))
    }
}
