//! Our command, as a process.

use std::process;
use std::time::Duration;

use palisade::Layout;

use super::super::case::Case;
use super::super::namespace::Namespace;
use super::{Contestant, Label, What};

/// `palisade apply` of a directory of definitions.
pub(in super::super) struct Command<'a> {
    pub(in super::super) case: &'a Case<'a>,
    pub(in super::super) layout: Layout,
}

impl Contestant for Command<'_> {
    fn label(&self) -> Label {
        Label {
            layout: Some(self.layout),
            what: What::Command,
        }
    }

    fn run(&mut self) -> Result<Duration, String> {
        let namespace = Namespace::new()?;
        let state = self.case.scratch.folder()?;
        let mut command = process::Command::new(self.case.command);
        // Nothing is left to this machine's environment and configuration.
        command
            .env_clear()
            .arg("apply")
            .arg(&self.case.definitions)
            .args(["--quiet", "--backend", "nftables"])
            .args(["--layout", self.layout.name()])
            .arg("--config")
            .arg(&self.case.configuration)
            .arg("--state-dir")
            .arg(state.path());
        let took = namespace.time(&mut command)?;
        namespace.close()?;
        Ok(took)
    }
}
