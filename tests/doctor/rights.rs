//! A plain user is told which right is missing, before anything is tried.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use palisade_tests::{Answer, Namespace, Palisade, Trials, trials};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        a_plain_user_is_told,
        of_networks_that_run,
        a_plain_user_is_root_inside,
        an_empty_state_of_their_own_is_told,
    ])
}

const NOBODY: &str = "65534";

/// A folder with the command and a definition, open to everybody.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(host: &Namespace) -> Self {
        let palisade = Palisade::new(host);
        let file = &palisade.texts([crate::lab::default().xml()])[0];
        let folder = tempfile::tempdir().expect("make a folder");
        let open = |path: &Path, mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, mode).expect("open it to all");
        };
        // Sticky, as where everybody may write: root keeps its state in no other.
        open(folder.path(), 0o1777);
        // The command and the definition may lie where only root looks.
        for (from, name) in [
            (
                Path::new(palisade.command::<&str>([]).get_program()),
                "palisade",
            ),
            (file, "default.xml"),
        ] {
            let to = folder.path().join(name);
            // By another process: one that we start meanwhile would hold it open for writing.
            let copied = Command::new("cp").arg(from).arg(&to).status();
            assert!(copied.expect("run cp").success());
            open(&to, 0o755);
        }
        Self { folder }
    }

    fn run(&self, host: &Namespace, words: &[&str]) -> Answer {
        let command = ["./palisade", "--state-dir", "state"];
        self.by_nobody(host, &[&command, words].concat())
    }

    /// As a plain user, in this folder.
    fn by_nobody(&self, host: &Namespace, words: &[&str]) -> Answer {
        let folder = self.folder.path();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        command.args(words).current_dir(folder);
        command.env("NO_COLOR", "1").env_remove("XDG_RUNTIME_DIR");
        host.answer(command.env("TMPDIR", folder), "")
    }
}

/// The system's state directory is not theirs, although they are called root.
fn a_plain_user_is_root_inside() {
    let host = Namespace::new();
    let place = Place::new(&host);
    let does = "./palisade apply default.xml && ./palisade list && ./palisade remove --all";
    let script = ["unshare", "-rn", "sh", "-c", does];
    let listed = place.by_nobody(&host, &script).stdout();
    assert!(listed.contains("virbr0"), "{listed}");
    let state = place.folder.path().join(format!("palisade-{NOBODY}"));
    assert!(state.is_dir(), "{}", state.display());
    // In the host's own network namespace they are nobody all the same.
    let script = ["unshare", "-r", "./palisade", "apply", "default.xml"];
    let told = place.by_nobody(&host, &script).refusal(1);
    assert!(told.contains("CAP_NET_ADMIN"), "{told}");
}

/// Where root has networks, they are told that those were not looked at.
fn an_empty_state_of_their_own_is_told() {
    let host = Namespace::new();
    let place = Place::new(&host);
    let folder = place.folder.path().display().to_string();
    let told = |system: &str, words: &str| {
        // With a `/run` of its own.
        let script = format!(
            "mount -t tmpfs none /run && {system} cd {folder} && TMPDIR={folder} \
             exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups ./palisade {words}"
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script]);
        command.env_remove("XDG_RUNTIME_DIR");
        host.answer(&mut command, "")
    };
    let with = "mkdir -m 700 /run/palisade &&";
    for words in ["list", "verify", "repair"] {
        let answer = told(with, words);
        // Without rights, nothing says that no rules are installed.
        let code = if words == "list" { 0 } else { 1 };
        assert_eq!(answer.code, Some(code), "{answer}");
        let is_told = answer.stderr.contains("reading rules takes CAP_NET_ADMIN");
        assert_eq!(is_told, code == 1, "{answer}");
        let note = format!("only {folder}/palisade-{NOBODY} was looked in");
        assert!(answer.stderr.contains(&note), "{answer}");
        assert!(answer.stderr.contains("in /run/palisade\n"), "{answer}");
        for without in [
            told("", words),
            told(with, &format!("{words} --state-dir own")),
        ] {
            assert!(!without.stderr.contains("was looked in"), "{without}");
            assert_eq!(without.code, Some(code), "{without}");
        }
    }
}

fn a_plain_user_is_told() {
    let host = Namespace::new();
    let place = Place::new(&host);
    let run = |words: &[&str]| place.run(&host, words);
    // What would change rules.
    for words in [
        &["apply", "default.xml"][..],
        &["apply", "--confirm", "9", "default.xml"],
        &["sync", "default.xml"],
        &["--backend", "iptables", "apply", "default.xml"],
        &["--layout", "flat", "apply", "default.xml"],
    ] {
        let told = run(words).refusal(1);
        told_of(words, &told, "error: changing rules takes CAP_NET_ADMIN");
        assert!(told.contains("nothing was tried"), "{words:?}: {told}");
        let listed = run(&["list"]).stdout();
        assert_eq!(listed, "no networks are running\n", "{words:?}");
    }
    // What would only look.
    for words in [
        &["plan", "default.xml"][..],
        &["plan", "--sync", "default.xml"],
        &["apply", "--dry-run", "default.xml"],
        &["doctor"],
        &[
            "explain",
            "--in",
            "a",
            "--src",
            "192.0.2.1",
            "--dst",
            "192.0.2.2",
        ],
    ] {
        told_of(
            words,
            &run(words).refusal(1),
            "reading rules takes CAP_NET_ADMIN",
        );
    }
    for words in [&["trace"][..], &["watch"]] {
        told_of(
            words,
            &run(words).refusal(1),
            "listening to netfilter takes CAP_NET_ADMIN",
        );
    }
    let there = Namespace::new();
    let (own, file) = (there.path(), place.folder.path().join("default.xml"));
    for (namespace, why) in [
        (Path::new("/proc/self/ns/net"), "CAP_SYS_ADMIN"),
        (&own, "root"),
        (&file, "is no network namespace"),
    ] {
        let namespace = namespace.to_str().expect("a path in UTF-8");
        let told = run(&["--netns", namespace, "list"]).refusal(1);
        assert!(told.contains(why), "{told}");
    }
    // What takes no right is done without.
    run(&["check", "default.xml"]).stdout();
    let applied = run(&["--backend", "none", "apply", "default.xml"]);
    assert_eq!(applied.stderr, "");
    assert_eq!(applied.stdout(), "+ default: add\n");
    for words in [
        &["show", "default"][..],
        &["plan", "default.xml"],
        &["repair"],
        &["recover"],
        &["counters"],
        &["remove", "--all"],
    ] {
        let answer = run(words);
        assert_eq!(answer.stderr, "", "{words:?}");
        answer.stdout();
    }
}

/// Networks of root's, whose state a plain user may read.
fn of_networks_that_run() {
    let host = Namespace::new();
    let place = Place::new(&host);
    for backend in ["nftables", "iptables"] {
        let mut root = Command::new("./palisade");
        root.args([
            "--state-dir",
            "state",
            "--backend",
            backend,
            "apply",
            "default.xml",
        ]);
        host.answer(root.current_dir(place.folder.path()), "")
            .stdout();
        host.answer(
            Command::new("chmod")
                .args(["-R", "a+rX"])
                .arg(place.folder.path()),
            "",
        )
        .stdout();
        let run = |words: &[&str]| place.run(&host, words);
        for words in [
            &["remove", "default"][..],
            &["remove", "--all"],
            &["repair"],
            &["repair", "default"],
            &["migrate", "--to", "iptables"],
            &["apply", "default.xml"],
            &["sync", "default.xml"],
            &["recover"],
            &["confirm"],
        ] {
            told_of(
                words,
                &run(words).refusal(1),
                "error: changing rules takes CAP_NET_ADMIN",
            );
        }
        for words in [
            &["show", "default"][..],
            &["verify"],
            &["counters"],
            &["plan", "default.xml"],
            &["explain", "--from", "default", "--to", "world"],
        ] {
            told_of(
                words,
                &run(words).refusal(1),
                "reading rules takes CAP_NET_ADMIN",
            );
        }
        assert!(run(&["list"]).stdout().contains(backend));
    }
}

#[track_caller]
fn told_of(words: &[&str], told: &str, what: &str) {
    assert!(told.contains(what), "{words:?}: {told}");
    assert!(
        told.contains("hint: run as root (sudo), or in a user"),
        "{words:?}: {told}"
    );
}
