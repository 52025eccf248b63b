//! `add-one`, `remove-one`: one network beside others that stay.

use palisade::Layout;

use super::arguments::Bench;
use super::case::Case;
use super::contestant::{
    CommandPair, Contestant, EachRule, ExchangePair, Half, Label, LibraryPair, NftPair, Pair,
    ResentPair, RestorePair, Toggle, What,
};
use super::scratch::Scratch;
use super::session::Session;

/// How many are there already.
const BESIDE: [u16; 4] = [0, 1, 1_000, 10_000];
/// How many stay when one of them is removed: one of two, of 1,000, of 5,000.
const STAYING: [u16; 3] = [1, 999, 4_999];
/// The cells in which only we are.
const DAEMON: &str = "in a daemon";
const COMMAND: &str = "as a command";
/// More rules than those of so many networks take others' programs seconds for each run.
const SLOW: usize = 1_000;

pub(super) fn measure_add(session: &mut Session<'_>) -> Result<(), String> {
    measure(session, (Bench::AddOne, Half::Add), &BESIDE)
}

pub(super) fn measure_remove(session: &mut Session<'_>) -> Result<(), String> {
    measure(session, (Bench::RemoveOne, Half::Remove), &STAYING)
}

/// The library at all sizes in turn, since that is what is compared, with nothing between: as in a
/// daemon that does little else. Then the command likewise. Then, size by size, both beside the
/// others, where each finds the caches as the one before left them.
fn measure(
    session: &mut Session<'_>,
    (bench, half): (Bench, Half),
    sizes: &[u16],
) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let folders: Vec<Scratch> = sizes
        .iter()
        .map(|_| scratch.folder())
        .collect::<Result<_, _>>()?;
    let mut cases = Vec::new();
    for (&size, folder) in sizes.iter().zip(&folders) {
        cases.push(Case::new(folder, session.command, size)?);
    }
    let cells = sizes.len() + 2;
    let layout = Layout::Mapped;
    for (part, contestants) in [(DAEMON, in_process as Ours<'_>), (COMMAND, as_command)] {
        let mut all: Vec<Box<dyn Contestant>> = Vec::new();
        for case in &cases {
            all.extend(contestants(case, half, layout)?);
        }
        session.cell((bench, part), cells, &mut all)?;
    }
    for case in cases.iter().filter(|case| case.size() > 0) {
        let mut all = rivals(case, half)?;
        let part = format!("beside {}", super::contestant::networks(case.size()));
        session.cell((bench, &part), cells, &mut all)?;
    }
    Ok(())
}

/// Contestants of ours.
type Ours<'a> = fn(&Case<'_>, Half, Layout) -> Result<Vec<Box<dyn Contestant + 'a>>, String>;

fn in_process<'a>(
    case: &Case<'_>,
    half: Half,
    layout: Layout,
) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let label = |what| Label::of(layout, what, case.size());
    let floor = match layout {
        Layout::Mapped => toggle(label(What::Resent), half, ResentPair::new(case, layout)?),
        // Its rules go by their handles, which are new each time: no bytes can be sent twice.
        Layout::Flat => toggle(label(What::Kernel), half, ExchangePair::new(case, layout)?),
    };
    let library = LibraryPair::new(case, layout)?;
    Ok(vec![toggle(label(What::Library), half, library), floor])
}

fn as_command<'a>(
    case: &Case<'_>,
    half: Half,
    layout: Layout,
) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let label = Label::of(layout, What::Command, case.size());
    let command = CommandPair::new(case, layout)?;
    Ok(vec![toggle(label, half, command)])
}

fn rivals<'a>(case: &Case<'_>, half: Half) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let size = case.size();
    let other = |what| Label::other(what, size);
    let mut all = in_process(case, half, Layout::Mapped)?;
    all.extend(as_command(case, half, Layout::Mapped)?);
    if size <= SLOW {
        all.extend(in_process(case, half, Layout::Flat)?);
        all.extend(as_command(case, half, Layout::Flat)?);
    }
    all.push(toggle(other(What::Nft), half, NftPair::new(case)?));
    let legacy = RestorePair::new(case, "legacy")?;
    all.push(toggle(other(What::Legacy), half, legacy));
    if size <= SLOW {
        let nft = RestorePair::new(case, "nft")?;
        all.push(toggle(other(What::IptablesNft), half, nft));
        if half == Half::Add {
            all.push(Box::new(EachRule::of_one(case)?));
        }
    }
    Ok(all)
}

fn toggle<'a>(label: Label, half: Half, pair: impl Pair + 'a) -> Box<dyn Contestant + 'a> {
    Box::new(Toggle { label, half, pair })
}
