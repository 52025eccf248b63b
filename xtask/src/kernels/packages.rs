//! What the virtual machine is made of, from Debian's packages.

use std::path::{Path, PathBuf};

use crate::program::{find, program, run};

/// The package that depends on the newest kernel of this release.
const NEWEST: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";

/// A kernel, unpacked.
pub(super) struct Kernel {
    /// Its version, as `uname -r` prints it.
    pub(super) version: String,
    folder: PathBuf,
}

impl Kernel {
    /// The file that boots.
    pub(super) fn image(&self) -> PathBuf {
        self.folder.join(format!("boot/vmlinuz-{}", self.version))
    }

    /// Its modules.
    pub(super) fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules").join(&self.version)
    }

    /// The program that is the rest of the system.
    pub(super) fn busybox(&self) -> PathBuf {
        self.folder.join("bin/busybox")
    }
}

/// Downloads and unpacks the newest kernel of the machine's release, and installs qemu where it is
/// missing.
pub(super) fn fetch(folder: &Path) -> Result<Kernel, String> {
    if find("qemu-system-x86_64").is_none() {
        let mut install = program("apt-get");
        install.args([
            "install",
            "-y",
            "--no-install-recommends",
            "qemu-system-x86",
        ]);
        run(&mut install)?;
    }
    let package = newest()?;
    let unpacked = folder.join(&package);
    let version = package.trim_start_matches("linux-image-").to_owned();
    if !unpacked.is_dir() {
        for package in [package.as_str(), BUSYBOX] {
            run(program("apt-get")
                .current_dir(folder)
                .args(["download", package]))?;
            let archive = downloaded(folder, package)?;
            run(program("dpkg").arg("-x").args([&archive, &unpacked]))?;
        }
    }
    let folder = unpacked;
    Ok(Kernel { version, folder })
}

/// The package of the newest kernel.
fn newest() -> Result<String, String> {
    let output = program("apt-cache").args(["depends", NEWEST]).output();
    let output = output.map_err(|error| format!("cannot run apt-cache: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let package = said.lines().find_map(|line| {
        let package = line.trim().strip_prefix("Depends: ")?;
        package
            .starts_with("linux-image-")
            .then(|| package.to_owned())
    });
    package.ok_or_else(|| format!("{NEWEST} depends on no kernel: {said}"))
}

/// The file of a package: its name, its version and its architecture.
fn downloaded(folder: &Path, package: &str) -> Result<PathBuf, String> {
    let files = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let is_it = |path: &PathBuf| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with(&format!("{package}_")))
    };
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    let found = paths.find(is_it);
    found.ok_or_else(|| format!("{package} was not downloaded"))
}
