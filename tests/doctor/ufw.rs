//! A host with ufw: its own program loads its rules, into copies of its files.

use std::path::Path;
use std::process::Command;

use palisade_tests::{Trials, is_in_path};
use tempfile::TempDir;

use crate::examined::{assert_healthy, examine};
use crate::lab::Lab;

const NAME: &str = "ufw drops what comes in and what is forwarded";

pub(crate) fn add_to(trials: Trials) -> Trials {
    if is_in_path("ufw") || Path::new("/usr/sbin/ufw").exists() {
        trials.with(NAME, ufw)
    } else {
        trials.without(NAME, "needs `ufw`: run `cargo xtask setup`".to_owned())
    }
}

/// Copies of ufw's files, which only programs that are started by `prefix` see.
struct Files(TempDir);

/// Puts copies in the place of folders, and becomes another program.
const IN_PLACE: &str = "mount --bind \"$0/ufw\" /etc/ufw && mount --bind \"$0/default\" /etc/default && \
                        mount -t tmpfs none /run && exec \"$@\"";

impl Files {
    fn copied() -> Self {
        let folder = TempDir::new().expect("make a folder");
        for (name, of) in [("ufw", "/etc/ufw"), ("default", "/etc/default")] {
            let to = folder.path().join(name);
            let copied = Command::new("cp").arg("-a").arg(of).arg(to).status();
            assert!(copied.expect("copy ufw's files").success());
        }
        Self(folder)
    }

    fn prefix(&self) -> Vec<&str> {
        let folder = self.0.path().to_str().expect("a path");
        vec![
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            IN_PLACE,
            folder,
        ]
    }
}

fn ufw() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let files = Files::copied();
    let prefix = files.prefix();
    let before = examine(&lab.host, &palisade);
    before.run("ufw --force enable", &prefix).stdout();
    assert!(!lab.reaches_world(), "or there is nothing to find");
    assert!(!lab.reaches_host(53), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter", "host-filter", "bridge-nf-call"]);
    let mends = examined.mends();
    for wanted in [
        "ufw route allow in on virbr0",
        "ufw allow in on virbr0 to any port 53 proto udp",
        "ufw allow in on virbr0 to any port 67 proto udp",
    ] {
        assert!(
            mends.iter().any(|mend| mend == wanted),
            "{wanted} in {mends:?}"
        );
    }
    for mend in mends {
        examined.run(&mend, &prefix).stdout();
    }
    assert_healthy(&lab.host, &palisade);
    assert!(lab.reaches_world());
    for port in [53, 67] {
        assert!(lab.reaches_host(port), "{port}");
    }
    assert!(!lab.reaches_host(8080), "no more was opened than that");
}
