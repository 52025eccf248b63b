//! `watch`: changes to the ruleset, as they happen. A service of systemd's, if it is one.

use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};
use palisade::Options;
use palisade::watch::{Heal, Notice, Waking, Watch};
use serde_json::json;

use super::refused::{Beside, refused};
use super::signals::{Asked, Signals, TIME};
use crate::arguments::{OutputFormat, Watched};
use crate::failure::Failure;
use crate::notify::{self, State};
use crate::output::{Outcome, Reader, show};

/// Follows changes until a signal ends it, or the reader is gone; with `--heal --refused`, refused packets beside them.
pub(super) fn watch(
    options: &Options,
    watched: &Watched,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    if watched.refused && !watched.heal {
        return refused(options, format);
    }
    let signals = Signals::new()?;
    let heal = if watched.heal {
        Heal::AtOnce
    } else {
        Heal::Never
    };
    let watch = Watch::open(options, heal)?;
    let beside = match watched.refused {
        true => Some(Beside::start(options, format)?),
        false => None,
    };
    notify::tell(State::Ready);
    let ended = follow(watch, &signals, format);
    if let Some(beside) = beside {
        beside.end();
    }
    ended
}

fn follow(mut watch: Watch, signals: &Signals, format: OutputFormat) -> Result<Outcome, Failure> {
    loop {
        match watch.wait(signals.as_fd())? {
            Waking::Woken => match signals.next() {
                Asked::Again => {
                    notify::tell(State::Reloading);
                    log::info!("looking at everything again");
                    watch.doubt();
                    notify::tell(State::Ready);
                }
                Asked::Nothing => {}
                Asked::End(outcome) => {
                    notify::tell(State::Stopping);
                    return Ok(outcome);
                }
            },
            Waking::Notices(notices) => {
                for notice in notices {
                    if show(&outcome(&notice), format) == Reader::Gone {
                        return Ok(Outcome::silent());
                    }
                }
            }
        }
    }
}

fn outcome(notice: &Notice) -> Outcome {
    let now = palisade::watch::now();
    let style = match notice {
        Notice::Failed { .. } | Notice::Restless { .. } | Notice::Vanished { .. } => {
            AnsiColor::Red.on_default()
        }
        Notice::Healed(_) => AnsiColor::Green.on_default(),
        Notice::Changed(change) if change.own => Style::new(),
        _ => AnsiColor::Yellow.on_default(),
    };
    let text = notice.to_string();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let end = if rest.is_empty() { "" } else { "\n" };
    let text = format!("{TIME}{now}{TIME:#} {style}{first}{style:#}\n{rest}{end}");
    let mut json = json!(notice);
    json["time"] = json!(now);
    Outcome::new(text, &json)
}
