//! Ctrl-C: an interrupted command ends with an exit code of its own.

use std::fs;
use std::process;
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use palisade::words::in_words;

/// The exit code of an interrupted command, as shells report a program that SIGINT ends.
pub(crate) const INTERRUPTED: u8 = 130;

/// Keeps SIGINT from ending this process and the programs that it starts. Called while there is one thread.
pub(crate) fn hold_back() {
    if let Err(errno) = interrupts().thread_block() {
        log::debug!("cannot block SIGINT: {}", in_words(&errno.into()));
    }
}

/// Ends the process with [`INTERRUPTED`] when SIGINT arrives, unless the caller of the command ignores SIGINT, as shells
/// do for what they run in the background.
pub(crate) fn end_command(clean_up: impl FnOnce() + Send + 'static) {
    on_interrupt(move || {
        while is_ignored() {
            if interrupts().wait().is_err() {
                return;
            }
        }
        clean_up();
        process::exit(INTERRUPTED.into());
    });
}

/// Does something when SIGINT arrives, in a thread that ends with the process.
pub(crate) fn on_interrupt(action: impl FnOnce() + Send + 'static) {
    let wait = move || {
        if interrupts().wait().is_ok() {
            action();
        }
    };
    let thread = thread::Builder::new().name("interrupt".to_owned());
    if let Err(error) = thread.spawn(wait) {
        log::debug!("cannot wait for SIGINT: {}", in_words(&error));
        // Then SIGINT ends the process as it ends any.
        let _ = interrupts().thread_unblock();
    }
}

fn interrupts() -> SigSet {
    [Signal::SIGINT].into_iter().collect()
}

/// Whether the process was started with SIGINT ignored.
fn is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let interrupt = 1 << (Signal::SIGINT as u64 - 1);
    mask.is_some_and(|mask| mask & interrupt != 0)
}
