//! What commands that go on have in common: the signals that end them, and the time of each line.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use anstyle::Style;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use palisade::ErrorKind;
use palisade::words::in_words;

use crate::failure::Failure;
use crate::output::Outcome;

/// The time before a line.
pub(super) const TIME: Style = Style::new().dimmed();

/// The signals that a watch reads.
pub(super) struct Signals {
    descriptor: SignalFd,
    /// A terminal that is closed sends SIGHUP, and no reader would be left to end the watch.
    has_terminal: bool,
}

/// A signal's meaning for a watch.
pub(super) enum Asked {
    /// No signal is there to be read.
    Nothing,
    /// Look at everything again: a service's reload.
    Again,
    /// End, with this outcome.
    End(Outcome),
}

impl Signals {
    /// Called before any thread is started, which would take signals for itself.
    pub(super) fn new() -> Result<Self, Failure> {
        let descriptor = blocked_signals().map_err(|error| {
            Failure::new(
                ErrorKind::System,
                format!("cannot listen for signals: {}", in_words(&error)),
                "`ulimit -n` says how many files may be open",
            )
        })?;
        Ok(Self {
            descriptor,
            has_terminal: io::stdin().is_terminal(),
        })
    }

    /// The next signal.
    pub(super) fn next(&self) -> Asked {
        let is = |number: u32, signal: Signal| number == signal as u32;
        match self.descriptor.read_signal() {
            Ok(None) => Asked::Nothing,
            Ok(Some(read)) if is(read.ssi_signo, Signal::SIGHUP) && !self.has_terminal => {
                Asked::Again
            }
            Ok(Some(read)) if is(read.ssi_signo, Signal::SIGINT) => {
                Asked::End(Outcome::interrupted())
            }
            Ok(Some(_)) | Err(_) => Asked::End(Outcome::silent()),
        }
    }

    /// Waits for a signal, for this long at most.
    pub(super) fn wait(&self, patience: Duration) -> Asked {
        let mut descriptors = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        // It is read whether or not it is there: a wait that fails ends early.
        let _ = poll(&mut descriptors, timeout);
        self.next()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
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
