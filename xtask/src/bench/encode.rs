//! `encode`: from networks to bytes, nothing sent.

use super::arguments::Bench;
use super::contestant::{Contestant, Fresh, InMemory, Label, Timed, What};
use super::rustables::Rustables;
use super::session::Session;

const SIZES: [u16; 4] = [1, 10, 100, 1_000];

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    for size in SIZES {
        session.with_case(size, |session, case| {
            let mut all: Vec<Box<dyn Contestant>> = Vec::new();
            for (layout, recording) in case.recordings() {
                all.push(Box::new(InMemory {
                    networks: &case.networks,
                    recording,
                    layout,
                }));
                all.push(Box::new(Fresh {
                    label: Label::of(layout, What::Resent, case.size()),
                    timed: Timed::Batch(&recording.batch),
                }));
            }
            all.extend(Rustables::pair(case.size())?);
            session.cell((Bench::Encode, ""), SIZES.len(), &mut all)
        })?;
    }
    Ok(())
}
