//! All questions asked at once with real packets.

mod asked;
mod connections;
mod datagrams;
mod echoes;
mod sockets;

use std::thread;
use std::time::Duration;

use crate::ground::Ground;
use crate::questions::Question;

use asked::Asked;
use connections::Connections;
use datagrams::Datagrams;
use echoes::Echoes;

pub(crate) use asked::Fate;

const PAUSE: Duration = Duration::from_millis(10);
/// How often is listened in vain before nothing is believed to come any more. Not how long: on a busy
/// machine this program may sleep while packets come.
const SILENCE: u32 = 30;
/// How often is listened to connections at most: a refused one is tried again after a second, and
/// hears of it then.
const PATIENCE: u32 = 150;

/// Where questions are listened to. Each time another one, so that no flow is known from before.
pub(crate) fn port(time: u16) -> u16 {
    7000 + time
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
