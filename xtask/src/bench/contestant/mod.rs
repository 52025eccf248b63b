//! Who runs: we in several ways, and the others.

mod command;
mod kernel;
mod library;
mod nft;
mod plan;
mod resent;

use std::fmt;
use std::time::Duration;

use palisade::Layout;

pub(super) use command::Command;
pub(super) use kernel::Kernel;
pub(super) use library::Library;
pub(super) use nft::Nft;
pub(super) use plan::InMemory;
pub(super) use resent::Resent;

/// Something that is timed.
pub(super) trait Contestant {
    fn label(&self) -> Label;

    /// One run: makes ready, times, cleans up. Only the middle counts.
    fn run(&mut self) -> Result<Duration, String>;
}

/// What a contestant does, and in which layout; none for others' programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) layout: Option<Layout>,
    pub(super) what: What,
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The plan with its bytes, from answers of the kernel that are in memory.
    InMemory,
    /// `Firewall::apply`.
    Library,
    /// What of that is spent in exchanges with the kernel.
    Kernel,
    /// The process `palisade apply`.
    Command,
    /// The same bytes, made before, in one exchange: nobody can be faster who sends them.
    Resent,
    /// The process `nft -f`, with libvirt's rules for the same networks.
    Nft,
}

impl What {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::InMemory => "plan in memory",
            Self::Library => "Firewall::apply",
            Self::Kernel => "its exchanges",
            Self::Command => "palisade apply",
            Self::Resent => "bytes re-sent",
            Self::Nft => "nft -f",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layout {
            Some(layout) => write!(f, "{layout}: {}", self.what.words()),
            None => f.write_str(self.what.words()),
        }
    }
}
