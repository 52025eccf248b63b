//! The Debian package: the tree, and what dpkg wants to know of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::file::{naming, read};
use crate::program::{program, run};

/// What an administrator may change: dpkg asks before it replaces them.
const CONFIGURATION: &str = "/etc/palisade/palisade.toml\n";

/// Makes the package of a tree; its file.
pub(super) fn package(folder: &Path, root: &Path) -> Result<PathBuf, String> {
    let version = env!("CARGO_PKG_VERSION");
    let architecture = architecture()?;
    let staged = folder.join("debian");
    if staged.exists() {
        fs::remove_dir_all(&staged).map_err(naming(&staged))?;
    }
    run(program("cp").arg("-a").arg(root).arg(&staged))?;
    let control = staged.join("DEBIAN");
    fs::create_dir_all(&control).map_err(naming(&control))?;
    let about = read("dist/debian/control")?
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", &architecture)
        .replace("@SIZE@", &(size(root)? / 1024).to_string());
    for (name, text, mode) in [
        ("control", about, 0o644),
        ("conffiles", CONFIGURATION.to_owned(), 0o644),
        ("postinst", read("dist/debian/postinst")?, 0o755),
        ("postrm", read("dist/debian/postrm")?, 0o755),
    ] {
        let path = control.join(name);
        fs::write(&path, text).map_err(naming(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(naming(&path))?;
    }
    let package = folder.join(format!("palisade_{version}_{architecture}.deb"));
    let mut build = program("dpkg-deb");
    build
        .args(["--root-owner-group", "--build"])
        .arg(&staged)
        .arg(&package);
    run(&mut build)?;
    Ok(package)
}

/// In dpkg's words.
fn architecture() -> Result<String, String> {
    let answer = program("dpkg").arg("--print-architecture").output();
    let answer = answer.map_err(|error| format!("cannot run dpkg: {error}"))?;
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// The bytes of all files.
fn size(folder: &Path) -> Result<u64, String> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(naming(folder))? {
        let path = entry.map_err(naming(folder))?.path();
        bytes += if path.is_dir() {
            size(&path)?
        } else {
            fs::metadata(&path).map_err(naming(&path))?.len()
        };
    }
    Ok(bytes)
}
