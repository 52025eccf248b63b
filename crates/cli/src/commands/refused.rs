//! `watch --refused`: the packets that networks refuse, as they come.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use palisade::Options;
use palisade::refusals::{Refusals, Refused, Tally, Waking};
use serde_json::json;

use super::signals::{Asked, Signals, TIME};
use crate::arguments::OutputFormat;
use crate::failure::Failure;
use crate::notify::{self, State};
use crate::output::{Outcome, Reader, show};

/// How often packets are summed up that are like others before.
const SUM_EVERY: Duration = Duration::from_secs(10);

/// Until somebody ends it, or nobody reads any more.
pub(super) fn refused(options: &Options, format: OutputFormat) -> Result<Outcome, Failure> {
    let signals = Signals::new()?;
    let mut refusals = Refusals::open(options)?;
    notify::tell(State::Ready);
    let mut tally = Tally::default();
    let mut next_sum = Instant::now() + SUM_EVERY;
    loop {
        let mut outcomes = Vec::new();
        match refusals.wait(signals.as_fd(), Some(next_sum))? {
            Waking::Woken => match signals.next() {
                Asked::Again => {
                    // Networks are looked for every two seconds anyway.
                    notify::tell(State::Reloading);
                    notify::tell(State::Ready);
                }
                Asked::Nothing => {}
                Asked::End(outcome) => {
                    notify::tell(State::Stopping);
                    outcomes.extend(sums(&mut tally));
                    print(&outcomes, format);
                    return Ok(outcome);
                }
            },
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
            return Ok(Outcome::default());
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
