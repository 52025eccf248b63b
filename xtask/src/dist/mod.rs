//! What people install: a tree of files, that tree in a tarball, and a Debian package of it.
//!
//! Nothing is fetched, and no program is needed beside cargo, tar, gzip and dpkg-deb.

mod check;
mod debian;
mod page;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::program::{cargo, run, target, workspace};

pub(crate) use check::check;

const USAGE: &str = "\
usage: cargo xtask dist [--debug | --check]

Builds the command and writes into target/dist:
  palisade-VERSION/                    an installable tree, as below /
  palisade-VERSION-ARCHITECTURE.tar.gz that tree
  palisade_VERSION_ARCHITECTURE.deb    a Debian package

options:
  --debug  without optimizing: quicker, for tests
  --check  the same, and looks whether each part is sound, as `cargo xtask test` does
";

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let is_debug = match args {
        [] => false,
        ["--debug"] => true,
        ["--check"] => return end(check().map(|()| Vec::new())),
        ["--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    end(make(is_debug))
}

fn end(made: Result<Vec<PathBuf>, String>) -> ExitCode {
    match made {
        Ok(made) => {
            for path in made {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("dist: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Makes all of it; what was made.
fn make(is_debug: bool) -> Result<Vec<PathBuf>, String> {
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
        fs::remove_dir_all(&root).map_err(told(&root))?;
    }
    tree::plant(&root, &target().join(profile).join("palisade"))?;
    let architecture = std::env::consts::ARCH;
    let tarball = folder.join(format!("palisade-{version}-{architecture}.tar.gz"));
    let mut tar = crate::program::program("tar");
    tar.args(["--owner=0", "--group=0", "--sort=name", "-czf"]);
    tar.arg(&tarball).arg("-C").arg(&folder);
    run(tar.arg(format!("palisade-{version}")))?;
    let package = debian::package(&folder, &root)?;
    Ok(vec![root, tarball, package])
}

/// A file of the workspace.
fn read(path: &str) -> Result<String, String> {
    let path = workspace().join(path);
    fs::read_to_string(&path).map_err(told(&path))
}

fn told(path: &Path) -> impl FnOnce(std::io::Error) -> String + use<> {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
