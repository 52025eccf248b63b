//! Builds the command, and everything that is made of it.

use std::fs;
use std::path::PathBuf;

use super::file::naming;
use super::{debian, tree};
use crate::program::{cargo, program, run, target};

/// Makes all of it; what was made.
pub(super) fn make(is_debug: bool) -> Result<Vec<PathBuf>, String> {
    let mut build = cargo();
    build.args(["build", "--locked", "-p", "palisade-cli"]);
    let profile = if is_debug { "debug" } else { "release" };
    if !is_debug {
        build.arg("--release");
    }
    run(&mut build)?;
    let folder = target().join("dist");
    let version = env!("CARGO_PKG_VERSION");
    let root = folder.join(format!("palisade-{version}"));
    if root.exists() {
        fs::remove_dir_all(&root).map_err(naming(&root))?;
    }
    tree::plant(&root, &target().join(profile).join("palisade"))?;
    let architecture = std::env::consts::ARCH;
    let tarball = folder.join(format!("palisade-{version}-{architecture}.tar.gz"));
    let mut tar = program("tar");
    tar.args(["--owner=0", "--group=0", "--sort=name", "-czf"]);
    tar.arg(&tarball).arg("-C").arg(&folder);
    run(tar.arg(format!("palisade-{version}")))?;
    let package = debian::package(&folder, &root)?;
    Ok(vec![root, tarball, package])
}
