//! Our library: one call.

use std::time::{Duration, Instant};

use palisade::{Firewall, Layout};

use super::super::case::{self, Case};
use super::super::namespace::Namespace;
use super::{Contestant, Label, What};

/// `Firewall::apply`, in a firewall that is open, with its state on a tmpfs.
pub(in super::super) struct Library<'a> {
    pub(in super::super) case: &'a Case<'a>,
    pub(in super::super) layout: Layout,
}

impl Contestant for Library<'_> {
    fn label(&self) -> Label {
        Label {
            layout: Some(self.layout),
            what: What::Library,
        }
    }

    fn run(&mut self) -> Result<Duration, String> {
        let namespace = Namespace::new()?;
        let state = self.case.scratch.folder()?;
        let options = case::options(self.layout, &namespace, &state);
        let mut firewall = Firewall::open(&options).map_err(|error| error.to_string())?;
        let start = Instant::now();
        let report = firewall.apply(&self.case.networks);
        let took = start.elapsed();
        report.map_err(|error| error.to_string())?;
        namespace.close()?;
        Ok(took)
    }
}
