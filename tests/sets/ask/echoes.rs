//! Echo requests and replies. The kernel of the other end answers; a raw socket there watches.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;

use palisade_tests::probe::echo::{Message, Types};
use socket2::Type;

use super::asked::{Asked, Fate, number, token};
use super::sockets::{Wanted, open};
use crate::ground::Ground;
use crate::means::Means;
use crate::questions::{Question, Who};

/// Somebody with an address that echo requests come from or go to.
type Place = (Who, IpAddr);

pub(super) struct Echoes<'a> {
    questions: &'a [Question],
    sockets: HashMap<Place, UdpSocket>,
    /// A reply may be read before the request that it answers, which others watch.
    replied: BTreeSet<usize>,
    time: u16,
}

/// How many questions there may be each time.
const AT_ONCE: u16 = 2048;

impl<'a> Echoes<'a> {
    pub(super) fn begin(ground: &Ground, questions: &'a [Question], time: u16) -> Self {
        let ours = questions
            .iter()
            .filter(|question| question.means == Means::Echo);
        let ends = ours.flat_map(|question| [asks(question), answers(question)]);
        let mut places: Vec<Place> = ends.collect();
        places.sort();
        places.dedup();
        let raw = |&(who, address): &Place| Wanted {
            who,
            kind: Type::RAW,
            protocol: Some(Types::of(address).protocol),
            address: (address, 0).into(),
            device: None,
        };
        let wanted: Vec<Wanted> = places.iter().map(raw).collect();
        // As datagram sockets they tell the source of what they read.
        let sockets = open(ground, &wanted).into_iter();
        let sockets = sockets.map(|socket| UdpSocket::from(OwnedFd::from(socket)));
        let asked = Self {
            questions,
            sockets: places.into_iter().zip(sockets).collect(),
            replied: BTreeSet::new(),
            time,
        };
        for (number, question) in asked.numbered() {
            // Another one each time too: conntrack knows flows by it.
            let identifier = u16::try_from(number)
                .ok()
                .filter(|&number| number < AT_ONCE);
            let identifier = time * AT_ONCE + identifier.expect("there are not so many");
            let request = Types::of(question.source).request(identifier, &asked.mark(number));
            let to = SocketAddr::from((question.destination, 0));
            let sent = asked.sockets[&asks(question)].send_to(&request, to);
            sent.unwrap_or_else(|error| panic!("ask {question:?}: {error}"));
        }
        asked
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &Question)> {
        let numbered = self.questions.iter().enumerate();
        numbered.filter(|(_, question)| question.means == Means::Echo)
    }

    /// What a request carries: which question it is, and of which time.
    fn mark(&self, question: usize) -> [u8; 16] {
        let mut mark = *b"palisade--------";
        mark[8..10].copy_from_slice(&self.time.to_be_bytes());
        mark[12..].copy_from_slice(&token(question));
        mark
    }

    /// The question that a message is of.
    fn of(&self, message: &Message<'_>) -> Option<(usize, &'a Question)> {
        let behind = message.behind(&self.mark(0)[..12])?;
        let number = number(behind.get(..4)?)?;
        Some((number, self.questions.get(number)?))
    }
}

impl Asked for Echoes<'_> {
    fn listen(&mut self, fates: &mut [Fate]) -> bool {
        let mut is_heard = false;
        let mut bytes = [0; 1500];
        for (place, socket) in &self.sockets {
            while let Ok((len, source)) = socket.recv_from(&mut bytes) {
                let message = Message::of(source.ip(), &bytes[..len]);
                let Some((number, question)) = self.of(&message) else {
                    continue;
                };
                is_heard = true;
                if message.is_request() && *place == answers(question) {
                    fates[number] = Fate::Arrived(SocketAddr::from((source.ip(), 0)));
                } else if message.is_reply() && *place == asks(question) {
                    self.replied.insert(number);
                } else if message.is_refusal() && *place == asks(question) {
                    fates[number] = Fate::Refused;
                }
            }
        }
        for &number in &self.replied {
            if let Fate::Arrived(source) = fates[number] {
                fates[number] = Fate::Answered(source);
            }
        }
        is_heard
    }

    /// Nobody tries again.
    fn is_open(&self) -> bool {
        false
    }
}

fn asks(question: &Question) -> Place {
    (question.from, question.source)
}

fn answers(question: &Question) -> Place {
    (question.to, question.destination)
}
