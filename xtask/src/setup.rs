//! What tests need of the machine.

use std::path::Path;
use std::process::ExitCode;

use crate::program::{self, cargo, find, is_root, program};

/// Something that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program of a Debian package.
    Program {
        name: &'static str,
        package: &'static str,
    },
    /// The library that rustables' build script reads the kernel's headers with.
    Libclang,
    /// A check of licences and sources.
    CargoDeny,
}

impl Need {
    const ALL: [Self; 15] = [
        Self::Program {
            name: "nft",
            package: "nftables",
        },
        Self::Program {
            name: "iptables-legacy-restore",
            package: "iptables",
        },
        Self::Program {
            name: "iptables-nft-restore",
            package: "iptables",
        },
        Self::Program {
            name: "ip",
            package: "iproute2",
        },
        Self::Program {
            name: "unshare",
            package: "util-linux",
        },
        Self::Program {
            name: "conntrack",
            package: "conntrack",
        },
        Self::Program {
            name: "ufw",
            package: "ufw",
        },
        Self::Program {
            name: "firewalld",
            package: "firewalld",
        },
        Self::Program {
            name: "dbus-daemon",
            package: "dbus-daemon",
        },
        Self::Program {
            name: "man",
            package: "man-db",
        },
        Self::Program {
            name: "zsh",
            package: "zsh",
        },
        Self::Program {
            name: "fish",
            package: "fish",
        },
        Self::Program {
            name: "systemd-analyze",
            package: "systemd",
        },
        Self::Libclang,
        Self::CargoDeny,
    ];

    /// Those that are missing.
    pub(crate) fn missing() -> Vec<Self> {
        let mut needs = Self::ALL.to_vec();
        needs.retain(|need| !need.is_there());
        needs
    }

    fn is_there(self) -> bool {
        match self {
            Self::Program { name, .. } => find(name).is_some(),
            Self::Libclang => has_libclang(),
            Self::CargoDeny => find("cargo-deny").is_some() || in_cargo_home("cargo-deny"),
        }
    }

    /// The Debian package that brings it.
    fn package(self) -> Option<&'static str> {
        match self {
            Self::Program { package, .. } => Some(package),
            Self::Libclang => Some("libclang-dev"),
            Self::CargoDeny => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Program { name, .. } => name,
            Self::Libclang => "libclang",
            Self::CargoDeny => "cargo-deny",
        }
    }
}

pub(crate) fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("setup: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Installs what is missing; why it could not, or what a plain user has to do.
pub(crate) fn run() -> Result<(), String> {
    let missing = Need::missing();
    let packages: Vec<&str> = missing.iter().filter_map(|need| need.package()).collect();
    if !packages.is_empty() {
        if !is_root() {
            let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
            let (names, packages) = (names.join(", "), packages.join(" "));
            return Err(format!(
                "missing: {names}\nas root: apt-get update && apt-get install -y {packages}"
            ));
        }
        install(&packages)?;
    }
    if missing.contains(&Need::CargoDeny) {
        program::run(cargo().args(["install", "--locked", "cargo-deny"]))?;
    }
    match Need::missing().as_slice() {
        [] => {
            println!("setup: all that tests need is there");
            Ok(())
        }
        left => {
            let names: Vec<&str> = left.iter().map(|need| need.name()).collect();
            Err(format!(
                "still missing after installing: {}",
                names.join(", ")
            ))
        }
    }
}

fn install(packages: &[&str]) -> Result<(), String> {
    if find("apt-get").is_none() {
        return Err(format!("no apt-get here: install {}", packages.join(", ")));
    }
    let apt = || {
        let mut apt = program("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        // What comes as a service is for tests alone: it shall not start on this machine.
        apt.env("RUNLEVEL", "1");
        apt
    };
    program::run(apt().arg("update"))?;
    let options = ["install", "-y", "--no-install-recommends"];
    program::run(apt().args(options).args(packages))
}

/// Debian puts `libclang-14.so.1` and its like beside the other libraries and under /usr/lib/llvm-14.
fn has_libclang() -> bool {
    let folders = |path: &str| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    };
    let libraries = folders("/usr/lib").into_iter();
    libraries
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| [folder.join("lib"), folder])
        .any(|folder| {
            folders(&folder.to_string_lossy())
                .iter()
                .any(|file| is_libclang(file))
        })
}

fn is_libclang(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let rest = name.strip_prefix("libclang");
    rest.is_some_and(|rest| rest.contains(".so") && !rest.starts_with("-cpp"))
}

/// Where `cargo install` puts programs, which PATH may lack.
fn in_cargo_home(name: &str) -> bool {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let user = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    home.or_else(user)
        .is_some_and(|home| home.join("bin").join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_by_its_file() {
        for name in ["libclang.so", "libclang-14.so.1", "libclang.so.14"] {
            assert!(is_libclang(Path::new(name)), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclangAST.a", "libc.so.6"] {
            assert!(!is_libclang(Path::new(name)), "{name}");
        }
    }
}
