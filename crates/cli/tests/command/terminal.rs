//! Tables on a terminal: they fit it, and lose nothing.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};

use crate::palisade::{BINARY, Palisade};

/// Long enough that one line of 80 columns does not hold it.
const LONG: &str = "\
[[network]]
name = 'a-network-with-a-rather-long-name'
bridge = 'br-0123456789ab'
mode = 'nat'
subnets = ['192.168.100.1/24', '192.168.101.1/24', 'fd00:100:200:300::1/64']

[[network]]
name = 'short'
bridge = 'virbr1'
subnets = ['10.0.0.1/8']
";

/// What a command writes to a terminal of so many columns.
fn on_terminal(palisade: &Palisade, columns: u16, line: &str) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let mut command = Command::new(BINARY);
    palisade.surround(&mut command);
    command.env("TERM", "xterm");
    command.args(line.split_whitespace());
    command
        .stdin(Stdio::null())
        .stdout(terminal.slave)
        .stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    // The child alone holds the other end from here on, so that reading ends when it does.
    drop(command);
    let mut written = Vec::new();
    let mut master = File::from(terminal.master);
    let mut buffer = [0; 4096];
    // Linux ends reading from a terminal that everybody left with an error (EIO).
    while let Ok(len @ 1..) = master.read(&mut buffer) {
        written.extend_from_slice(&buffer[..len]);
    }
    assert!(child.wait().unwrap().success(), "{line}");
    String::from_utf8(written).unwrap().replace("\r\n", "\n")
}

fn with_networks() -> Palisade {
    let palisade = Palisade::new();
    palisade.file("long.toml", LONG);
    palisade.output("--backend none apply long.toml");
    palisade
}

#[test]
fn tables_fit() {
    let palisade = with_networks();
    for columns in [60, 80, 200] {
        let text = on_terminal(&palisade, columns, "list");
        for line in text.lines() {
            let width = line.chars().count();
            assert!(width <= usize::from(columns), "{columns}: {width}\n{text}");
        }
    }
}

#[test]
fn wide_ones_have_a_line_for_each_network() {
    let palisade = with_networks();
    let text = on_terminal(&palisade, 200, "list");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(text, palisade.output("list"));
}

/// Narrow terminals get fewer columns, and long texts cut with a mark; never a broken word.
#[test]
fn narrow_ones_have_a_line_for_each_network() {
    let palisade = with_networks();
    for columns in [60, 80, 120] {
        let text = on_terminal(&palisade, columns, "list");
        assert_eq!(text.lines().count(), 3, "{text}");
        for name in ["NAME", "STATE", "SUBNETS", "short"] {
            assert!(text.contains(name), "{columns}: {text}");
        }
    }
}

/// Whoever asks for all gets all.
#[test]
fn nothing_is_cut_that_was_asked_for() {
    let palisade = with_networks();
    let wide = palisade.output("list --wide");
    assert!(wide.starts_with("NAME "), "{wide}");
    assert_eq!(on_terminal(&palisade, 60, "list --wide"), wide);
    let chosen = palisade.output("list -o subnets,name");
    assert!(chosen.starts_with("SUBNETS "), "{chosen}");
    assert_eq!(on_terminal(&palisade, 60, "list -o subnets,name"), chosen);
}

#[test]
fn colour_is_for_terminals() {
    let palisade = with_networks();
    for (color, is_colored) in [("auto", true), ("always", true), ("never", false)] {
        let text = on_terminal(&palisade, 80, &format!("--color {color} show short"));
        assert_eq!(text.contains('\u{1b}'), is_colored, "{color}: {text:?}");
        assert!(text.contains("network short"), "{text:?}");
    }
}
