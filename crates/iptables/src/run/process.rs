//! Programs as processes, in the network namespace of the caller or in another one.

use std::env;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Instant;

use command_fds::CommandFdExt;
use nix::sched::{CloneFlags, setns};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Answer, Command, CommandRunner};

/// Where these programs lie on most systems. A daemon's or a plain user's PATH may lack it.
const BESIDE_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Runs programs as processes. They inherit what descriptors the caller leaves open to them.
#[derive(Debug, Default)]
pub struct Processes {
    namespace: Option<PathBuf>,
    /// What programs keep open.
    held: Option<OwnedFd>,
}

impl Processes {
    /// In the caller's network namespace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// In the network namespace of this file, such as `/run/netns/lab`. The caller stays where it
    /// is.
    #[must_use]
    pub fn inside(namespace: PathBuf) -> Self {
        Self {
            namespace: Some(namespace),
            held: None,
        }
    }
}

impl CommandRunner for Processes {
    fn hold(&mut self, lock: Option<OwnedFd>) {
        self.held = lock;
    }

    fn run(&mut self, command: &Command) -> io::Result<Answer> {
        let Some(namespace) = &self.namespace else {
            return run(command, self.held.as_ref());
        };
        let held = self.held.as_ref();
        let namespace = File::open(namespace).map_err(|error| {
            let path = namespace.display();
            io::Error::other(format!("cannot open network namespace {path}: {error}"))
        })?;
        // A child begins in the namespace of the thread that starts it, and a thread that has
        // entered another one is good for nothing else: so this one ends with the program.
        thread::scope(|scope| {
            let enter = || {
                setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| {
                    let errno = io::Error::from(errno);
                    io::Error::other(format!("cannot enter the network namespace: {errno}"))
                })?;
                run(command, held)
            };
            let thread = thread::Builder::new().name("netns".to_owned());
            match thread.spawn_scoped(scope, enter)?.join() {
                Ok(answer) => answer,
                Err(_) => Err(io::Error::other("the thread that ran it died")),
            }
        })
    }
}

fn run(command: &Command, held: Option<&OwnedFd>) -> io::Result<Answer> {
    let start = Instant::now();
    let mut process = process::Command::new(find(&command.program)?);
    process
        .args(&command.arguments)
        .env("LC_ALL", "C")
        .stdin(input(&command.input)?)
        .stdout(process::Stdio::piped())
        .stderr(process::Stdio::piped());
    if let Some(held) = held {
        process.preserved_fds(vec![held.try_clone()?]);
    }
    let child = process.spawn()?;
    let id = child.id();
    let output = child.wait_with_output()?;
    Ok(Answer {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: output.stderr,
        took: start.elapsed(),
        process: Some(id),
    })
}

/// The text as a file in memory. A program finds all of it there, whatever becomes of us; and we
/// are not killed by a pipe that a program closed early.
fn input(text: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"iptables-restore", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

fn find(program: &str) -> io::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = BESIDE_PATH.iter().map(PathBuf::from);
    let mut folders = env::split_paths(&path).chain(beside);
    let found = folders.find_map(|folder| {
        let file: &Path = &folder.join(program);
        file.is_file().then(|| file.to_owned())
    });
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such program"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(program: &str, arguments: &[&str], input: &str) -> Command {
        Command {
            program: program.to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            input: input.to_owned(),
        }
    }

    #[test]
    fn all_of_the_input_arrives_and_all_of_the_output() {
        let long = "0123456789\n".repeat(100_000);
        let answer = Processes::new().run(&command("cat", &[], &long)).unwrap();
        assert_eq!(answer.code, Some(0));
        assert_eq!(answer.stdout, long.as_bytes());
    }

    #[test]
    fn a_program_that_reads_nothing_does_no_harm() {
        let long = "0123456789\n".repeat(100_000);
        let script = command("sh", &["-c", "echo gone >&2; exit 4"], &long);
        let answer = Processes::new().run(&script).unwrap();
        assert_eq!(
            (answer.code, answer.stderr.as_slice()),
            (Some(4), &b"gone\n"[..])
        );
    }

    #[test]
    fn what_is_not_there_is_told() {
        let run = |mut processes: Processes, program| processes.run(&command(program, &[], ""));
        let error = run(Processes::new(), "palisade-no-such-program").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let nowhere = Processes::inside("/run/netns/palisade-no-such".into());
        let error = run(nowhere, "true").unwrap_err();
        // Not as if the program were missing.
        assert_eq!(error.kind(), io::ErrorKind::Other);
    }
}
