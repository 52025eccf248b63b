//! The floor: bytes that were made before.

use std::time::{Duration, Instant};

use palisade::Layout;
use palisade_nft::batch::commit;

use super::super::namespace::Namespace;
use super::{Contestant, Label, What};

/// A finished batch, sent again into a fresh namespace.
#[derive(Debug)]
pub(in super::super) struct Resent<'a> {
    pub(in super::super) batch: &'a [u8],
    pub(in super::super) layout: Layout,
}

impl Contestant for Resent<'_> {
    fn label(&self) -> Label {
        Label {
            layout: Some(self.layout),
            what: What::Resent,
        }
    }

    fn run(&mut self) -> Result<Duration, String> {
        let namespace = Namespace::new()?;
        let mut socket = namespace.socket()?;
        let mut replies = Vec::new();
        let start = Instant::now();
        let committed = commit(&mut socket, self.batch, &mut replies);
        let took = start.elapsed();
        committed.map_err(|error| error.to_string())?;
        namespace.close()?;
        Ok(took)
    }
}
