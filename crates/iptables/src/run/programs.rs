//! Which programs of iptables there are, and what they are called.
//!
//! There are two families of them with rules of their own each: `legacy` speaks to ip_tables,
//! `nft` to nf_tables. A system calls its usual ones `iptables-restore`; which these are, only
//! their version says.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::str::FromStr;

use palisade_core::network::Family;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Command, CommandRunner};

/// Which family of programs shall be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Programs {
    /// The one that holds rules already, else the system's usual one.
    #[default]
    Auto,
    /// This one.
    Of(Variant),
}

/// A family of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// `iptables-legacy-restore`.
    Legacy,
    /// `iptables-nft-restore`.
    Nft,
}

impl Variant {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Nft, Self::Legacy];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Nft => "nft",
        }
    }

    /// The one that a version such as `iptables-save v1.8.9 (nf_tables)` names. Versions before
    /// there were two name none.
    fn of_version(text: &str) -> Self {
        if text.contains("(nf_tables)") {
            Self::Nft
        } else {
            Self::Legacy
        }
    }
}

/// Not the name of a family of programs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no family of iptables programs: there are `auto`, `legacy` and `nft`")]
pub struct UnknownPrograms(pub String);

impl FromStr for Programs {
    type Err = UnknownPrograms;

    fn from_str(text: &str) -> Result<Self, UnknownPrograms> {
        match text {
            "auto" => Ok(Self::Auto),
            "legacy" => Ok(Self::Of(Variant::Legacy)),
            "nft" => Ok(Self::Of(Variant::Nft)),
            _ => Err(UnknownPrograms(text.to_owned())),
        }
    }
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Of(variant) => variant.fmt(f),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word with which a family's programs begin.
pub(crate) fn word(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}

/// What the names of a variant's programs for a family begin with: `iptables-legacy`, or
/// `iptables` where the system's usual ones are of that variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stem(String);

impl Stem {
    /// The program that prints what stands.
    pub(crate) fn save(&self) -> String {
        format!("{}-save", self.0)
    }

    /// The program that changes it.
    pub(crate) fn restore(&self) -> String {
        format!("{}-restore", self.0)
    }

    /// That of the program that prints what stands.
    pub(crate) fn that_prints_by(save: &str) -> Self {
        Self(save.trim_end_matches("-save").to_owned())
    }

    pub(crate) fn explicit(variant: Variant, family: Family) -> Self {
        Self(format!("{}-{variant}", word(family)))
    }

    pub(crate) fn usual(family: Family) -> Self {
        Self(word(family).to_owned())
    }
}

/// The program that changes and lists single rules.
impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The programs that were found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stems(BTreeMap<(Variant, Family), Stem>);

impl Stems {
    /// The programs of a variant for a family; none if they are missing.
    pub(crate) fn find(
        &mut self,
        runner: &mut dyn CommandRunner,
        variant: Variant,
        family: Family,
    ) -> io::Result<Option<Stem>> {
        if let Some(stem) = self.0.get(&(variant, family)) {
            return Ok(Some(stem.clone()));
        }
        let explicit = Stem::explicit(variant, family);
        let found = if version(runner, &explicit)?.is_some() {
            Some(explicit)
        } else {
            let usual = self.usual(runner, family)?;
            usual
                .filter(|&usual| usual == variant)
                .map(|_| Stem::usual(family))
        };
        if let Some(stem) = &found {
            self.0.insert((variant, family), stem.clone());
        }
        Ok(found)
    }

    /// The variant of the system's usual programs for a family; none if there are none.
    pub(crate) fn usual(
        &self,
        runner: &mut dyn CommandRunner,
        family: Family,
    ) -> io::Result<Option<Variant>> {
        let version = version(runner, &Stem::usual(family))?;
        Ok(version.map(|text| Variant::of_version(&text)))
    }
}

/// What the restoring program says of its version; none if there is no such program.
fn version(runner: &mut dyn CommandRunner, stem: &Stem) -> io::Result<Option<String>> {
    let command = Command {
        program: stem.restore(),
        arguments: vec!["--version".to_owned()],
        input: String::new(),
    };
    match runner.run(&command) {
        Ok(answer) => Ok(Some(String::from_utf8_lossy(&answer.stdout).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Answer;

    /// Programs that only tell their version.
    struct System(&'static [(&'static str, &'static str)]);

    impl CommandRunner for System {
        fn hold(&mut self, _: Option<std::os::fd::OwnedFd>) {}

        fn run(&mut self, command: &Command) -> io::Result<Answer> {
            let found = self.0.iter().find(|(name, _)| *name == command.program);
            let (_, version) = found.ok_or(io::ErrorKind::NotFound)?;
            Ok(Answer {
                code: Some(0),
                stdout: version.as_bytes().to_vec(),
                ..Answer::default()
            })
        }
    }

    fn found(system: &mut System, variant: Variant) -> Option<String> {
        let found = Stems::default().find(system, variant, Family::Ipv4);
        found.unwrap().map(|stem| stem.save())
    }

    #[test]
    fn explicit_names_first_then_the_usual_ones_of_that_variant() {
        let mut debian = System(&[
            (
                "iptables-legacy-restore",
                "iptables-restore v1.8.9 (legacy)",
            ),
            ("iptables-restore", "iptables-restore v1.8.9 (nf_tables)"),
        ]);
        assert_eq!(
            found(&mut debian, Variant::Legacy).as_deref(),
            Some("iptables-legacy-save")
        );
        assert_eq!(
            found(&mut debian, Variant::Nft).as_deref(),
            Some("iptables-save")
        );
        let mut old = System(&[("iptables-restore", "iptables-restore v1.6.2\n")]);
        assert_eq!(
            found(&mut old, Variant::Legacy).as_deref(),
            Some("iptables-save")
        );
        assert_eq!(found(&mut old, Variant::Nft), None);
        assert_eq!(found(&mut System(&[]), Variant::Legacy), None);
    }

    #[test]
    fn names_read_as_they_are_written() {
        for name in ["auto", "legacy", "nft"] {
            assert_eq!(name.parse::<Programs>().unwrap().to_string(), name);
        }
        assert!("nftables".parse::<Programs>().is_err());
    }
}
