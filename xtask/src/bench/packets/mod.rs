//! `packets`: what a forwarded packet costs, with real traffic from a guest through a router to the
//! world, each a namespace.
//!
//! All routers stand side by side, and the same traffic goes through them in turn: one network and
//! many of ours (the guest is on the last of them) with known flows accepted in turn and first,
//! libvirt's flat rules, iptables, and a single masquerade rule for all. One thread on one processor
//! sends and receives, so that forwarding happens where its time is seen.

mod lab;
mod rules;
mod traffic;

use std::cell::RefCell;
use std::rc::Rc;

use palisade::Layout;
use palisade::network::Family;

use super::arguments::Bench;
use super::contestant::{Contestant, Label, What, doing};
use super::ground::Ground;
use super::scratch::Scratch;
use super::session::Session;
use lab::Lab;
use rules::Rules;
use traffic::Traffic;

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ground = Ground::new(&scratch, session.command)?;
    let ours = |layout, size: u16| (Label::of(layout, What::Packets, size.into()), size);
    let first = |layout, size: u16| (Label::of(layout, What::KnownFirst, size.into()), size);
    let mut routers = vec![
        (Label::other(What::Masquerade, 1), 1),
        ours(Layout::Mapped, 1),
        ours(Layout::Mapped, 100),
        ours(Layout::Mapped, 1_000),
        ours(Layout::Mapped, 10_000),
        first(Layout::Mapped, 1),
        first(Layout::Mapped, 1_000),
        ours(Layout::Flat, 1),
        ours(Layout::Flat, 100),
        ours(Layout::Flat, 1_000),
    ];
    for size in [1_u16, 100, 1_000] {
        routers.push((Label::other(What::Legacy, size.into()), size));
    }
    let mut labs = Vec::new();
    for (label, size) in routers {
        let rules = Rules { label, size };
        let lab = Lab::new(&ground, &rules).map_err(|reason| format!("{label}: {reason}"))?;
        labs.push((label, Rc::new(RefCell::new(lab))));
    }
    let cells = Traffic::ALL.len() * Family::BOTH.len();
    for family in Family::BOTH {
        for traffic in Traffic::ALL {
            let contestant = |(label, lab): &(Label, Rc<RefCell<Lab>>)| {
                let lab = Rc::clone(lab);
                let run = move || lab.borrow_mut().send(traffic, family);
                doing(*label, run)
            };
            let mut all: Vec<Box<dyn Contestant>> = labs.iter().map(contestant).collect();
            let part = format!("{}, {family}", traffic.words());
            session.cell((Bench::Packets, &part), cells, &mut all)?;
        }
    }
    Ok(())
}
