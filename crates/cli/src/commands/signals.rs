//! What commands that go on have in common: the signals that end them, and the time of each line.

use std::io;

use anstyle::Style;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use palisade::ErrorKind;
use palisade::words::in_words;

use crate::failure::Failure;

/// The time before a line.
pub(super) const TIME: Style = Style::new().dimmed();

pub(super) fn is_hangup(signal: &siginfo) -> bool {
    signal.ssi_signo == Signal::SIGHUP as u32
}

/// SIGHUP asks a service to look again, the others to end.
pub(super) fn signals() -> Result<SignalFd, Failure> {
    blocked_signals().map_err(|error| {
        Failure::new(
            ErrorKind::System,
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
