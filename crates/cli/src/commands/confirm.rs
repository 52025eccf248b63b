//! `apply --confirm` and `confirm`: changes that are taken back unless somebody confirms them.
//!
//! A guardian, a process of its own that outlives the command and its terminal, waits beside the
//! command. It stands ready before anything changes.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anstyle::Style;
use nix::unistd::setsid;
use palisade::words::in_words;
use palisade::{ErrorKind, Firewall, Network, Settled, Unconfirmed};
use serde_json::json;

use super::change;
use super::open::{open_recorded, options};
use crate::arguments::{Global, OutputFormat};
use crate::failure::Failure;
use crate::interrupt::{self, INTERRUPTED};
use crate::output::{Outcome, Reader, show};

const HEAD: Style = Style::new().bold();
/// What the guardian says when it has left the terminal.
const READY: &[u8] = b"ready\n";

/// What `apply --confirm` is asked.
pub(super) struct Asked<'a> {
    pub(super) networks: &'a [Network],
    pub(super) patience: Duration,
    pub(super) global: &'a Global,
}

pub(super) fn apply(firewall: &mut Firewall, asked: &Asked<'_>) -> Result<Outcome, Failure> {
    let Asked {
        networks,
        patience,
        global,
    } = *asked;
    let guardian = start_guardian(global)?;
    let (report, waits) = firewall.apply_unconfirmed(networks, patience)?;
    // The end of its input tells the guardian to look.
    drop(guardian);
    let report = change::with_libvirt(firewall, report);
    let said = change::report(&report, global.quiet)?;
    let Some(change) = waits else {
        return Ok(said);
    };
    if matches!(global.format, OutputFormat::Text) && !global.quiet {
        let or_enter = if io::stdin().is_terminal() {
            ", or press Enter here"
        } else {
            ""
        };
        let text = format!(
            "{}{HEAD}Taken back at {:.0}{HEAD:#} unless you confirm it: palisade confirm{or_enter}\n",
            said.text, change.until
        );
        let _: Reader = show(&Outcome::new(text, &()), global.format);
    }
    if wait(firewall, &change, global)? == Waited::Interrupted {
        let text = "interrupted: the change is rolled back\n".to_owned();
        return Ok(Outcome::new(text, &()).with_code(INTERRUPTED));
    }
    let mut json = json!(report);
    json["confirmed"] = json!(true);
    Ok(Outcome::new("confirmed: it stays\n".to_owned(), &json))
}

/// How a wait for a confirmation ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waited {
    /// The change is confirmed.
    Confirmed,
    /// SIGINT arrived, and the change was rolled back.
    Interrupted,
}

/// Waits for what becomes of the change; Enter on a terminal confirms it, Ctrl-C rolls it back.
fn wait(firewall: &mut Firewall, change: &Unconfirmed, global: &Global) -> Result<Waited, Failure> {
    let is_interrupted = roll_back_on_interrupt(change, global);
    if io::stdin().is_terminal() {
        let options = options(global);
        // It ends with the process: nothing can wake it while it reads.
        thread::spawn(move || {
            let pressed = io::stdin().lock().read_line(&mut String::new());
            if pressed.is_ok_and(|count| count > 0)
                && let Err(error) = Firewall::open(&options)
                    .map_err(Failure::from)
                    .and_then(|mut firewall| Ok(firewall.confirm()?))
            {
                log::error!("{}", error.message());
            }
        });
    }
    match firewall.wait_for_confirmation(change)? {
        Settled::Confirmed => Ok(Waited::Confirmed),
        Settled::Undone if is_interrupted.load(Ordering::SeqCst) => Ok(Waited::Interrupted),
        Settled::Undone => Err(Failure::new(
            ErrorKind::Unconfirmed,
            "nobody confirmed the change in time: everything is as it was before",
            "apply it again, and run `palisade confirm` within the time",
        )),
    }
}

/// Rolls the change back when SIGINT arrives. The result says whether it did.
fn roll_back_on_interrupt(change: &Unconfirmed, global: &Global) -> Arc<AtomicBool> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let (change, options) = (change.clone(), options(global));
    let interrupted = Arc::clone(&is_interrupted);
    interrupt::on_interrupt(move || {
        interrupted.store(true, Ordering::SeqCst);
        let undone = Firewall::open(&options)
            .map_err(Failure::from)
            .and_then(|mut firewall| Ok(firewall.undo_unconfirmed(&change)?));
        if let Err(error) = undone {
            log::error!("{}", error.message());
            // The guardian tries again when the time is over.
            process::exit(INTERRUPTED.into());
        }
    });
    is_interrupted
}

pub(super) fn confirm(firewall: &mut Firewall) -> Result<Outcome, Failure> {
    let change = firewall.confirm()?;
    let networks: Vec<String> = change.came.iter().map(ToString::to_string).collect();
    let text = format!("confirmed: {}\n", networks.join(", "));
    Ok(Outcome::new(text, &json!({ "confirmed": change.came })))
}

/// Starts the guardian, and waits until it has left our terminal. It looks at the state when its
/// input ends, by us or with us.
fn start_guardian(global: &Global) -> Result<ChildStdin, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            ErrorKind::System,
            format!(
                "cannot start the process that would take the change back: {}",
                in_words(&error)
            ),
            "nothing was changed; without --confirm, no such process is needed",
        )
    };
    // The program that runs, wherever its file is by now.
    let mut command = Command::new("/proc/self/exe");
    if let Some(directory) = &global.state_dir {
        command.arg("--state-dir").arg(absolute(directory));
    }
    if let Some(namespace) = &global.netns {
        let path = palisade::folder::namespace(namespace);
        command.arg("--netns").arg(absolute(&path));
    }
    command
        .arg("guard-confirmation")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut guardian = command.spawn().map_err(failed)?;
    let mut said = Vec::new();
    if let Some(output) = &mut guardian.stdout {
        let mut output = output.take(READY.len() as u64);
        output.read_to_end(&mut said).map_err(failed)?;
    }
    match guardian.stdin.take() {
        Some(input) if said == READY => Ok(input),
        _ => Err(failed(io::Error::other("it ended at once"))),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The guardian itself. It belongs to no terminal, and what it works on is nothing but the state.
pub(super) fn guard(global: &Global) -> Result<Outcome, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            ErrorKind::System,
            format!("cannot leave the terminal: {}", in_words(&error)),
            "`palisade apply --confirm` starts this by itself",
        )
    };
    setsid().map_err(|errno| failed(errno.into()))?;
    let mut output = io::stdout();
    output
        .write_all(READY)
        .and_then(|()| output.flush())
        .map_err(failed)?;
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    close_output().map_err(failed)?;
    let mut firewall = open_recorded(global)?;
    if let Some(change) = firewall.unconfirmed()? {
        firewall.wait_for_confirmation(&change)?;
    }
    Ok(Outcome::default())
}

/// Nobody reads it any more, and a pipe that stays open would keep others waiting for its end.
fn close_output() -> io::Result<()> {
    let null = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    Ok(())
}
