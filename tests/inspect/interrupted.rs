//! Ctrl-C ends every command with exit code 130: what it printed stays, and what it began is finished or rolled back.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use palisade_tests::place::{Place, assert_clean, net};
use palisade_tests::{Palisade, Trials};

use crate::site::Site;
use crate::watching::Watching;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("interrupted: watch", watch)
        .with("interrupted: counters --watch", counters)
        .with("interrupted: apply --confirm", confirmation)
        .with("interrupted: waiting for input", input)
        .with("interrupted: waiting for the lock", lock)
        .with("interrupted: ignored in the background", ignored)
}

/// A command that waits.
struct Waiting(Child);

impl Waiting {
    fn start(site: &Site, palisade: &Palisade<'_>, words: &[&str]) -> Self {
        let mut command = palisade.command(words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Self(site.host.inside(|| command.spawn().expect("start it")))
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.0.id().try_into().expect("a process"))
    }

    /// As a terminal does: to the whole group.
    #[track_caller]
    fn interrupted(mut self) -> (String, String) {
        killpg(self.group(), Signal::SIGINT).expect("interrupt it");
        let code = self.0.wait().expect("its end").code();
        let (mut output, mut complaint) = (String::new(), String::new());
        let stdout = self.0.stdout.as_mut().expect("its output");
        stdout.read_to_string(&mut output).expect("read it");
        let stderr = self.0.stderr.as_mut().expect("its complaints");
        stderr.read_to_string(&mut complaint).expect("read them");
        assert_eq!(code, Some(130), "{output}{complaint}");
        (output, complaint)
    }

    /// It must still wait after a while.
    #[track_caller]
    fn assert_waits(&mut self) {
        std::thread::sleep(Duration::from_millis(400));
        let ended = self.0.try_wait().expect("look at it");
        assert!(ended.is_none(), "{ended:?}");
    }
}

fn watch() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let text = "name = 'net1'\nbridge = 'virbr1'\nsubnets = ['10.1.0.1/24']\n\
                log = { group = 5 }\n";
    palisade.on_files("apply", palisade.texts([text])).stdout();
    for options in [&["--heal"][..], &["--refused"]] {
        let mut watching = Watching::start(&site, &palisade, options);
        watching.signal(Signal::SIGINT);
        assert_eq!(watching.told_systemd(), "STOPPING=1\n");
        let ended = watching.child.wait().expect("its end");
        assert_eq!(ended.code(), Some(130), "{options:?}");
    }
    site.host.nft("flush ruleset");
    let mut watching = Watching::start(&site, &palisade, &["--heal"]);
    watching.signal(Signal::SIGINT);
    assert_eq!(
        watching.child.wait().expect("its end").code(),
        Some(130),
        "with something to do"
    );
}

fn counters() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let words = ["--format", "json", "counters", "--watch=30"];
    let mut waiting = Waiting::start(&site, &palisade, &words);
    let mut line = String::new();
    let output = waiting.0.stdout.as_mut().expect("its output");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("a first look");
    assert!(line.contains("net1"), "{line}");
    waiting.assert_waits();
    assert_eq!(waiting.interrupted(), (String::new(), String::new()));
}

/// Everything is as before at once, and not only when the time is over.
fn confirmation() {
    for place in Place::ALL {
        let site = Site::new();
        let palisade = place.palisade(&site.host);
        palisade.apply([&net(1)]).stdout();
        let files = palisade.files([&net(4)]);
        let file = files[0].to_str().expect("a path in UTF-8");
        let words = ["apply", "--confirm", "60", file];
        let mut waiting = Waiting::start(&site, &palisade, &words);
        let until = Instant::now() + Duration::from_secs(15);
        while palisade.running().len() < 2 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        waiting.assert_waits();
        let (output, complaint) = waiting.interrupted();
        assert!(output.contains("unless you confirm it"), "{output}");
        assert!(output.contains("rolled back"), "{output}");
        assert_eq!(complaint, "");
        assert_eq!(palisade.running(), ["net1"]);
        assert!(!place.standing(&site.host).contains("virbr4"));
        assert_clean(&palisade);
        palisade.answer(["confirm"]).refusal(1);
    }
}

fn input() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let mut waiting = Waiting::start(&site, &palisade, &["apply", "-"]);
    waiting.assert_waits();
    assert_eq!(waiting.interrupted(), (String::new(), String::new()));
    assert_eq!(palisade.running(), [""; 0]);
}

fn lock() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let mut locks = Vec::new();
    for folder in std::fs::read_dir(palisade.state()).expect("the state directory") {
        let path = folder.expect("a folder").path().join("lock");
        let lock = std::fs::File::open(path).expect("the lock");
        lock.lock().expect("take it");
        locks.push(lock);
    }
    let mut waiting = Waiting::start(&site, &palisade, &["remove", "net1"]);
    waiting.assert_waits();
    assert_eq!(waiting.interrupted(), (String::new(), String::new()));
    drop(locks);
    assert_eq!(palisade.running(), ["net1"]);
}

/// Shells start what runs in the background with SIGINT ignored, so that Ctrl-C ends the program in front alone.
fn ignored() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let mut command = palisade.command_by(
        &["sh", "-c", "trap '' INT; exec \"$@\"", "sh"],
        ["check", "-"],
    );
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut waiting = Waiting(site.host.inside(|| command.spawn().expect("start it")));
    waiting.assert_waits();
    kill(waiting.group(), Signal::SIGINT).expect("interrupt it");
    waiting.assert_waits();
    waiting.0.kill().expect("end it");
    waiting.0.wait().expect("its end");
}
