//! Network namespaces, one for each run.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};
use palisade::TableName;
use palisade_netlink::Socket;
use palisade_nft::object::Family;
use palisade_nft::parts::{Batch, CommitError, commit};

/// A network namespace without a name, held by a descriptor: it ends with the process, however
/// that ends.
#[derive(Debug)]
pub(super) struct Namespace {
    descriptor: File,
}

impl Namespace {
    /// A fresh one.
    pub(super) fn new() -> Result<Self, String> {
        on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)
                .map_err(|errno| format!("cannot make a network namespace: {errno}"))?;
            let descriptor = File::open("/proc/thread-self/ns/net")
                .map_err(|error| format!("cannot open a network namespace: {error}"))?;
            Ok(Self { descriptor })
        })
    }

    /// A path that names it for as long as it lives.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()))
    }

    /// A socket to its nf_tables.
    pub(super) fn socket(&self) -> Result<Socket, String> {
        Socket::open_in(Some(&self.path())).map_err(|error| error.to_string())
    }

    /// How long a program takes inside, from its start to its end. It must end well.
    pub(super) fn time(&self, program: &mut Command) -> Result<Duration, String> {
        program
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        self.inside(|| {
            let start = Instant::now();
            let output = program.output();
            let took = start.elapsed();
            let name = program.get_program().display();
            let output = output.map_err(|error| format!("cannot run {name}: {error}"))?;
            if output.status.success() {
                return Ok(took);
            }
            let reason = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name}: {}: {reason}", output.status))
        })
    }

    /// Does something inside, on a thread of its own.
    pub(super) fn inside<T: Send>(
        &self,
        action: impl FnOnce() -> Result<T, String> + Send,
    ) -> Result<T, String> {
        on_own_thread(|| {
            setns(&self.descriptor, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| format!("cannot enter a network namespace: {errno}"))?;
            action()
        })
    }

    /// What a program prints that runs inside. It must end well.
    pub(super) fn output(&self, program: &mut Command) -> Result<String, String> {
        let name = program.get_program().display().to_string();
        program.stdin(Stdio::null());
        let output = self.inside(|| program.output().map_err(|error| error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let reason = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name}: {}: {reason}", output.status))
    }

    /// Ends it with all that it holds. The kernel destroys rules some time after they are deleted,
    /// which would disturb the next run: closing a socket waits for that.
    pub(super) fn close(self) -> Result<(), String> {
        let mut socket = self.socket()?;
        let mut replies = Vec::new();
        for family in [Family::Ip, Family::Ip6] {
            let mut batch = Batch::new(None);
            batch.delete_table(family, TableName::default().as_str());
            match commit(&mut socket, &batch.finish(), &mut replies) {
                // Not every run makes tables of both families.
                Ok(()) | Err(CommitError::Refused(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// A thread enters a namespace for good: so each action has one of its own.
fn on_own_thread<T: Send>(action: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    thread::scope(|scope| match scope.spawn(action).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
