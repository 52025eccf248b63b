//! Processes and batches that find a namespace without anything.

use std::process::Command;
use std::time::{Duration, Instant};

use palisade_nft::parts::commit;

use super::super::amount::Amount;
use super::super::namespace::Namespace;
use super::super::scratch::Scratch;
use super::{Contestant, Label};

/// What is done in a fresh namespace.
pub(in super::super) enum Timed<'a> {
    /// Programs, one after the other; all must end well.
    Programs(Vec<Command>),
    /// Our command, with a state directory of its own behind this option.
    WithState(Box<dyn Fn() -> Command + 'a>, &'a Scratch),
    /// A finished batch, in one exchange.
    Batch(&'a [u8]),
}

/// A fresh namespace for each run, that ends with it.
pub(in super::super) struct Fresh<'a> {
    pub(in super::super) label: Label,
    pub(in super::super) timed: Timed<'a>,
}

impl Contestant for Fresh<'_> {
    fn label(&self) -> Label {
        self.label
    }

    fn run(&mut self) -> Result<Amount, String> {
        let namespace = Namespace::new()?;
        let took = match &mut self.timed {
            Timed::Programs(programs) => {
                let mut took = Duration::ZERO;
                for program in programs {
                    took += namespace.time(program)?;
                }
                took
            }
            Timed::WithState(command, scratch) => {
                let state = scratch.folder()?;
                namespace.time(command().arg("--state-dir").arg(state.path()))?
            }
            Timed::Batch(batch) => {
                let mut socket = namespace.socket()?;
                let mut replies = Vec::new();
                let start = Instant::now();
                let committed = commit(&mut socket, batch, &mut replies);
                let took = start.elapsed();
                committed.map_err(|error| error.to_string())?;
                took
            }
        };
        namespace.close()?;
        Ok(took.into())
    }
}
