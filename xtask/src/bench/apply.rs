//! `apply`: new networks in a namespace that has none.

use super::case::Case;
use super::contestant::{Command, Contestant, Kernel, Library, Resent};

pub(super) fn contestants<'a>(case: &'a Case<'a>) -> Vec<Box<dyn Contestant + 'a>> {
    let mut all: Vec<Box<dyn Contestant>> = Vec::new();
    for (layout, recording) in case.recordings() {
        all.push(Box::new(Library { case, layout }));
        all.push(Box::new(Kernel { case, layout }));
        all.push(Box::new(Resent {
            batch: &recording.batch,
            layout,
        }));
        all.push(Box::new(Command { case, layout }));
    }
    all.push(Box::new(case.nft()));
    all
}
