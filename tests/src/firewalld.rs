//! firewalld, for real, beside a D-Bus of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Answer, Namespace};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
const BUS: &str = "run/dbus/system_bus_socket";

/// firewalld and its bus: both end with this.
#[derive(Debug)]
pub struct Firewalld {
    folder: TempDir,
    running: Vec<Child>,
}

/// Puts folders of its own in the place of those where it keeps files and sockets, and becomes
/// another program.
const IN_PLACE: &str = "mount --bind \"$0/etc\" /etc/firewalld && mount --bind \"$0/run\" /run && \
                        exec \"$@\"";

impl Firewalld {
    /// Why it cannot run on this machine, if so.
    #[must_use]
    pub fn hindrance() -> Option<String> {
        let mut needs = ["/usr/sbin/firewalld", "/usr/bin/dbus-daemon"].iter();
        let missing = needs.find(|program| !Path::new(program).exists());
        missing.map(|program| format!("needs {program}: run `cargo xtask setup`"))
    }

    /// Starts both, with the machine's settings, and waits for them.
    #[must_use]
    pub fn start(host: &Namespace) -> Self {
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
        let socket = started.folder.path().join(BUS);
        wait("the bus", || socket.exists());
        started.run(host);
        started
    }

    /// Starts firewalld beside the bus, and waits for it.
    pub fn run(&mut self, host: &Namespace) {
        self.spawn(host, &["firewalld", "--nofork", "--nopid"]);
        wait("firewalld", || self.ask(host, &["--state"]).code == Some(0));
    }

    /// Ends firewalld; the bus stays.
    pub fn stop(&mut self) {
        if let Some(mut firewalld) = self.running.pop() {
            let _ = firewalld.kill();
            let _ = firewalld.wait();
        }
    }

    /// What `firewall-cmd` answers.
    pub fn ask(&self, host: &Namespace, words: &[&str]) -> Answer {
        host.answer(&mut self.command(&[&["firewall-cmd"], words].concat()), "")
    }

    /// The address of the bus, as the environment names it.
    #[must_use]
    pub fn bus(&self) -> String {
        format!("unix:path={}", self.folder.path().join(BUS).display())
    }

    /// The folder in the place of /etc/firewalld.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder.path().join("etc")
    }

    /// What runs a program where it finds both.
    #[must_use]
    pub fn prefix(&self) -> Vec<&str> {
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
