//! `watch`: changes to the ruleset, as they happen. A service of systemd's, if it is one.

use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};
use palisade::Options;
use palisade::watch::{Heal, Notice, Waking, Watch};
use serde_json::json;

use super::refused::refused;
use super::signals::{Asked, Signals, TIME};
use crate::arguments::{OutputFormat, Watched};
use crate::failure::Failure;
use crate::notify::{self, State};
use crate::output::{Outcome, Reader, show};

/// Until somebody ends it, or nobody reads any more.
pub(super) fn watch(
    options: &Options,
    watched: &Watched,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    if watched.refused {
        return refused(options, format);
    }
    let signals = Signals::new()?;
    let heal = if watched.heal {
        Heal::AtOnce
    } else {
        Heal::Never
    };
    let mut watch = Watch::open(options, heal)?;
    notify::tell(State::Ready);
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
                        return Ok(Outcome::default());
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
