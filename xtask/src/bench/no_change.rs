//! `no-change`: `sync` of networks that run, all of them unchanged.

use std::time::Instant;

use palisade::Layout;
use palisade_nft::dump::Reader;

use super::amount::Amount;
use super::arguments::Bench;
use super::case::Case;
use super::contestant::{Contestant, Label, What, doing};
use super::record::Questions;
use super::session::Session;
use super::site::Site;

const SIZES: [u16; 3] = [1, 100, 1_000];

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    for size in SIZES {
        session.with_case(size, |session, case| {
            let site = Site::new(case, Layout::Mapped)?;
            let mut all = contestants(case, &site)?;
            session.cell((Bench::NoChange, ""), SIZES.len(), &mut all)
        })?;
    }
    Ok(())
}

fn contestants<'a>(
    case: &'a Case<'a>,
    site: &'a Site,
) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let size = case.size();
    let mut firewall = site.firewall()?;
    let library = move || {
        let start = Instant::now();
        let report = firewall.sync(&case.networks);
        let took = start.elapsed();
        let report = report.map_err(|error| error.to_string())?;
        if report.changes.is_empty() {
            Ok(took.into())
        } else {
            Err("what was to be no change changed something".to_owned())
        }
    };
    let definitions = case.definitions.display().to_string();
    let mut sync = case.palisade(&["sync", &definitions], Layout::Mapped);
    sync.arg("--state-dir").arg(site.state.path());
    let command = move || site.namespace.time(&mut sync).map(Amount::from);
    let mut question = Questions::of(&site.namespace, |transport| {
        let generation = Reader::new(transport, &mut Vec::new()).generation();
        generation.map(drop).map_err(|error| error.to_string())
    })?;
    let question = move || {
        let start = Instant::now();
        question.ask()?;
        Ok(start.elapsed().into())
    };
    // Others without a memory delete the table and make it anew.
    let anew = Site::new(case, Layout::Flat)?;
    let text = super::text::nft(&case.networks, Layout::Flat)?;
    let anew_first = "table ip palisade {}\ndelete table ip palisade\n";
    let file = case
        .ground
        .scratch
        .write("anew.nft", &format!("{anew_first}{text}"))?;
    let mut nft = case.ground.nft(&file);
    let nft = move || anew.namespace.time(&mut nft).map(Amount::from);
    Ok(vec![
        doing(Label::of(Layout::Mapped, What::Library, size), library),
        doing(Label::of(Layout::Mapped, What::Sync, size), command),
        doing(Label::other(What::Question, size), question),
        doing(Label::other(What::Nft, size), nft),
    ])
}
