//! A plain user is told which right is missing, before anything is tried.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use palisade_tests::{Answer, Namespace, Palisade, Trials, trials};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![a_plain_user_is_told])
}

const NOBODY: &str = "65534";

fn a_plain_user_is_told() {
    let host = Namespace::new();
    let palisade = Palisade::new(&host);
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
    let run = |words: &[&str]| -> Answer {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        command
            .arg("./palisade")
            .args(["--state-dir", "state"])
            .args(words);
        host.answer(command.current_dir(folder.path()).env("NO_COLOR", "1"), "")
    };
    for words in [
        &["apply", "default.xml"][..],
        &["plan", "default.xml"],
        &["sync", "default.xml"],
        &["--backend", "iptables", "apply", "default.xml"],
        &["doctor"],
        &["trace"],
    ] {
        let told = run(words).refusal(1);
        assert!(told.contains("CAP_NET_ADMIN"), "{words:?}: {told}");
        assert!(told.contains("root"), "{words:?}: {told}");
        let listed = run(&["list"]).stdout();
        assert_eq!(listed, "no networks are running\n", "{words:?}");
    }
    // What takes no right is done without.
    run(&["check", "default.xml"]).stdout();
    run(&["--backend", "none", "apply", "default.xml"]).stdout();
}
