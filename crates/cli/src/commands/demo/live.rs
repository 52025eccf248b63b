//! What happens while somebody looks: packets that pass, and rules that others break.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use palisade::watch::{Heal, Notice, Waking, Watch};
use palisade::words::in_words;
use palisade::{ErrorKind, Firewall, Options};
use palisade_inspect::Inspector;
use palisade_inspect::trace::{Filter, Limits, Traced};

use super::transcript::Transcript;
use crate::commands::trace;
use crate::failure::Failure;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(2);
/// The bridge of the network `default`, and the way out through it.
const BRIDGE: [&str; 4] = [
    "link add virbr0 type bridge",
    "link set virbr0 up",
    "addr add 192.168.122.1/24 dev virbr0",
    "route add default dev virbr0",
];

/// A packet to the world, and the rules that it meets.
pub(super) fn trace_one(
    firewall: &mut Firewall,
    transcript: &mut Transcript,
) -> Result<(), Failure> {
    transcript.heading("palisade trace --proto udp --count 1: a packet to the world, as it passes");
    for line in BRIDGE {
        if let Err(reason) = run("ip", line) {
            transcript.text(&format!("SKIPPED: {reason}\n"));
            return Ok(());
        }
    }
    let filter = Filter {
        protocol: Some(17),
        ..Filter::default()
    };
    let limits = Limits {
        count: Some(1),
        time: Some(PATIENCE),
    };
    let trace = Inspector::of(firewall).trace(&filter, limits)?;
    let sent = UdpSocket::bind("192.168.122.1:0")
        .and_then(|socket| socket.send_to(b"hello", "198.51.100.10:9"));
    if let Err(error) = sent {
        transcript.text(&format!(
            "SKIPPED: no packet can be sent: {}\n",
            in_words(&error)
        ));
        return Ok(());
    }
    for traced in trace {
        if let Traced::Packet(packet) = traced? {
            transcript.text(&trace::text(&packet));
        }
    }
    Ok(())
}

/// Another program deletes a table, and it is put back.
pub(super) fn watch_one(options: &Options, transcript: &mut Transcript) -> Result<(), Failure> {
    transcript.heading("palisade watch --heal, while another program deletes that table again");
    let mut watch = Watch::open(options, Heal::AtOnce)?;
    // Nobody wakes it.
    let (_quiet, wake) = UnixStream::pair().map_err(|error| unheard(&error))?;
    // First it looks at what stands.
    watch.wait(wake.as_fd())?;
    if let Err(reason) = delete_table() {
        transcript.text(&format!("SKIPPED: {reason}\n"));
        return Ok(());
    }
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let Waking::Notices(notices) = watch.wait(wake.as_fd())? else {
            break;
        };
        for notice in &notices {
            // Of each, what happened; the lines that came and went stand above.
            let text = notice.to_string();
            transcript.text(&format!("{}\n", text.lines().next().unwrap_or_default()));
        }
        if notices
            .iter()
            .any(|notice| matches!(notice, Notice::Healed(_)))
        {
            break;
        }
    }
    Ok(())
}

fn unheard(error: &io::Error) -> Failure {
    Failure::new(
        ErrorKind::System,
        format!("cannot make what would end a watch: {}", in_words(error)),
        "`ulimit -n` says how many files may be open",
    )
}

/// What others do to rules.
pub(super) fn delete_table() -> Result<(), String> {
    run("nft", "delete table ip palisade")
}

/// Runs a program; why it could not.
fn run(program: &str, line: &str) -> Result<(), String> {
    match Command::new(program).args(line.split(' ')).output() {
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => Err(format!(
            "`{program} {line}`: {}",
            String::from_utf8_lossy(&answer.stderr).trim()
        )),
        Err(error) => Err(format!("cannot run `{program}`: {}", in_words(&error))),
    }
}
