//! What all cases stand on: the programs that are measured, and where files are kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::scratch::Scratch;
use crate::program::find;

pub(super) struct Ground<'a> {
    pub(super) scratch: &'a Scratch,
    /// Our command.
    command: &'a Path,
    /// A configuration file that says nothing.
    configuration: PathBuf,
    pub(super) nft: PathBuf,
}

impl<'a> Ground<'a> {
    pub(super) fn new(scratch: &'a Scratch, command: &'a Path) -> Result<Self, String> {
        Ok(Self {
            scratch,
            command,
            configuration: scratch.write("palisade.toml", "")?,
            nft: find("nft").ok_or("nft is not installed: cargo xtask setup")?,
        })
    }

    /// Our command, to which nothing is left of this machine's environment and configuration.
    pub(super) fn palisade(&self) -> Command {
        let mut command = Command::new(self.command);
        command
            .env_clear()
            .args(["--quiet", "--config"])
            .arg(&self.configuration);
        command
    }

    pub(super) fn nft(&self, file: &Path) -> Command {
        let mut nft = Command::new(&self.nft);
        nft.arg("-f").arg(file);
        nft
    }

    /// `iptables-restore` and `ip6tables-restore` of a variant with these texts, kept under this
    /// name. The lock is none of the machine's.
    pub(super) fn restore(
        &self,
        variant: &str,
        name: &str,
        texts: &[String; 2],
    ) -> Result<Vec<Command>, String> {
        let mut programs = Vec::new();
        for (family, text) in ["iptables", "ip6tables"].iter().zip(texts) {
            let program = format!("{family}-{variant}-restore");
            let path = find(&program)
                .ok_or_else(|| format!("{program} is not installed: cargo xtask setup"))?;
            let mut command = Command::new(path);
            command
                .env("XTABLES_LOCKFILE", self.scratch.path().join("xtables.lock"))
                .args(["--wait", "--noflush"])
                .arg(self.scratch.write(&format!("{name}.{family}"), text)?);
            programs.push(command);
        }
        Ok(programs)
    }
}
