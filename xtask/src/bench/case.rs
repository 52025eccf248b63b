//! So many networks, in every form in which contestants want them.

use std::path::{Path, PathBuf};

use palisade::{BackendChoice, Choice, Layout, Network, Options, render};

use super::contestant::Nft;
use super::namespace::Namespace;
use super::networks::{definition, networks};
use super::record::Recording;
use super::scratch::Scratch;
use crate::program::find;

pub(super) struct Case<'a> {
    pub(super) scratch: &'a Scratch,
    /// Our command.
    pub(super) command: &'a Path,
    pub(super) networks: Vec<Network>,
    /// A folder with a definition of each network.
    pub(super) definitions: PathBuf,
    /// A configuration file that says nothing.
    pub(super) configuration: PathBuf,
    /// Libvirt's rules for them, as `nft -f` reads them.
    flat_text: PathBuf,
    nft: PathBuf,
    recordings: Vec<(Layout, Recording)>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        scratch: &'a Scratch,
        command: &'a Path,
        count: usize,
    ) -> Result<Self, String> {
        let networks = networks(count)?;
        for (number, network) in (0..=u16::MAX).zip(&networks) {
            let name = format!("definitions/{}.xml", network.name());
            scratch.write(&name, &definition(number))?;
        }
        let recording = |layout| Ok((layout, Recording::new(&networks, layout)?));
        let recordings: Result<_, String> = Layout::ALL.into_iter().map(recording).collect();
        let text =
            render(&networks, &choice(Layout::Flat), None).map_err(|error| error.to_string())?;
        Ok(Self {
            scratch,
            command,
            definitions: scratch.path().join("definitions"),
            configuration: scratch.write("palisade.toml", "")?,
            flat_text: scratch.write("flat.nft", &without_comments(&text))?,
            nft: find("nft").ok_or("nft is not installed: cargo xtask setup")?,
            recordings: recordings?,
            networks,
        })
    }

    /// What is said while these networks start in each layout.
    pub(super) fn recordings(&self) -> impl Iterator<Item = (Layout, &Recording)> {
        self.recordings
            .iter()
            .map(|(layout, recording)| (*layout, recording))
    }

    pub(super) fn nft(&self) -> Nft<'_> {
        Nft {
            program: &self.nft,
            file: &self.flat_text,
        }
    }
}

/// How a firewall is opened for one run.
pub(super) fn options(layout: Layout, namespace: &Namespace, state: &Scratch) -> Options {
    Options {
        state_directory: Some(state.path().to_owned()),
        namespace: Some(namespace.path()),
        choice: choice(layout),
        ..Options::default()
    }
}

fn choice(layout: Layout) -> Choice {
    Choice {
        backend: Some(BackendChoice::Nftables),
        layout: Some(layout),
        table: None,
        ..Choice::default()
    }
}

/// Libvirt's rules have no comments, and `nft` shall not be measured with ours.
fn without_comments(text: &str) -> String {
    let mut without = String::with_capacity(text.len());
    for line in text.lines() {
        let rule = match line.split_once("comment \"") {
            Some((rule, _)) => rule.trim_end(),
            None => line,
        };
        without.push_str(rule);
        without.push('\n');
    }
    without
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nft_reads_rules_without_comments() {
        let text = "table ip palisade {\n\tcomment \"made by palisade\"\n\tchain guest_input {\n\
                    \t\toifname \"virbr0\" counter reject comment \"default: refuse in\"\n\t}\n}\n";
        let expected = "table ip palisade {\n\n\tchain guest_input {\n\
                        \t\toifname \"virbr0\" counter reject\n\t}\n}\n";
        assert_eq!(without_comments(text), expected);
    }

    #[test]
    fn no_rule_is_lost_with_its_comment() {
        let text = render(&networks(3).unwrap(), &choice(Layout::Flat), None).unwrap();
        let without = without_comments(&text);
        assert!(!without.contains("comment"));
        for word in ["masquerade", "reject", "accept", "return", "jump"] {
            assert_eq!(
                without.matches(word).count(),
                text.lines().filter(|line| line.contains(word)).count(),
                "{word}"
            );
        }
    }
}
