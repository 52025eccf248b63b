//! Commands that end by SIGKILL.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use palisade_tests::{Namespace, Palisade};

/// Starts a command, of which nobody reads what it says.
pub(crate) fn start<A: AsRef<OsStr>>(
    namespace: &Namespace,
    palisade: &Palisade<'_>,
    args: impl IntoIterator<Item = A>,
) -> Child {
    let mut command = palisade.command(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    namespace.inside(|| command.spawn().expect("start the command"))
}

/// Kills it; whether that came before its end.
pub(crate) fn kill(child: &mut Child) -> bool {
    child.kill().expect("kill the command");
    let status = child.wait().expect("wait for the command");
    status.code().is_none()
}

/// Until the file is there, or nothing can come any more.
pub(crate) fn wait_for(file: &Path, child: &mut Child) {
    while !file.exists() && child.try_wait().expect("look at the command").is_none() {
        std::hint::spin_loop();
    }
}

/// Starts to apply these files, and kills the command when its journal is there. It may have been
/// too quick: then they are applied.
pub(crate) fn kill_in_transaction(
    namespace: &Namespace,
    palisade: &Palisade<'_>,
    files: &[PathBuf],
) {
    let args = [OsStr::new("apply")].into_iter();
    let args = args.chain(files.iter().map(|file| file.as_os_str()));
    let mut child = start(namespace, palisade, args);
    wait_for(&folder(palisade).join("journal"), &mut child);
    kill(&mut child);
}

/// The one namespace's folder in the state directory.
pub(crate) fn folder(palisade: &Palisade<'_>) -> PathBuf {
    let folders = std::fs::read_dir(palisade.state()).expect("list the state directory");
    let mut folders = folders.map(|folder| folder.expect("a folder").path());
    let folder = folders.next().expect("the namespace's folder");
    assert_eq!(folders.next(), None, "there is more than one namespace");
    folder
}
