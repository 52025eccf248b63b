//! Where the command under test is.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The binary: the one that `PALISADE_BIN` names, else the one of this build, brought up to date
/// first, so that no test ever looks at an old one.
pub(crate) fn palisade() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("PALISADE_BIN") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "palisade-cli"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let built = matches!(&status, Ok(status) if status.success());
    assert!(
        built,
        "`cargo build --package palisade-cli` failed: {status:?}"
    );
    // This program is target/debug/deps/NAME-HASH, the command target/debug/palisade.
    let own = std::env::current_exe().expect("the path of this program");
    let folder = own.ancestors().nth(2).expect("the folder of the build");
    let path = folder.join("palisade");
    assert!(
        path.exists(),
        "{} is not there: set PALISADE_BIN to the binary",
        path.display()
    );
    path
}
