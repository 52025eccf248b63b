//! Others' way: `nft -f`.

use std::path::Path;
use std::process;
use std::time::Duration;

use super::super::namespace::Namespace;
use super::{Contestant, Label, What};

/// `nft -f` of a file.
#[derive(Debug)]
pub(in super::super) struct Nft<'a> {
    pub(in super::super) program: &'a Path,
    pub(in super::super) file: &'a Path,
}

impl Contestant for Nft<'_> {
    fn label(&self) -> Label {
        Label {
            layout: None,
            what: What::Nft,
        }
    }

    fn run(&mut self) -> Result<Duration, String> {
        let namespace = Namespace::new()?;
        let took = namespace.time(process::Command::new(self.program).arg("-f").arg(self.file))?;
        namespace.close()?;
        Ok(took)
    }
}
