//! The system calls of the command, counted by tracing it.

use std::collections::{BTreeMap, HashSet};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use palisade_tests::{Namespace, Palisade, Trials};

use crate::sizes::SIZES;
use palisade_tests::counted::definition;

const ONE_MORE: u32 = 60_000;
/// Memory and threads are asked for in other numbers by other builds and processors; a list in
/// memory that doubles once more is no loop over all networks.
const SLACK: usize = 24;
/// Waits for the tracer, then becomes the command.
const WAIT: &str = "kill -STOP $$; exec \"$@\"";

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("system calls: one more, one less", one)
        .with("system calls: no change", no_change)
        .with("system calls: all at once", all)
}

/// How often each system call was made, by its number.
#[derive(Debug, Default)]
struct Calls(BTreeMap<u64, usize>);

impl Calls {
    fn all(&self) -> usize {
        self.0.values().sum()
    }

    fn of(&self, numbers: &[libc::c_long]) -> usize {
        let of = |&number: &libc::c_long| self.0.get(&(number.cast_unsigned())).copied();
        numbers.iter().filter_map(of).sum()
    }

    /// Everything that waits for a disk.
    fn syncs(&self) -> usize {
        self.of(&[
            libc::SYS_fsync,
            libc::SYS_fdatasync,
            libc::SYS_sync,
            libc::SYS_syncfs,
            libc::SYS_sync_file_range,
            libc::SYS_msync,
        ])
    }

    /// The files that are opened.
    fn opened(&self) -> usize {
        self.of(&[libc::SYS_openat])
    }
}

/// Beside one network or a thousand, the same.
fn one() {
    let counted: Vec<[Calls; 2]> = SIZES
        .into_iter()
        .map(|size| {
            let namespace = Namespace::new();
            let palisade = Palisade::with_layout(&namespace, "mapped");
            let definitions: Vec<_> = (0..size).map(definition).collect();
            palisade.apply(&definitions).stdout();
            // The folder in which records are staged goes where many came at once, and is made again.
            palisade.apply([&definition(ONE_MORE + 1)]).stdout();
            let file = palisade.files([&definition(ONE_MORE)]).remove(0);
            let file = file.to_str().expect("a path in UTF-8");
            let name = definition(ONE_MORE).name;
            [["apply", file], ["remove", &name]].map(|words| calls(&namespace, &palisade, &words))
        })
        .collect();
    for (size, counted_here) in SIZES.iter().zip(&counted) {
        for (few, many) in counted[0].iter().zip(counted_here) {
            assert!(many.all() <= few.all() + SLACK, "{size}: {few:?}, {many:?}");
            assert_eq!(many.syncs(), few.syncs(), "{size} networks");
            assert!(many.syncs() <= SYNCS, "{size}: {}", many.syncs());
            assert_eq!(many.opened(), few.opened(), "{size}: {few:?}, {many:?}");
        }
    }
}

/// The journal's.
const SYNCS: usize = 6;

fn no_change() {
    let counted = SIZES.map(|size| {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, "mapped");
        let definitions: Vec<_> = (0..size).map(definition).collect();
        palisade.apply(&definitions).stdout();
        let files = palisade.files(&definitions);
        let folder = files[0].parent().and_then(std::path::Path::to_str);
        calls(&namespace, &palisade, &["sync", folder.expect("a folder")])
    });
    for (size, calls) in SIZES.into_iter().zip(&counted) {
        assert_eq!(calls.syncs(), 0, "{size}: {calls:?}");
        // Each definition is opened, and nothing else of each: no record.
        let more = size as usize - 1;
        assert_eq!(calls.opened(), counted[0].opened() + more, "{size}");
    }
}

/// One sync for a transaction, not one for each network.
fn all() {
    let syncs = SIZES.map(|size| {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, "mapped");
        let definitions: Vec<_> = (0..size).map(definition).collect();
        let files = palisade.files(&definitions);
        let folder = files[0].parent().and_then(std::path::Path::to_str);
        calls(&namespace, &palisade, &["sync", folder.expect("a folder")]).syncs()
    });
    assert_eq!(syncs, [syncs[0]; 3]);
    assert!(syncs[0] <= SYNCS, "{syncs:?}");
}

/// What the command calls from its first instruction to its end. It must end well.
fn calls(namespace: &Namespace, palisade: &Palisade<'_>, words: &[&str]) -> Calls {
    let mut command = palisade.command_by(&["sh", "-c", WAIT, "sh"], words);
    namespace.inside(|| trace(&mut command))
}

/// Traces a program that stops itself before it becomes the one that counts. All is done by one
/// thread, as the kernel wants it.
#[expect(
    clippy::zombie_processes,
    reason = "it is waited for by its number, as traced processes are"
)]
fn trace(command: &mut Command) -> Calls {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own, so that nobody else's children are waited for.
        .process_group(0)
        .spawn()
        .expect("run the command");
    let first = Pid::from_raw(child.id().cast_signed());
    let stopped = waitpid(first, Some(WaitPidFlag::WUNTRACED)).expect("wait for the stop");
    assert_eq!(stopped, WaitStatus::Stopped(first, Signal::SIGSTOP));
    ptrace::attach(first).expect("trace the command");
    waitpid(first, Some(WaitPidFlag::__WALL)).expect("wait for the tracer's stop");
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(first, options).expect("choose what is told");
    nix::sys::signal::kill(first, Signal::SIGCONT).expect("let it go on");
    ptrace::syscall(first, None).expect("let it go on");

    let mut calls = Calls::default();
    let mut is_command = false;
    let mut inside = HashSet::new();
    let group = Pid::from_raw(-first.as_raw());
    loop {
        let told = waitpid(group, Some(WaitPidFlag::__WALL)).expect("wait for a call");
        let (task, signal) = match told {
            WaitStatus::Exited(task, code) if task == first => {
                assert_eq!(code, 0, "{command:?}");
                return calls;
            }
            WaitStatus::PtraceSyscall(task) => {
                // Told twice: as it enters, and as it leaves.
                if inside.insert(task) {
                    if is_command {
                        *calls.0.entry(number(task)).or_default() += 1;
                    }
                } else {
                    inside.remove(&task);
                }
                (task, None)
            }
            WaitStatus::PtraceEvent(task, _, event) => {
                is_command |= event == Event::PTRACE_EVENT_EXEC as libc::c_int;
                (task, None)
            }
            WaitStatus::Stopped(task, Signal::SIGSTOP | Signal::SIGCONT) => (task, None),
            WaitStatus::Stopped(task, signal) => (task, Some(signal)),
            WaitStatus::Signaled(task, signal, _) if task == first => {
                panic!("{command:?} died of {signal}")
            }
            _ => continue,
        };
        // One that was killed meanwhile cannot go on.
        let _ = ptrace::syscall(task, signal);
    }
}

/// The number of the call that a task enters.
#[expect(
    unsafe_code,
    reason = "a union of the C library: the kernel says which part of it holds"
)]
fn number(task: Pid) -> u64 {
    let info = ptrace::syscall_info(task).expect("which call it is");
    assert_eq!(info.op, libc::PTRACE_SYSCALL_INFO_ENTRY, "it enters");
    // SAFETY: `op` says that it is an entry.
    unsafe { info.u.entry.nr }
}
