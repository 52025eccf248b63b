//! A plain user is told which right is missing, before anything is tried.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use palisade_tests::{Answer, Namespace, Palisade, Trials, trials};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![a_plain_user_is_told, a_plain_user_is_root_inside,])
}

const NOBODY: &str = "65534";

/// A folder that all may write to, with the command and a definition in it.
fn folder_of_all(palisade: &Palisade<'_>) -> tempfile::TempDir {
    let file = &palisade.texts([crate::lab::default().xml()])[0];
    let folder = tempfile::tempdir().expect("make a folder");
    let open = |path: &Path, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("open it to all");
    };
    open(folder.path(), 0o777);
    // The command and the definition may lie where only root looks.
    for (from, name) in [
        (
            Path::new(palisade.command::<&str>([]).get_program()),
            "palisade",
        ),
        (file, "default.xml"),
    ] {
        let to = folder.path().join(name);
        std::fs::copy(from, &to).expect("copy a file");
        open(&to, 0o755);
    }
    folder
}

/// As a plain user, in a folder.
fn by_nobody(host: &Namespace, folder: &Path, words: &[&str]) -> Answer {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    command.args(words).current_dir(folder);
    command.env("NO_COLOR", "1").env_remove("XDG_RUNTIME_DIR");
    host.answer(command.env("TMPDIR", folder), "")
}

/// The system's state directory is not theirs, although they are called root.
fn a_plain_user_is_root_inside() {
    let host = Namespace::new();
    let folder = folder_of_all(&Palisade::new(&host));
    let does = "./palisade apply default.xml && ./palisade list && ./palisade remove --all";
    let script = ["unshare", "-rn", "sh", "-c", does];
    let listed = by_nobody(&host, folder.path(), &script).stdout();
    assert!(listed.contains("virbr0"), "{listed}");
    let state = folder.path().join(format!("palisade-{NOBODY}"));
    assert!(state.is_dir(), "{}", state.display());
    // In the host's own network namespace they are nobody all the same.
    let script = ["unshare", "-r", "./palisade", "apply", "default.xml"];
    let told = by_nobody(&host, folder.path(), &script).refusal(1);
    assert!(told.contains("CAP_NET_ADMIN"), "{told}");
}

fn a_plain_user_is_told() {
    let host = Namespace::new();
    let palisade = Palisade::new(&host);
    let folder = folder_of_all(&palisade);
    let run = |words: &[&str]| -> Answer {
        let command = ["./palisade", "--state-dir", "state"];
        by_nobody(&host, folder.path(), &[&command, words].concat())
    };
    for words in [
        &["apply", "default.xml"][..],
        &["plan", "default.xml"],
        &["sync", "default.xml"],
        &["--backend", "iptables", "apply", "default.xml"],
        &["doctor"],
        &["trace"],
        &["watch"],
    ] {
        let told = run(words).refusal(1);
        assert!(told.contains("CAP_NET_ADMIN"), "{words:?}: {told}");
        assert!(told.contains("root"), "{words:?}: {told}");
        let listed = run(&["list"]).stdout();
        assert_eq!(listed, "no networks are running\n", "{words:?}");
    }
    let there = Namespace::new();
    let (own, file) = (there.path(), folder.path().join("default.xml"));
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
    run(&["--backend", "none", "apply", "default.xml"]).stdout();
}
