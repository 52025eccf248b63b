//! `apply --confirm`: without a confirmation everything is as before, whoever dies meanwhile.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use palisade_tests::{Answer, Definition, Palisade, Trials};

use crate::site::Site;
use palisade_tests::place::{Place, assert_clean, net, routed};

type Test = fn(Place);

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let tests: [(&str, Test); 3] = [
            ("nobody confirms", nobody_confirms),
            ("somebody confirms", somebody_confirms),
            ("the terminal dies", terminal_dies),
        ];
        for (name, test) in tests {
            trials = trials.with(format!("{place:?}: {name}"), move || test(place));
        }
    }
    trials
        .with("Enter on the terminal confirms", enter)
        .with("everybody who waits dies", everybody_dies)
        .with("a change that is refused does not wait", refused)
        .with("nothing changed, nothing to confirm", nothing_changed)
        .with("programs are told in one object", programs_are_told)
}

/// What stands and what is recorded, to the letter; with counters.
#[track_caller]
fn everything(place: Place, site: &Site, palisade: &Palisade<'_>) -> String {
    let listed = palisade.ok(["--format", "json", "list"]);
    let mut listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    for network in listed.as_array_mut().expect("an array") {
        // What was seen of the bridge meanwhile is no part of the state.
        network
            .as_object_mut()
            .expect("an object")
            .remove("traffic");
    }
    let counters = palisade.ok(["counters", "net1"]);
    let mut standing = place.standing(&site.host);
    if place == Place::Mapped {
        // Sets, and the elements of each, are listed in the order in which they came.
        let bare = |line: &'_ str| {
            let line = line.trim().trim_start_matches("elements = { ").to_owned();
            line.trim_end_matches([' ', ',', '}']).to_owned()
        };
        let mut lines: Vec<String> = standing.lines().map(bare).collect();
        lines.sort_unstable();
        standing = lines.join("\n");
    }
    format!("{listed:#}\n{standing}\n{counters}")
}

fn arguments(palisade: &Palisade<'_>, seconds: &str, networks: &[Definition]) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["apply", "--confirm", seconds].map(OsString::from).into();
    args.extend(palisade.files(networks).into_iter().map(OsString::from));
    args
}

fn nobody_confirms(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2), &net(3)]).stdout();
    site.ask(2);
    let before = everything(place, &site, &palisade);
    let args = arguments(&palisade, "1", &[routed(2), net(4)]);
    let begun = Instant::now();
    let refusal = palisade.answer(&args).refusal(1);
    assert!(refusal.contains("as it was before"), "{refusal}");
    assert!((1..4).contains(&begun.elapsed().as_secs()));
    assert_eq!(everything(place, &site, &palisade), before);
    assert_clean(&palisade);
    palisade.answer(["confirm"]).refusal(1);
    // The network with the flows itself, with rules that stay among those that go.
    let mut wider = net(1);
    wider.subnets.push("10.77.0.1/24".to_owned());
    palisade
        .answer(arguments(&palisade, "1", &[wider]))
        .refusal(1);
    assert_eq!(everything(place, &site, &palisade), before);
    assert_clean(&palisade);
}

fn somebody_confirms(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let args = arguments(&palisade, "30", &[routed(2), net(4)]);
    let waits = start(&site, palisade.command(&args));
    until(|| palisade.running().contains(&"net4".to_owned()));
    // What would change networks waits for that; what looks at them or mends them does not.
    for line in [&["remove", "net1"][..], &["remove", "--all"]] {
        let refusal = palisade.answer(line).refusal(1);
        assert!(refusal.contains("palisade confirm"), "{refusal}");
    }
    palisade.apply([&net(5)]).refusal(1);
    assert_clean(&palisade);
    palisade.ok(["repair"]);
    let standing = place.standing(&site.host);
    palisade.ok(["confirm"]);
    let answer = ended(waits);
    assert_eq!(answer.code, Some(0), "{answer}");
    palisade.answer(["confirm"]).refusal(1);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(place.standing(&site.host), standing);
    palisade.apply([&net(5)]).stdout();
}

/// The command is killed with its whole process group, as when a terminal is lost in the hard way.
fn terminal_dies(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let before = everything(place, &site, &palisade);
    let mut command = palisade.command(arguments(&palisade, "2", &[routed(2), net(4)]));
    command.process_group(0);
    let mut waits = start(&site, command);
    let group = Pid::from_raw(waits.id().try_into().expect("a process"));
    until(|| place.standing(&site.host).contains("virbr4"));
    killpg(group, Signal::SIGKILL).expect("kill the group");
    waits.wait().expect("wait for the command");
    // Without any other command: nobody but the guardian opens the state.
    until(|| !place.standing(&site.host).contains("virbr4"));
    assert_eq!(everything(place, &site, &palisade), before);
}

/// Without the command and its guardian, the next command goes back.
fn everybody_dies() {
    let place = Place::Mapped;
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let before = everything(place, &site, &palisade);
    let mut waits = start(
        &site,
        palisade.command(arguments(&palisade, "1", &[net(4)])),
    );
    until(|| place.standing(&site.host).contains("virbr4"));
    for guardian in guardians(&palisade) {
        kill(guardian, Signal::SIGKILL).expect("kill the guardian");
    }
    waits.kill().expect("kill the command");
    waits.wait().expect("wait for the command");
    thread::sleep(Duration::from_millis(1200));
    assert!(
        place.standing(&site.host).contains("virbr4"),
        "nobody went back"
    );
    assert_eq!(
        palisade.running(),
        ["net1"],
        "the next that reads goes back"
    );
    assert_eq!(everything(place, &site, &palisade), before);
}

fn refused() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let overlapping = net(1).on("virbr9");
    let overlapping = Definition {
        name: "other".to_owned(),
        ..overlapping
    };
    let refusal = palisade
        .answer(arguments(&palisade, "30", &[overlapping]))
        .refusal(1);
    assert!(refusal.contains("overlap"), "{refusal}");
    palisade.answer(["confirm"]).refusal(1);
    until(|| guardians(&palisade).is_empty());
    palisade.apply([&net(2)]).stdout();
}

/// At a terminal, whoever sees what was done presses Enter.
fn enter() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let terminal = openpty(None, None).expect("a terminal");
    let end = || terminal.slave.try_clone().expect("an end of the terminal");
    let mut command = palisade.command(arguments(&palisade, "30", &[net(1)]));
    command.stdin(end()).stdout(end()).stderr(end());
    let mut waits = site.host.inside(|| command.spawn()).expect("run it");
    until(|| palisade.running() == ["net1"]);
    // Without Enter it waits.
    thread::sleep(Duration::from_millis(300));
    assert!(waits.try_wait().expect("look at it").is_none());
    let begun = Instant::now();
    nix::unistd::write(&terminal.master, b"\r").expect("press Enter");
    // The command has the only other ends, so that reading ends when it does.
    drop((command, terminal.slave));
    let mut shown = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = nix::unistd::read(&terminal.master, &mut buffer) {
        shown.extend_from_slice(&buffer[..length]);
    }
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("press Enter here"), "{shown}");
    assert!(shown.contains("confirmed: it stays"), "{shown}");
    assert_eq!(waits.wait().expect("its end").code(), Some(0), "{shown}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    palisade.answer(["confirm"]).refusal(1);
    assert_clean(&palisade);
}

fn nothing_changed() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let begun = Instant::now();
    palisade.ok(arguments(&palisade, "30", &[net(1)]));
    assert!(begun.elapsed() < Duration::from_secs(5));
    palisade.answer(["confirm"]).refusal(1);
    until(|| guardians(&palisade).is_empty());
}

/// What ends the command is all that standard error has, also where another process of ours takes
/// the change back first.
fn programs_are_told() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let mut words: Vec<OsString> = ["--format", "json"].map(OsString::from).into();
    words.extend(arguments(&palisade, "1", &[net(1)]));
    let answer = palisade.answer(words);
    assert_eq!(answer.code, Some(1), "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
    let error: serde_json::Value = serde_json::from_str(&answer.stderr).expect("one object");
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("nobody confirmed the change in time"),
        "{message}"
    );
    let text = palisade.answer(arguments(&palisade, "1", &[net(1)]));
    assert_eq!(text.refusal(1).lines().count(), 2);
}

/// The guardians of one state directory.
fn guardians(palisade: &Palisade<'_>) -> Vec<Pid> {
    let state = palisade.state().to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc")
        .expect("list processes")
        .flatten();
    let is_guardian = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("guard-confirmation") && line.contains(&state)
    };
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    numbers.filter(is_guardian).map(Pid::from_raw).collect()
}

fn start(site: &Site, mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    site.host
        .inside(|| command.spawn().expect("start the command"))
}

fn ended(child: Child) -> Answer {
    let output = child.wait_with_output().expect("wait for the command");
    Answer {
        command: "apply --confirm".to_owned(),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come");
        thread::sleep(Duration::from_millis(50));
    }
}
