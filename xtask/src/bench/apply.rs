//! `apply`: new networks in a namespace that has none.

use palisade::Layout;

use super::arguments::Bench;
use super::case::Case;
use super::contestant::{
    Contestant, EachRule, Fresh, Iptables, Kernel, Label, Library, Timed, What,
};
use super::session::Session;

const SIZES: [u16; 4] = [1, 10, 100, 1_000];
/// More processes than these nobody waits for.
const EACH_RULE: usize = 10;

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    for size in SIZES {
        session.with_case(size, |session, case| {
            let mut all = contestants(case)?;
            session.cell((Bench::Apply, ""), SIZES.len(), &mut all)
        })?;
    }
    Ok(())
}

fn contestants<'a>(case: &'a Case<'a>) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let size = case.size();
    let mut all: Vec<Box<dyn Contestant>> = Vec::new();
    for (layout, recording) in case.recordings() {
        all.push(Box::new(Library { case, layout }));
        all.push(Box::new(Kernel { case, layout }));
        all.push(Box::new(Fresh {
            label: Label::of(layout, What::Resent, size),
            timed: Timed::Batch(&recording.batch),
        }));
        let definitions = case.definitions.display().to_string();
        let sync = move || case.palisade(&["sync", &definitions], layout);
        all.push(Box::new(Fresh {
            label: Label::of(layout, What::Sync, size),
            timed: Timed::WithState(Box::new(sync), case.ground.scratch),
        }));
    }
    all.push(programs(What::Nft, vec![case.nft(Layout::Flat)?], size));
    all.push(Box::new(Iptables { case }));
    all.push(programs(What::Legacy, case.restore("legacy")?, size));
    all.push(programs(What::IptablesNft, case.restore("nft")?, size));
    if size <= EACH_RULE {
        all.push(Box::new(EachRule::of_all(case)?));
    }
    Ok(all)
}

/// Others' programs, in a fresh namespace.
fn programs<'a>(
    what: What,
    programs: Vec<std::process::Command>,
    size: usize,
) -> Box<dyn Contestant + 'a> {
    Box::new(Fresh {
        label: Label::other(what, size),
        timed: Timed::Programs(programs),
    })
}
