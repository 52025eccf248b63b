//! `start`: what a process costs before it does anything.

use std::process::Command;

use palisade::Layout;

use super::amount::Amount;
use super::arguments::Bench;
use super::case::Case;
use super::contestant::{CommandPair, Contestant, Fresh, Half, Label, Timed, Toggle, What, doing};
use super::namespace::Namespace;
use super::session::Session;
use super::site::Site;

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    session.with_case(1, |session, case| {
        let empty = Namespace::new()?;
        let site = Site::new(case, Layout::Mapped)?;
        let mut idle = Command::new("/bin/true");
        idle.env_clear();
        let mut version = case.ground.palisade();
        version.arg("--version");
        let mut list = case.ground.palisade();
        list.arg("list").arg("--state-dir").arg(site.state.path());
        let run = |mut program: Command, namespace| {
            let namespace: &Namespace = namespace;
            move || namespace.time(&mut program).map(Amount::from)
        };
        let mut all: Vec<Box<dyn Contestant>> = vec![
            doing(Label::other(What::True, 1), run(idle, &empty)),
            doing(Label::other(What::Version, 1), run(version, &empty)),
            doing(Label::other(What::List, 1), run(list, &site.namespace)),
        ];
        let folder = case.ground.scratch.folder()?;
        let none = Case::new(&folder, session.command, 0)?;
        for layout in [Layout::Mapped, Layout::Flat] {
            all.push(Box::new(Toggle {
                label: Label::of(layout, What::Command, 1),
                half: Half::Add,
                pair: CommandPair::new(&none, layout)?,
            }));
            all.push(Box::new(Fresh {
                label: Label::of(layout, What::NftSame, 1),
                timed: Timed::Programs(vec![case.nft(layout)?]),
            }));
        }
        session.cell((Bench::Start, ""), 1, &mut all)
    })
}
