//! All questions asked at once with real packets.

mod connections;
mod datagrams;
mod echoes;
mod sockets;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crate::ground::Ground;
use crate::questions::Question;

use connections::Connections;
use datagrams::Datagrams;
use echoes::Echoes;

const PAUSE: Duration = Duration::from_millis(10);
/// How often is listened in vain before nothing is believed to come any more. Not how long: on a busy
/// machine this program may sleep while packets come.
const SILENCE: u32 = 30;
/// How often is listened to connections at most: a refused one is tried again after a second, and
/// hears of it then.
const PATIENCE: u32 = 150;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was answered, by one who saw this source. The port of an echo request is 0.
    Answered(SocketAddr),
    /// It arrived, from this source, and no answer came back.
    Arrived(SocketAddr),
    Refused,
    Lost,
}

/// Where questions are listened to. Each time another one, so that no flow is known from before.
pub(crate) fn port(time: u16) -> u16 {
    7000 + time
}

/// Questions of one kind, which are on their way.
trait Asked {
    /// Takes what has come; whether anything has.
    fn listen(&mut self, fates: &mut [Fate]) -> bool;
    /// Whether more must come, or be given up.
    fn is_open(&self) -> bool;
}

/// Asks all of them, for the n-th time; what became of each.
pub(crate) fn ask(ground: &Ground, questions: &[Question], time: u16) -> Vec<Fate> {
    let mut fates = vec![Fate::Lost; questions.len()];
    let port = port(time);
    let mut all: [Box<dyn Asked>; 3] = [
        Box::new(Connections::begin(ground, questions, port)),
        Box::new(Datagrams::begin(ground, questions, port)),
        Box::new(Echoes::begin(ground, questions, time)),
    ];
    let (mut listened, mut in_vain) = (0, 0);
    while in_vain < SILENCE || (listened < PATIENCE && all.iter().any(|asked| asked.is_open())) {
        thread::sleep(PAUSE);
        listened += 1;
        in_vain += 1;
        for asked in &mut all {
            if asked.listen(&mut fates) {
                in_vain = 0;
            }
        }
    }
    fates
}

/// What tells a question from all others.
fn token(number: usize) -> [u8; 4] {
    u32::try_from(number)
        .expect("there are not so many")
        .to_be_bytes()
}

/// The number of the question that it tells.
fn number(token: &[u8]) -> Option<usize> {
    let token: [u8; 4] = token.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(token)).ok()
}
