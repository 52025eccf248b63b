//! The archive that a kernel unpacks into memory as its root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::packages::Kernel;
use crate::program::{find, program, run};

/// Programs of the machine that tests call.
const PROGRAMS: [&str; 6] = [
    "nft",
    "ip",
    "tc",
    "unshare",
    "xtables-nft-multi",
    "xtables-legacy-multi",
];
/// Folders of modules that they may need.
const MODULES: [&str; 10] = [
    "kernel/net/bridge",
    "kernel/net/netfilter",
    "kernel/net/ipv4",
    "kernel/net/ipv6",
    "kernel/net/sched",
    "kernel/net/802",
    "kernel/net/llc",
    "kernel/lib",
    "kernel/drivers/net/tun.ko",
    "kernel/drivers/net/veth.ko",
];
/// Where iptables has its matches and targets.
const EXTENSIONS: &str = "usr/lib/x86_64-linux-gnu/xtables";

/// A folder that becomes the root of the virtual machine.
pub(super) struct Archive {
    root: PathBuf,
    busybox: PathBuf,
}

impl Archive {
    /// One with this kernel's modules, busybox and the programs that tests call.
    pub(super) fn new(root: &Path, kernel: &Kernel) -> Result<Self, String> {
        let _ = fs::remove_dir_all(root);
        for folder in ["proc", "sys", "dev", "tmp", "run", "bin", "usr/sbin"] {
            fs::create_dir_all(root.join(folder)).map_err(in_words(folder))?;
        }
        let archive = Self {
            root: root.to_owned(),
            busybox: kernel.busybox(),
        };
        archive.copy(&kernel.busybox(), "bin/busybox")?;
        let modules = format!("lib/modules/{}", kernel.version);
        for part in MODULES {
            archive.copy(&kernel.modules().join(part), &format!("{modules}/{part}"))?;
        }
        for list in ["modules.builtin", "modules.order"] {
            archive.copy(&kernel.modules().join(list), &format!("{modules}/{list}"))?;
        }
        for name in PROGRAMS {
            let path = find(name).ok_or_else(|| format!("no program {name}"))?;
            archive.program(&path, &format!("usr/sbin/{name}"))?;
        }
        archive.copy(&Path::new("/").join(EXTENSIONS), EXTENSIONS)?;
        for (family, variant) in [("", "nft"), ("6", "nft"), ("", "legacy"), ("6", "legacy")] {
            for end in ["", "-restore", "-save"] {
                let name = format!("usr/sbin/ip{family}tables-{variant}{end}");
                let made = symlink(format!("xtables-{variant}-multi"), root.join(&name));
                made.map_err(in_words(&name))?;
            }
        }
        Ok(archive)
    }

    /// Adds a program with the libraries that it is linked to.
    pub(super) fn program(&self, path: &Path, name: &str) -> Result<(), String> {
        self.copy(path, name)?;
        let output = program("ldd").arg(path).output();
        let output = output.map_err(|error| format!("cannot run ldd: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        for library in said.split_whitespace().filter(|word| word.starts_with('/')) {
            self.copy(Path::new(library), library.trim_start_matches('/'))?;
        }
        Ok(())
    }

    /// Copies a file, or a folder with all in it; links become what they lead to.
    fn copy(&self, from: &Path, name: &str) -> Result<(), String> {
        let to = self.root.join(name);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(in_words(name))?;
        }
        if !from.is_dir() {
            return fs::copy(from, to).map(|_| ()).map_err(in_words(name));
        }
        for file in fs::read_dir(from).map_err(in_words(name))? {
            let path = file.map_err(in_words(name))?.path();
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            self.copy(&path, &format!("{name}/{file}"))?;
        }
        Ok(())
    }

    /// Packs it, with this as the first program.
    pub(super) fn pack(&self, init: &str, to: &Path) -> Result<PathBuf, String> {
        let path = self.root.join("init");
        fs::write(&path, init).map_err(in_words("init"))?;
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&path, executable).map_err(in_words("init"))?;
        let pack = "set -e; find . | \"$0\" cpio -o -H newc | gzip -1 > \"$1\"";
        let mut pack_all = program("sh");
        pack_all.args(["-c", pack]).arg(&self.busybox).arg(to);
        run(pack_all.current_dir(&self.root).stderr(Stdio::null()))?;
        Ok(to.to_owned())
    }
}

fn in_words(name: &str) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{name}: {error}")
}
