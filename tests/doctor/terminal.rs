//! What people see on terminals of 60, 80 and 200 columns, with colour and without: golden texts,
//! written anew with `PALISADE_GOLDEN=update`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use nix::pty::{Winsize, openpty};
use palisade_tests::{Namespace, Palisade, Trials, trials};

use crate::lab;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![terminals_show_what_is_golden])
}

const WIDTHS: [u16; 3] = [60, 80, 200];

fn terminals_show_what_is_golden() {
    let host = Namespace::new();
    host.bridges(["virbr0"]);
    // A way outside, and what the network is to have.
    host.ip(
        "link add wan0 type veth peer name world0\nlink set world0 up\nlink set wan0 up\n\
         addr add 192.168.122.1/24 dev virbr0\naddr add fd00:122::1/64 dev virbr0\n\
         addr add 198.51.100.1/24 dev wan0\nroute add default via 198.51.100.2\n\
         addr add 2001:db8:a::1/64 dev wan0\nroute add ::/0 via 2001:db8:a::2",
    );
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    let palisade = Palisade::new(&host);
    // What the host does for DHCP differs between kernels.
    let mut network = lab::default();
    network.dhcp = false;
    palisade.apply(&[network]).stdout();
    let file = &palisade.texts(["<network><name>lab</name><bridge name='virbr1'/></network>"])[0];
    let file = file.to_str().expect("a path");
    let golden = |name: &str, words: &[&str]| {
        let mut text = String::new();
        for columns in WIDTHS {
            for color in ["never", "always"] {
                let words = [&["--color", color], words].concat();
                let shown = on_terminal(&host, &palisade, columns, &words);
                text += &format!("==== {columns} columns, colour {color}\n{shown}");
            }
        }
        compare(name, &text);
    };
    golden("list", &["list"]);
    golden("show", &["show", "default"]);
    golden("plan", &["plan", file]);
    golden("verify-clean", &["verify"]);
    host.nft("delete table ip6 palisade");
    golden("verify", &["verify"]);
    palisade.ok(["repair"]);
    golden("doctor-healthy", &["doctor"]);
    host.nft(
        "table inet strict {\nchain input {\ntype filter hook input priority 0\npolicy drop\n}\n}\n",
    );
    host.sysctl("ipv4/ip_forward", "0");
    host.ip("link set virbr0 down");
    golden("doctor", &["doctor"]);
}

/// What a command writes to a terminal of so many columns, with escapes to be read.
fn on_terminal(host: &Namespace, palisade: &Palisade<'_>, columns: u16, words: &[&str]) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).expect("a terminal");
    let mut command = palisade.command(words);
    command.env_remove("NO_COLOR").env("TERM", "xterm");
    command
        .stdin(Stdio::null())
        .stdout(terminal.slave)
        .stderr(Stdio::inherit());
    let mut child = host.inside(|| command.spawn()).expect("run the command");
    // The child alone holds the other end from here on, so that reading ends when it does.
    drop(command);
    let mut written = Vec::new();
    let mut master = File::from(terminal.master);
    let mut buffer = [0; 4096];
    // Linux ends reading from a terminal that everybody left with an error (EIO).
    while let Ok(len @ 1..) = master.read(&mut buffer) {
        written.extend_from_slice(&buffer[..len]);
    }
    child.wait().expect("wait for the command");
    let text = String::from_utf8(written)
        .expect("text")
        .replace("\r\n", "\n");
    text.replace('\u{1b}', "\\e")
}

#[track_caller]
fn compare(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("doctor/golden");
    let path = folder.join(format!("{name}.txt"));
    // Times are those of the run, and may be broken over lines.
    let text = match name {
        "list" | "show" => text.replace(|c: char| c.is_ascii_digit(), "0"),
        _ => text.to_owned(),
    };
    if std::env::var_os("PALISADE_GOLDEN").is_some_and(|wish| wish == "update") {
        std::fs::create_dir_all(&folder).expect("make a folder");
        std::fs::write(&path, text).expect("write a golden text");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(&golden, &text);
    assert!(
        golden == text,
        "{}:\n{}",
        path.display(),
        difference.unified_diff().context_radius(2)
    );
}
