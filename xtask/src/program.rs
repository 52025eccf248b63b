//! Running programs, seen by whoever watches.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's folder, in which all programs run.
pub(crate) fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => workspace().join(folder),
        None => workspace().join("target"),
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program without input: none shall wait for a person.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace()).stdin(Stdio::null());
    command
}

/// Runs a program to its end; why it did not go well.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let told = told(command);
    println!("$ {told}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{told}`: {status}")),
        Err(error) => Err(format!("cannot run `{told}`: {error}")),
    }
}

/// As one would type it.
fn told(command: &Command) -> String {
    let name = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let program = Path::new(command.get_program()).file_name();
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(key, value)| Some(format!("{}={:?}", name(key), value?)))
        .collect();
    words.extend(program.map(name));
    words.extend(command.get_args().map(name));
    words.join(" ")
}

/// Where a program is, if it is installed. Plain users' PATH may lack the folders of `nft` and `ip`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Whether we may make network namespaces and install packages.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
