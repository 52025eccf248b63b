//! Our bytes, made without a kernel.

use std::time::Instant;

use palisade::{Layout, Network};

use super::super::amount::Amount;
use super::super::record::{Recording, plan};
use super::{Contestant, Label, What};

/// The plan for new networks, with its batch and what will be recorded, while the kernel's answers
/// come from memory.
#[derive(Debug)]
pub(in super::super) struct InMemory<'a> {
    pub(in super::super) networks: &'a [Network],
    pub(in super::super) recording: &'a Recording,
    pub(in super::super) layout: Layout,
}

impl Contestant for InMemory<'_> {
    fn label(&self) -> Label {
        Label::of(self.layout, What::InMemory, self.networks.len())
    }

    fn run(&mut self) -> Result<Amount, String> {
        let answers = Box::new(self.recording.answers());
        let start = Instant::now();
        let batch = plan(self.networks, self.layout, answers);
        let took = start.elapsed();
        if batch? == self.recording.batch {
            Ok(took.into())
        } else {
            Err("made other bytes than before".to_owned())
        }
    }
}
