//! The examples of man pages, of `help` and of `docs/running.md` do what they say, typed as they
//! stand.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use palisade_tests::{Answer, Namespace, Palisade, Trials, trials};
use tempfile::TempDir;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        of_manual_pages,
        of_running_networks,
        of_libvirts_hook
    ])
}

/// Where the documents have definitions.
const NETWORKS: &str = "/etc/palisade/networks";
const DEFAULT: &str = "<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>\
                       <ip address='192.168.122.1' netmask='255.255.255.0'/></network>";
const LAB: &str = "name = 'lab'\nbridge = 'virbr1'\nmode = 'route'\nsubnets = ['10.20.0.1/25']\n";

/// A host, and a folder with what examples name.
struct Desk {
    host: Namespace,
    folder: TempDir,
    program: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let host = Namespace::new();
        host.bridges(["virbr0", "virbr1", "eth0"]);
        host.sysctl("ipv4/ip_forward", "1");
        let palisade = Palisade::new(&host);
        let program = PathBuf::from(palisade.command::<&str>([]).get_program());
        let folder = tempfile::tempdir().expect("make a folder");
        std::fs::create_dir(folder.path().join("networks")).expect("make a folder");
        let desk = Self {
            program,
            folder,
            host,
        };
        for (name, text) in [
            ("default.xml", DEFAULT),
            ("lab.toml", LAB),
            ("networks/default.xml", DEFAULT),
            ("networks/lab.toml", LAB),
        ] {
            std::fs::write(desk.folder.path().join(name), text).expect("write a file");
        }
        desk
    }

    /// A shell in which `palisade` is this build's, and definitions lie in the folder.
    fn shell(&self, line: &str) -> Command {
        let networks = self.folder.path().join("networks");
        let line = line.replace(NETWORKS, networks.to_str().expect("a path"));
        let mut shell = Command::new("sh");
        let own = self.program.parent().expect("a folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own).chain(std::env::split_paths(&path));
        shell.args(["-c", &line]).current_dir(self.folder.path());
        shell
            .env("PATH", std::env::join_paths(path).expect("folders"))
            .env("PALISADE_STATE_DIR", self.folder.path().join("state"))
            .env("NO_COLOR", "1");
        shell
    }

    fn run(&self, line: &str) -> Answer {
        self.host.answer(&mut self.shell(line), "")
    }

    fn begin(&self, line: &str) -> Child {
        let mut shell = self.shell(line);
        shell.stdin(Stdio::null()).stdout(Stdio::null());
        let child = self.host.inside(|| shell.spawn().expect("run a shell"));
        std::thread::sleep(Duration::from_millis(700));
        child
    }

    /// Both networks run, as they stand in the folder.
    fn start_anew(&self) {
        self.run("palisade sync default.xml lab.toml").stdout();
    }
}

/// Each example, with the command that it is of.
fn examples(desk: &Desk) -> Vec<(String, String)> {
    let pages = desk.folder.path().join("man");
    std::fs::create_dir(&pages).expect("make a folder");
    desk.run("palisade manual man").stdout();
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&pages).expect("list pages") {
        let page = entry.expect("a page").path();
        let stem = page.file_stem().expect("a name").to_string_lossy();
        let Some(command) = stem.strip_prefix("palisade-") else {
            continue; // Of the whole: its commands have pages.
        };
        let text = std::fs::read_to_string(&page).expect("read a page");
        let (_, examples) = text.split_once(".SH EXAMPLES\n.nf\n").expect("examples");
        let (examples, _) = examples.split_once("\n.fi\n").expect("their end");
        let help = desk.run(&format!("palisade help {command}")).stdout();
        for line in examples.lines() {
            let line = line.replace("\\-", "-");
            assert!(help.contains(&line), "{command}: {line}: {help}");
            all.push((command.to_owned(), line));
        }
    }
    assert!(all.len() > 20, "{all:?}");
    all.sort();
    all
}

fn of_manual_pages() {
    let desk = Desk::new();
    for (command, line) in examples(&desk) {
        assert!(line.starts_with(&format!("palisade {command}")), "{line}");
        desk.start_anew();
        if command == "unblock" {
            desk.run(&line.replacen("unblock", "block", 1)).stdout();
        }
        let goes_on = ["trace", "watch"].contains(&command.as_str());
        // Ended as by a hand on the terminal.
        let typed = match goes_on {
            true => line.replacen("palisade", "timeout -s INT 1 palisade", 1),
            false => line.clone(),
        };
        let waiting = (command == "confirm").then(|| {
            std::fs::write(
                desk.folder.path().join("changed.toml"),
                LAB.replace("25'", "26'"),
            )
            .expect("write a file");
            desk.begin("exec palisade apply --confirm 20 changed.toml")
        });
        let answer = desk.run(&typed);
        let expected: &[i32] = match command.as_str() {
            // They say what they found.
            "plan" | "doctor" | "explain" => &[0, 3],
            "trace" | "watch" => &[0, 124],
            _ => &[0],
        };
        let code = answer.code.expect("an end");
        assert!(expected.contains(&code), "{answer}");
        // It says so as long as it waits.
        let is_said = command == "trace" && answer.stderr.starts_with("listening for packets");
        assert!(answer.stderr.is_empty() || is_said, "{answer}");
        if let Some(mut waiting) = waiting {
            assert!(waiting.wait().expect("wait").success());
        }
    }
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/running.md");
    std::fs::read_to_string(path).expect("read the document")
}

/// Blocks of code, each without what indents it.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_within = false;
    for line in document.lines() {
        match line.strip_prefix("    ") {
            Some(code) if is_within => {
                if let Some(block) = blocks.last_mut() {
                    *block += &format!("{code}\n");
                }
            }
            Some(code) => blocks.push(format!("{code}\n")),
            None => {}
        }
        is_within = line.starts_with("    ");
    }
    blocks
}

/// What the document tells to type does what it says; units are what it says of them.
fn of_running_networks() {
    let desk = Desk::new();
    let document = document();
    let mut typed = 0;
    for block in blocks(&document) {
        if block.starts_with("#!") {
            continue; // The hook has a test of its own.
        }
        for line in block.lines() {
            if let Some(rest) = line.strip_prefix("systemctl enable --now ") {
                is_unit(rest);
            } else {
                desk.start_anew();
                let answer = desk.run(line);
                assert!(matches!(answer.code, Some(0 | 3)), "{answer}");
                assert_eq!(answer.stderr, "", "{answer}");
            }
            typed += 1;
        }
    }
    // In the text, between backquotes.
    for piece in document.split('`').skip(1).step_by(2) {
        let (piece, input) = match piece.strip_suffix(" apply -") {
            Some(_) => (piece, DEFAULT),
            None => (piece, ""),
        };
        // Two words name a command, as in "see `palisade remove`".
        let names_one = piece.split(' ').count() < 3 || piece.contains("--watch");
        if !piece.starts_with("palisade ") || names_one || piece.contains(" watch ") {
            continue;
        }
        desk.start_anew();
        let wait = piece
            .contains("--confirm")
            .then(|| desk.begin("sleep 1; palisade confirm"));
        if wait.is_some() {
            desk.run("palisade remove lab").stdout();
        }
        let answer = desk.host.answer(&mut desk.shell(piece), input);
        assert!(matches!(answer.code, Some(0 | 3)), "{answer}");
        assert_eq!(answer.stderr, "", "{answer}");
        if let Some(mut wait) = wait {
            wait.wait().expect("wait");
        }
        typed += 1;
    }
    assert!(typed > 9, "{typed}");
}

/// `palisade.service   # what it starts, and why`: the unit starts just that.
#[track_caller]
fn is_unit(line: &str) {
    let (unit, comment) = line.split_once('#').expect("a comment");
    let command = comment.split('`').nth(1).expect("a command");
    let path = format!("../dist/systemd/{}", unit.trim());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(
        text.contains(&format!("ExecStart=/usr/bin/{command}\n")),
        "{text}"
    );
}

/// As libvirt calls it when a network starts and when it has stopped.
fn of_libvirts_hook() {
    let desk = Desk::new();
    let document = document();
    let hook = blocks(&document)
        .into_iter()
        .find(|block| block.starts_with("#!/bin/sh"));
    let hook = hook.expect("the hook");
    let networks = desk.folder.path().join("networks");
    let hook = hook.replace(NETWORKS, networks.to_str().expect("a path"));
    std::fs::write(desk.folder.path().join("hook"), hook).expect("write the hook");
    let call = |network: &str, what: &str| desk.run(&format!("sh hook {network} {what} begin -"));
    let running = || desk.run("palisade list").stdout();
    call("default", "start").stdout();
    assert!(running().contains("default"), "{}", running());
    for what in ["started", "port-created", "port-deleted"] {
        call("default", what).stdout();
        assert!(running().contains("default"), "{what}");
    }
    call("default", "stopped").stdout();
    assert_eq!(running(), "no networks are running\n");
    // Of networks that are not ours it knows nothing.
    call("other", "start").stdout();
    call("other", "stopped").stdout();
    // A definition that is wrong keeps the network from starting.
    std::fs::write(networks.join("default.xml"), "<network/>").expect("write a file");
    assert_ne!(call("default", "start").code, Some(0));
}
