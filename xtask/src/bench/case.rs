//! So many networks, in every form in which contestants want them.

use std::path::PathBuf;
use std::process::Command;

use palisade::{Layout, Network};

use super::ground::Ground;
use super::networks::{definition, network, networks};
use super::record::Recording;
use super::scratch::Scratch;
use super::text;

pub(super) struct Case<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) networks: Vec<Network>,
    /// A folder with a definition of each network.
    pub(super) definitions: PathBuf,
    /// One more network, which is none of them.
    pub(super) one: Network,
    /// Its definition.
    pub(super) one_file: PathBuf,
    recordings: Vec<(Layout, Recording)>,
}

impl<'a> Case<'a> {
    /// In a folder of its own.
    pub(super) fn new(
        scratch: &'a Scratch,
        command: &'a std::path::Path,
        count: u16,
    ) -> Result<Self, String> {
        let networks = networks(count)?;
        let folder = scratch.path().join("definitions");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for (number, network) in (0..=u16::MAX).zip(&networks) {
            let name = format!("definitions/{}.xml", network.name());
            scratch.write(&name, &definition(number))?;
        }
        let recording = |layout| Ok((layout, Recording::new(&networks, layout)?));
        // Of no network there is nothing to record.
        let layouts = Layout::ALL.into_iter().filter(|_| count > 0);
        let recordings: Result<_, String> = layouts.map(recording).collect();
        Ok(Self {
            ground: Ground::new(scratch, command)?,
            definitions: folder,
            one: network(u16::MAX)?,
            one_file: scratch.write("one.xml", &definition(u16::MAX))?,
            recordings: recordings?,
            networks,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.networks.len()
    }

    /// What is said while these networks start in each layout.
    pub(super) fn recordings(&self) -> impl Iterator<Item = (Layout, &Recording)> {
        self.recordings
            .iter()
            .map(|(layout, recording)| (*layout, recording))
    }

    pub(super) fn recording(&self, layout: Layout) -> Result<&Recording, String> {
        let mut recordings = self.recordings();
        let found = recordings.find(|(of, _)| *of == layout);
        found.map_or_else(
            || Err("nothing is recorded of no network".to_owned()),
            |(_, recording)| Ok(recording),
        )
    }

    /// Our command with these words and a choice of layout.
    pub(super) fn palisade(&self, words: &[&str], layout: Layout) -> Command {
        let mut command = self.ground.palisade();
        command.args(words);
        command.args(["--backend", "nftables", "--layout", layout.name()]);
        command
    }

    /// `nft -f` of these networks in a layout; libvirt's is the flat one.
    pub(super) fn nft(&self, layout: Layout) -> Result<Command, String> {
        let name = format!("{layout}.nft");
        let text = text::nft(&self.networks, layout)?;
        Ok(self.ground.nft(&self.ground.scratch.write(&name, &text)?))
    }

    /// `iptables-restore` of both families.
    pub(super) fn restore(&self, variant: &str) -> Result<Vec<Command>, String> {
        let texts = text::iptables(&self.networks)?;
        self.ground.restore(variant, "all", &texts)
    }
}
