//! Network namespaces that end with their guard.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::Answer;

/// A network namespace without a name, held by a descriptor: it ends when the guard is dropped and
/// with the process, however that ends, so that nothing stays on the machine.
#[derive(Debug)]
pub struct Namespace {
    descriptor: File,
}

impl Namespace {
    /// A fresh one, with nothing but a loopback device that is up.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a thing of the kernel")]
    pub fn new() -> Self {
        let descriptor = on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("make a network namespace");
            File::open("/proc/thread-self/ns/net").expect("open the network namespace")
        });
        let namespace = Self { descriptor };
        // Duplicate address detection delays the first packets by a second, and a made-up source
        // must not be stopped before it meets the rules.
        for what in ["all", "default"] {
            namespace.sysctl(&format!("ipv6/conf/{what}/accept_dad"), "0");
            namespace.sysctl(&format!("ipv4/conf/{what}/rp_filter"), "0");
        }
        namespace.ip("link set lo up");
        namespace
    }

    /// Does something inside. Sockets that it makes stay inside, wherever they are used later; so
    /// do programs that it starts.
    pub fn inside<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        on_own_thread(|| {
            setns(&self.descriptor, CloneFlags::CLONE_NEWNET).expect("enter the namespace");
            action()
        })
    }

    /// A path that names the namespace for as long as it lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let (process, descriptor) = (std::process::id(), self.descriptor.as_raw_fd());
        PathBuf::from(format!("/proc/{process}/fd/{descriptor}"))
    }

    /// Runs a program inside, with this text as its standard input.
    pub fn answer(&self, command: &mut Command, input: &str) -> Answer {
        self.inside(|| Answer::of(command, input))
    }

    /// Gives `ip` these commands, one a line.
    #[track_caller]
    pub fn ip(&self, commands: &str) {
        let mut ip = Command::new("ip");
        self.answer(ip.args(["-batch", "-"]), commands).stdout();
    }

    /// Gives `nft` a script.
    #[track_caller]
    pub fn nft(&self, script: &str) {
        self.try_nft(script).stdout();
    }

    /// Gives `nft` a script that it may refuse.
    pub fn try_nft(&self, script: &str) -> Answer {
        self.answer(Command::new("nft").args(["-f", "-"]), script)
    }

    /// Writes a setting under /proc/sys/net.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        let path = format!("/proc/sys/net/{key}");
        let written = self.inside(|| std::fs::write(&path, value));
        written.unwrap_or_else(|error| panic!("cannot write {value} to {path}: {error}"));
    }

    /// Makes bridges that are up.
    pub fn bridges<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let mut commands = String::new();
        for name in names {
            commands += &format!("link add {name} type bridge\nlink set {name} up\n");
        }
        self.ip(&commands);
    }

    /// A pair of devices that are up, one here, one in another namespace: what is sent into one
    /// comes out of the other.
    pub fn cable(&self, here: &str, other: &Self, there: &str) {
        let path = other.path();
        self.ip(&format!(
            "link add {here} type veth peer name {there} netns {}\nlink set {here} up",
            path.display()
        ));
        other.ip(&format!("link set {there} up"));
    }
}

/// A thread enters a namespace for good: so each action has one of its own. Its panic is ours.
fn on_own_thread<T: Send>(action: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(action).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
