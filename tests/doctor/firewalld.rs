//! A host with firewalld, which runs for real, beside a D-Bus of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use palisade_tests::{Namespace, Trials};
use tempfile::TempDir;

use crate::examined::{assert_healthy, examine};
use crate::lab::Lab;

const NAME: &str = "firewalld refuses what comes in and what is forwarded";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn add_to(trials: Trials) -> Trials {
    let mut needs = ["/usr/sbin/firewalld", "/usr/bin/dbus-daemon"].iter();
    match needs.find(|program| !Path::new(program).exists()) {
        None => trials.with(NAME, firewalld),
        Some(missing) => trials.without(NAME, format!("needs {missing}: run `cargo xtask setup`")),
    }
}

/// firewalld and its bus: both end with this.
struct Firewalld {
    folder: TempDir,
    running: Vec<Child>,
}

/// Puts folders of its own in the place of those where it keeps files and sockets, and becomes
/// another program.
const IN_PLACE: &str = "mount --bind \"$0/etc\" /etc/firewalld && mount --bind \"$0/run\" /run && \
                        exec \"$@\"";

impl Firewalld {
    fn start(host: &Namespace) -> Self {
        let folder = TempDir::new().expect("make a folder");
        for name in ["run/dbus", "run/firewalld"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("make a folder");
        }
        let to = folder.path().join("etc");
        let copied = Command::new("cp")
            .arg("-a")
            .arg("/etc/firewalld")
            .arg(to)
            .status();
        assert!(copied.expect("copy firewalld's files").success());
        let mut started = Self {
            folder,
            running: Vec::new(),
        };
        started.spawn(
            host,
            &["dbus-daemon", "--system", "--nofork", "--nopidfile"],
        );
        let socket = started.folder.path().join("run/dbus/system_bus_socket");
        wait("the bus", || socket.exists());
        started.spawn(host, &["firewalld", "--nofork", "--nopid"]);
        wait("firewalld", || {
            let mut state = started.command(&["firewall-cmd", "--state"]);
            host.answer(&mut state, "").code == Some(0)
        });
        started
    }

    fn prefix(&self) -> Vec<&str> {
        let folder = self.folder.path().to_str().expect("a path");
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

    fn command(&self, words: &[&str]) -> Command {
        let prefix = self.prefix();
        let mut command = Command::new(prefix[0]);
        command.args(&prefix[1..]).args(words);
        command
    }

    fn spawn(&mut self, host: &Namespace, words: &[&str]) {
        let mut command = self.command(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = host.inside(|| command.spawn());
        self.running.push(child.expect("start a daemon"));
    }
}

impl Drop for Firewalld {
    fn drop(&mut self) {
        for child in self.running.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[track_caller]
fn wait(what: &str, mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < until, "{what} does not start");
        sleep(Duration::from_millis(100));
    }
}

fn firewalld() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let firewalld = Firewalld::start(&lab.host);
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    let findings = examined.of("forward-filter");
    assert!(!findings.is_empty());
    for finding in findings.iter().chain(&examined.of("host-filter")) {
        assert_eq!(finding["evidence"][0]["program"], "firewalld");
        assert_eq!(finding["evidence"][0]["table"], "inet firewalld");
    }
    let mends = examined.mends();
    let wanted = "--add-interface=virbr0";
    assert!(mends.iter().any(|mend| mend.ends_with(wanted)), "{mends:?}");
    for mend in mends {
        examined.run(&mend, &firewalld.prefix()).stdout();
    }
    assert_healthy(&lab.host, &palisade);
    assert!(lab.reaches_world());
    assert!(lab.reaches_host(53));
}
