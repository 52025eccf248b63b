//! `watch`: changes to the ruleset, as they happen. A service of systemd's, if it is one.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use palisade::Options;
use palisade::watch::{Heal, Notice, Waking, Watch};
use palisade::words::in_words;
use serde_json::json;

use crate::arguments::{OutputFormat, Watched};
use crate::failure::Failure;
use crate::notify::{self, State};
use crate::output::{Outcome, Reader, show};

pub(super) const TIME: Style = Style::new().dimmed();

/// Until somebody ends it, or nobody reads any more.
pub(super) fn watch(
    options: &Options,
    watched: &Watched,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    // Before any thread is there: each would take signals for itself.
    let signals = signals()?;
    let heal = if watched.heal {
        Heal::AtOnce
    } else {
        Heal::Never
    };
    // A terminal says so by SIGHUP when it goes away, and nobody would be left to end the watch.
    let of_terminal = io::stdin().is_terminal();
    let mut watch = Watch::open(options, heal)?;
    notify::tell(State::Ready);
    loop {
        match watch.wait(signals.as_fd())? {
            Waking::Woken => match signals.read_signal() {
                Ok(Some(signal)) if is_hangup(&signal) && !of_terminal => {
                    notify::tell(State::Reloading);
                    log::info!("looking at everything again");
                    watch.doubt();
                    notify::tell(State::Ready);
                }
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => {
                    notify::tell(State::Stopping);
                    return Ok(Outcome::default());
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

pub(super) fn is_hangup(signal: &siginfo) -> bool {
    signal.ssi_signo == Signal::SIGHUP as u32
}

/// SIGHUP asks a service to look again, the others to end.
pub(super) fn signals() -> Result<SignalFd, Failure> {
    blocked_signals().map_err(|error| {
        Failure::new(
            format!("cannot listen for signals: {}", in_words(&error)),
            "`ulimit -n` says how many files may be open",
        )
    })
}

fn blocked_signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT] {
        set.add(signal);
    }
    set.thread_block()?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&set, flags)?)
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
