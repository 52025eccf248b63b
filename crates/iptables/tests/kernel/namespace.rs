//! Network namespaces that end with their guard, and programs in them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use palisade_iptables::run::{Answer, Command, CommandRunner, Processes};
use tempfile::TempDir;

/// A network namespace without a name: it ends with the guard, or with the process.
pub(crate) struct Namespace {
    descriptor: File,
    folder: TempDir,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("make a network namespace");
            File::open("/proc/thread-self/ns/net").expect("open the network namespace")
        };
        // A thread enters a namespace for good: so this one has nothing else to do.
        let descriptor = thread::spawn(make)
            .join()
            .expect("make a network namespace");
        Self {
            descriptor,
            folder: TempDir::new().expect("make a folder"),
        }
    }

    fn path(&self) -> PathBuf {
        let (process, descriptor) = (std::process::id(), self.descriptor.as_raw_fd());
        PathBuf::from(format!("/proc/{process}/fd/{descriptor}"))
    }

    /// The lock that the legacy programs share in this namespace: no other test waits for it.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.path().join("xtables.lock")
    }

    /// Runs programs inside, with these variables besides.
    pub(crate) fn programs(&self, variables: &[(&str, &str)]) -> Programs {
        let lock = format!("XTABLES_LOCKFILE={}", self.lock().display());
        let besides = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Programs {
            inner: Processes::inside(self.path()),
            variables: std::iter::once(lock).chain(besides).collect(),
        }
    }

    /// Runs a program inside that must not fail, and says what it printed.
    #[track_caller]
    pub(crate) fn run(&self, words: &[&str]) -> String {
        self.feed(words, "")
    }

    /// The same, with standard input.
    #[track_caller]
    pub(crate) fn feed(&self, words: &[&str], input: &str) -> String {
        let command = Command {
            program: words[0].to_owned(),
            arguments: words[1..].iter().map(ToString::to_string).collect(),
            input: input.to_owned(),
        };
        let answer = self.programs(&[]).run(&command).expect("run a program");
        let stderr = String::from_utf8_lossy(&answer.stderr);
        assert_eq!(answer.code, Some(0), "{words:?}: {stderr}");
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }
}

/// Programs with variables of their own.
pub(crate) struct Programs {
    inner: Processes,
    variables: Vec<String>,
}

impl CommandRunner for Programs {
    fn hold(&mut self, lock: Option<OwnedFd>) {
        self.inner.hold(lock);
    }

    fn run(&mut self, command: &Command) -> io::Result<Answer> {
        let mut arguments = self.variables.clone();
        arguments.push(command.program.clone());
        arguments.extend(command.arguments.iter().cloned());
        self.inner.run(&Command {
            program: "env".to_owned(),
            arguments,
            input: command.input.clone(),
        })
    }
}
