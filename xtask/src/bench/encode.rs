//! `encode`: from networks to bytes, nothing sent.

use super::case::Case;
use super::contestant::{Contestant, InMemory, Resent};

pub(super) fn contestants<'a>(case: &'a Case<'a>) -> Vec<Box<dyn Contestant + 'a>> {
    let mut all: Vec<Box<dyn Contestant>> = Vec::new();
    for (layout, recording) in case.recordings() {
        all.push(Box::new(InMemory {
            networks: &case.networks,
            recording,
            layout,
        }));
        all.push(Box::new(Resent {
            batch: &recording.batch,
            layout,
        }));
    }
    all.push(Box::new(case.nft()));
    all
}
