//! iptables by the command: what is applied stands, what is rendered is the same, what is removed
//! is gone; and what the programs may be busy with when the command is killed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use palisade_tests::{Definition, Namespace, Trials, iptables};

use palisade_tests::place::{Place, assert_clean, recorded};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::OF_IPTABLES {
        for (number, part) in cases().chunks(8).enumerate() {
            let part = part.to_vec();
            let name = format!("{place:?}: cases, part {number}: applied, rendered, removed");
            trials = trials.with(name, move || {
                part.iter().for_each(|files| of_case(place, files));
            });
        }
        let busy: [(&str, Busy); 2] = [
            ("before it reads", Busy::BeforeReading),
            ("before it commits", Busy::BeforeCommitting),
        ];
        for (when, busy) in busy {
            let name = format!("{place:?}: killed while the program sleeps {when}");
            trials = trials.with(name, move || killed_meanwhile(place, busy));
        }
    }
    trials
}

fn of_case(place: Place, files: &[PathBuf]) {
    let told = format!("{files:?}");
    let (applied, loaded) = (Namespace::new(), Namespace::new());
    let palisade = place.palisade(&applied);
    palisade.on_files("apply", files).stdout();
    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(0), "{told}: {verified}");
    for (family, word) in [("ipv4", "iptables"), ("ipv6", "ip6tables")] {
        let mut render = palisade.command(["render", "--family", family]);
        let text = applied.answer(render.args(files), "").stdout();
        let mut restore = Command::new(format!("{word}-{}-restore", place.word()));
        loaded.answer(restore.arg("--noflush"), &text).stdout();
    }
    let [expected, found] = [&loaded, &applied].map(|n| iptables::ours(n, place.word()));
    assert_eq!(expected, found, "{told}: rendered and loaded, and applied");
    palisade.ok(["remove", "--all"]);
    assert_eq!(
        iptables::ours(&applied, place.word()),
        [""; 0],
        "{told}: left"
    );
}

/// The files of each case in `cases/`: one definition, or a folder of them.
fn cases() -> Vec<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<Vec<PathBuf>> = listed(&folder)
        .into_iter()
        .filter(|path| path.extension().is_none_or(|extension| extension != "nft"))
        .map(|path| {
            if path.is_dir() {
                listed(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("list the cases");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// What the program does that the command waits for when it is killed.
#[derive(Debug, Clone, Copy)]
enum Busy {
    /// It has read nothing, and what it will read breaks off.
    BeforeReading,
    /// It has read all, and will do it.
    BeforeCommitting,
}

/// Long enough for the test to see it.
const SLEEP: Duration = Duration::from_secs(1);

fn killed_meanwhile(place: Place, busy: Busy) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    let first = Definition::nat("first", "brfirst", &["192.168.0.1/24"]);
    palisade.apply([&first]).stdout();
    let look = || recorded(&palisade) + &place.standing(&namespace);
    let before = look();
    let files = palisade.files(&many());
    let program = SleepyProgram::new(place, busy);
    let mut apply = palisade.command(["apply"]);
    apply.args(&files).env("PATH", program.path());
    apply.stdout(Stdio::null()).stderr(Stdio::null());
    let mut apply = namespace.inside(|| apply.spawn().expect("start the command"));
    program.wait_until_it_sleeps();
    apply.kill().expect("kill the command");
    apply.wait().expect("wait for the command");
    let began = Instant::now();
    palisade.ok(["recover"]);
    let waited = began.elapsed();
    let found = look();
    assert_clean(&palisade);
    let again = palisade.ok(["recover"]);
    assert!(again.contains("nothing was interrupted"), "{again}");
    if found != before {
        // Then it is all there.
        assert_eq!(palisade.running().len(), many().len() + 1, "{found}");
    }
    assert!(
        waited > SLEEP / 2,
        "it did not wait for the program, only {waited:?}"
    );
    palisade.ok(["remove", "--all"]);
    assert_eq!(place.standing(&namespace).trim(), "");
}

/// Enough that the text for the program is more than a pipe holds.
fn many() -> Vec<Definition> {
    let network = |i: u8| {
        let subnet = format!("10.{i}.0.1/24");
        Definition::nat(&format!("net{i}"), &format!("virbr{i}"), &[&subnet])
    };
    (0..200).map(network).collect()
}

/// Stands before the real program in `PATH`, and sleeps for a while before it does its work.
struct SleepyProgram {
    folder: tempfile::TempDir,
}

impl SleepyProgram {
    fn new(place: Place, busy: Busy) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        for word in ["iptables", "ip6tables"] {
            let name = format!("{word}-{}-restore", place.word());
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .map(|path| path.join(&name))
                .find(|path| path.exists());
            let real = found.unwrap_or_else(|| panic!("no program {name}"));
            let (real, folder) = (real.display(), folder.path());
            let (sleeps, seconds) = (folder.join("sleeps"), SLEEP.as_secs());
            let work = match busy {
                Busy::BeforeReading => format!("sleep {seconds}; exec {real} \"$@\""),
                Busy::BeforeCommitting => {
                    let input = folder.join("input.$$");
                    let input = input.display();
                    format!("sleep {seconds}; exec {real} \"$@\" < \"{input}\"")
                }
            };
            let read = match busy {
                Busy::BeforeReading => String::new(),
                Busy::BeforeCommitting => {
                    format!("cat > \"{}\"\n", folder.join("input.$$").display())
                }
            };
            let script = format!(
                "#!/bin/sh\ncase \"$*\" in *--version*|*--test*) exec {real} \"$@\";; esac\n\
                 {read}: > {}\n{work}\n",
                sleeps.display()
            );
            let path = folder.join(&name);
            std::fs::write(&path, script).expect("write a script");
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, executable).expect("make it executable");
        }
        Self { folder }
    }

    fn path(&self) -> std::ffi::OsString {
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.path().to_owned());
        let folders = folders.chain(std::env::split_paths(&usual));
        std::env::join_paths(folders).expect("a path")
    }

    fn wait_until_it_sleeps(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.folder.path().join("sleeps").exists() {
            assert!(Instant::now() < until, "the program was never run");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
