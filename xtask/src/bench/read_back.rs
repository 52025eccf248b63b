//! `read-back`: what stands, read for `verify`.

use std::hint::black_box;
use std::process::Command;
use std::rc::Rc;
use std::time::Instant;

use palisade::{Layout, TableName};
use palisade_netlink::Transport;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::object::Family;
use palisade_nft::parts::{Lifted, lift_standing};
use palisade_nft::program::Program;

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
            let mut all = Vec::new();
            for layout in [Layout::Mapped, Layout::Flat] {
                all.extend(contestants(case, layout)?);
            }
            session.cell((Bench::ReadBack, ""), SIZES.len(), &mut all)
        })?;
    }
    Ok(())
}

fn contestants<'a>(
    case: &Case<'_>,
    layout: Layout,
) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
    let site = Rc::new(Site::new(case, layout)?);
    let size = case.size();
    let label = |what| Label::of(layout, what, size);
    let mut firewall = site.firewall()?;
    // A closure takes along no more of the site than it names, and the state must stay.
    let held = Rc::clone(&site);
    let verify = move || {
        let start = Instant::now();
        let found = firewall.verify(&[]);
        let took = start.elapsed();
        let found = found.map_err(|error| error.to_string())?;
        if let Some(found) = found.first() {
            return Err(format!("{}: {}", found.object, found.detail));
        }
        match firewall.running().map(|running| running.len()) {
            Ok(running) if running == size => Ok(took.into()),
            _ => Err(format!("no state in {}", held.state.path().display())),
        }
    };
    let mut questions = Questions::of(&site.namespace, |transport| {
        programs(transport, &mut Vec::new()).map(drop)
    })?;
    let dump = move || {
        let start = Instant::now();
        questions.ask()?;
        Ok(start.elapsed().into())
    };
    // In `flat`, networks of IPv4 have no table in IPv6.
    let expected = match layout {
        Layout::Mapped => 2,
        Layout::Flat => 1,
    };
    let (mut socket, mut replies) = (site.namespace.socket()?, Vec::new());
    let meaning = move || {
        let start = Instant::now();
        let lifted = lifted(&mut socket, &mut replies)?;
        let took = start.elapsed();
        let tables = black_box(lifted).iter().flatten().count();
        if tables != expected {
            return Err(format!(
                "{tables} tables that can be lifted, not {expected}"
            ));
        }
        Ok(took.into())
    };
    let mut list = Command::new(&case.ground.nft);
    list.args(["list", "ruleset"]);
    let list = move || site.namespace.time(&mut list).map(Amount::from);
    Ok(vec![
        doing(label(What::Library), verify),
        doing(label(What::Lift), meaning),
        doing(label(What::Dump), dump),
        doing(label(What::NftList), list),
    ])
}

/// What our tables mean, as they stand in one generation.
fn lifted(
    transport: &mut dyn Transport,
    replies: &mut Vec<u8>,
) -> Result<Vec<Option<Lifted>>, String> {
    let table = TableName::default();
    let read = Reader::new(transport, replies).at_one_moment(|reader| {
        let lift = |family| lift_standing(reader, family, table.as_str());
        [Family::Ip, Family::Ip6].into_iter().map(lift).collect()
    });
    read.map(|(lifted, _)| lifted)
        .map_err(|error| error.to_string())
}

/// Our tables, as they stand in one generation.
fn programs(transport: &mut dyn Transport, replies: &mut Vec<u8>) -> Result<Vec<Program>, String> {
    let table = TableName::default();
    let read = Reader::new(transport, replies).at_one_moment(|reader| {
        let mut programs = Vec::new();
        for family in [Family::Ip, Family::Ip6] {
            programs.extend(reader.program(family, table.as_str(), Depth::Elements)?);
        }
        Ok(programs)
    });
    read.map(|(programs, _)| programs)
        .map_err(|error| error.to_string())
}
