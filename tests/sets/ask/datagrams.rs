//! Datagrams to one, which are answered, and to all.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Socket, Type};

use super::asked::{Asked, Fate, number, token};
use super::sockets::{Wanted, open};
use crate::ground::Ground;
use crate::means::Means;
use crate::questions::{Question, Who};

/// Who listens, to which address, by which device.
type Place = (Who, IpAddr, Option<String>);

pub(super) struct Datagrams<'a> {
    questions: &'a [Question],
    listeners: Vec<(Place, UdpSocket)>,
    /// Those who wait, each with the number of its question.
    waiting: Vec<(usize, Socket)>,
    /// Whoever speaks to all, until the end.
    speaking: Vec<Socket>,
}

impl<'a> Datagrams<'a> {
    pub(super) fn begin(ground: &Ground, questions: &'a [Question], port: u16) -> Self {
        let is_ours = |question: &&Question| matches!(question.means, Means::Udp | Means::ToAll);
        let mut places: Vec<Place> = questions.iter().filter(is_ours).map(place).collect();
        places.sort();
        places.dedup();
        let listening = |(who, address, device): &Place| Wanted {
            who: *who,
            kind: Type::DGRAM,
            protocol: None,
            address: (*address, port).into(),
            device: device.clone(),
        };
        let wanted: Vec<Wanted> = places.iter().map(listening).collect();
        let listeners = open(ground, &wanted).into_iter().map(UdpSocket::from);
        let mut asked = Self {
            questions,
            listeners: places.into_iter().zip(listeners).collect(),
            waiting: Vec::new(),
            speaking: Vec::new(),
        };
        asked.send(ground, port);
        asked
    }

    fn send(&mut self, ground: &Ground, port: u16) {
        let numbered = self.questions.iter().enumerate();
        let ours: Vec<(usize, &Question)> = numbered
            .filter(|(_, question)| matches!(question.means, Means::Udp | Means::ToAll))
            .collect();
        let sending = |(_, question): &(usize, &Question)| Wanted {
            who: question.from,
            kind: Type::DGRAM,
            protocol: None,
            address: (question.source, question.source_port.unwrap_or(0)).into(),
            device: question.sending_device(),
        };
        let wanted: Vec<Wanted> = ours.iter().map(sending).collect();
        for ((number, question), socket) in ours.into_iter().zip(open(ground, &wanted)) {
            let to = SocketAddr::from((question.destination, port));
            let sent = if question.means == Means::Udp {
                // It hears of refusals then.
                socket
                    .connect(&to.into())
                    .and_then(|()| socket.send(&token(number)))
            } else {
                socket.send_to(&token(number), &to.into())
            };
            sent.unwrap_or_else(|error| panic!("ask {question:?}: {error}"));
            match question.means {
                Means::Udp => self.waiting.push((number, socket)),
                _ => self.speaking.push(socket),
            }
        }
    }

    fn hear(&self, fates: &mut [Fate]) -> bool {
        let mut is_heard = false;
        let mut bytes = [0; 64];
        for (place_of, listener) in &self.listeners {
            while let Ok((len, source)) = listener.recv_from(&mut bytes) {
                is_heard = true;
                let Some(number) = number(&bytes[..len]) else {
                    continue;
                };
                // What is said to all on a link, others there hear too.
                let question = &self.questions[number];
                if place(question) != *place_of {
                    continue;
                }
                fates[number] = Fate::Arrived(source);
                if question.means == Means::Udp {
                    // Where no way leads back, even sending fails.
                    let _ = listener.send_to(&bytes[..len], source);
                }
            }
        }
        is_heard
    }
}

impl Asked for Datagrams<'_> {
    fn listen(&mut self, fates: &mut [Fate]) -> bool {
        let mut is_heard = self.hear(fates);
        let mut bytes = [0; 64];
        self.waiting.retain(|(number, socket)| {
            let mut socket = socket;
            match socket.read(&mut bytes) {
                Ok(_) => {
                    if let Fate::Arrived(source) = fates[*number] {
                        fates[*number] = Fate::Answered(source);
                    }
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    fates[*number] = Fate::Refused;
                }
                Err(_) => return true,
            }
            is_heard = true;
            false
        });
        is_heard
    }

    /// Nobody tries again.
    fn is_open(&self) -> bool {
        false
    }
}

fn place(question: &Question) -> Place {
    (
        question.to,
        question.destination,
        question.listening_device(),
    )
}
