//! `watch --refused`: the packets that networks refuse, as they come.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use palisade::refusals::{Refusals, Refused, Tally, Waking};
use palisade::words::in_words;
use palisade::{ErrorKind, Options};
use serde_json::json;

use super::signals::{Asked, Signals, TIME};
use crate::arguments::OutputFormat;
use crate::failure::Failure;
use crate::notify::{self, State};
use crate::output::{Outcome, Reader, show};

/// How often packets are summed up that are like others before.
const SUM_EVERY: Duration = Duration::from_secs(10);

/// Follows refused packets until a signal ends it, or the reader is gone.
pub(super) fn refused(options: &Options, format: OutputFormat) -> Result<Outcome, Failure> {
    let signals = Signals::new()?;
    let refusals = Refusals::open(options)?;
    notify::tell(State::Ready);
    follow(refusals, format, signals.as_fd(), || {
        match signals.next() {
            Asked::Again => {
                // Networks are looked for every two seconds anyway.
                notify::tell(State::Reloading);
                notify::tell(State::Ready);
                None
            }
            Asked::Nothing => None,
            Asked::End(outcome) => {
                notify::tell(State::Stopping);
                Some(outcome)
            }
        }
    })
}

/// Refused packets that a thread follows, beside a watch over changes.
pub(super) struct Beside {
    thread: JoinHandle<()>,
    wake: UnixStream,
}

impl Beside {
    /// Begins to follow. Signals go to the thread that calls this, if it reads them already.
    pub(super) fn start(options: &Options, format: OutputFormat) -> Result<Self, Failure> {
        let refusals = Refusals::open(options)?;
        let failed = |error: io::Error| {
            Failure::new(
                ErrorKind::System,
                format!("cannot follow refused packets: {}", in_words(&error)),
                "run `palisade watch --refused` beside `palisade watch --heal`",
            )
        };
        let (wake, woken) = UnixStream::pair().map_err(failed)?;
        let follow = move || {
            let ended = follow(refusals, format, woken.as_fd(), || Some(Outcome::silent()));
            if let Err(error) = ended {
                log::error!(
                    "refused packets are not followed any more: {}",
                    error.message()
                );
            }
        };
        let thread = thread::Builder::new().name("refused".to_owned());
        let thread = thread.spawn(follow).map_err(failed)?;
        Ok(Self { thread, wake })
    }

    /// Ends it, after the last packets are printed.
    pub(super) fn end(mut self) {
        // It fails if the thread has ended.
        let _ = self.wake.write_all(&[1]);
        let _ = self.thread.join();
    }
}

/// Prints refused packets until `on_wake` has an outcome, which is asked when `wake` has something to be read.
fn follow(
    mut refusals: Refusals,
    format: OutputFormat,
    wake: BorrowedFd<'_>,
    mut on_wake: impl FnMut() -> Option<Outcome>,
) -> Result<Outcome, Failure> {
    let mut tally = Tally::default();
    let mut next_sum = Instant::now() + SUM_EVERY;
    loop {
        let mut outcomes = Vec::new();
        match refusals.wait(wake, Some(next_sum))? {
            Waking::Woken => {
                if let Some(outcome) = on_wake() {
                    outcomes.extend(sums(&mut tally));
                    print(&outcomes, format);
                    return Ok(outcome);
                }
            }
            Waking::Refused {
                packets,
                is_overrun,
            } => {
                let first = packets.iter().filter(|packet| tally.add(packet));
                outcomes.extend(first.map(|packet| outcome(packet, 0)));
                if is_overrun {
                    log::warn!(
                        "more packets were refused than could be read: some are not counted"
                    );
                }
            }
        }
        if Instant::now() >= next_sum {
            next_sum = Instant::now() + SUM_EVERY;
            outcomes.extend(sums(&mut tally));
        }
        if print(&outcomes, format) == Reader::Gone {
            return Ok(Outcome::silent());
        }
    }
}

fn sums(tally: &mut Tally) -> Vec<Outcome> {
    let sums = tally.take().into_iter();
    sums.map(|(refused, more)| outcome(&refused, more))
        .collect()
}

fn print(outcomes: &[Outcome], format: OutputFormat) -> Reader {
    let mut shown = outcomes.iter().map(|outcome| show(outcome, format));
    match shown.any(|reader| reader == Reader::Gone) {
        true => Reader::Gone,
        false => Reader::There,
    }
}

fn outcome(refused: &Refused, more: u64) -> Outcome {
    let now = palisade::watch::now();
    let count = match more {
        0 => String::new(),
        more => format!("  ({more} more)"),
    };
    let text = format!("{TIME}{now}{TIME:#} {refused}{count}\n");
    let mut json = json!(refused);
    json["event"] = json!("refused");
    json["time"] = json!(now);
    json["more"] = json!(more);
    Outcome::new(text, &json)
}
