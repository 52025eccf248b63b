//! What contestants are called.

use std::fmt;

use palisade::Layout;

/// What a contestant does, with how many networks, and in which layout; none for others' programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Label {
    pub(in super::super) layout: Option<Layout>,
    pub(in super::super) what: What,
    pub(in super::super) size: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum What {
    /// The plan with its bytes, from answers of the kernel that are in memory.
    InMemory,
    /// The one call of our library.
    Library,
    /// What of that is spent in exchanges with the kernel.
    Kernel,
    /// The library's call, with `iptables-restore` behind it.
    LibraryIptables,
    /// The process `palisade`.
    Command,
    /// The process `palisade sync`.
    Sync,
    /// The same bytes, made before, in one exchange: nobody can be faster who sends them.
    Resent,
    /// One question for the ruleset's generation.
    Question,
    /// Questions that were asked before, asked again, the answers not read.
    Dump,
    /// The answers read into meanings.
    Lift,
    /// The process `nft -f`, with libvirt's rules for the same networks.
    Nft,
    /// The process `nft -f`, with the rules that our layout has.
    NftSame,
    /// The process `nft list ruleset`.
    NftList,
    /// A process `nft` for each rule, as libvirt does it.
    NftEach,
    /// The processes `iptables-legacy-restore` and `ip6tables-legacy-restore`.
    Legacy,
    /// The processes `iptables-nft-restore` and `ip6tables-nft-restore`.
    IptablesNft,
    /// Our encoder on the objects that rustables can express.
    OurEncoder,
    /// rustables' encoder, on its objects that are ready.
    Rustables,
    /// Packets through a router.
    Packets,
    /// The same, with those of known flows accepted first.
    KnownFirst,
    /// Packets through a router with a single masquerade rule for all.
    Masquerade,
    /// The process `true`.
    True,
    /// `palisade --version`.
    Version,
    /// `palisade list`.
    List,
    /// The memory that the kernel takes.
    Memory,
    /// The memory that the kernel takes, but for counters, which are of each processor.
    MemoryWithoutCounters,
    /// The memory of a process that has the state open.
    Process,
}

impl What {
    pub(in super::super) fn words(self) -> &'static str {
        match self {
            Self::InMemory => "plan in memory",
            Self::Library => "library",
            Self::Kernel => "its exchanges",
            Self::LibraryIptables => "library, iptables",
            Self::Command => "command",
            Self::Sync => "palisade sync",
            Self::Resent => "bytes re-sent",
            Self::Question => "one question",
            Self::Dump => "raw dump",
            Self::Lift => "dump, decode, lift",
            Self::Nft => "nft -f",
            Self::NftSame => "nft -f",
            Self::NftList => "nft list",
            Self::NftEach => "nft for each rule",
            Self::Legacy => "iptables-legacy-restore",
            Self::IptablesNft => "iptables-nft-restore",
            Self::OurEncoder => "encoder, same rules",
            Self::Rustables => "rustables' encoder",
            Self::Packets => "packets",
            Self::KnownFirst => "packets, known flows first",
            Self::Masquerade => "one masquerade rule",
            Self::True => "true",
            Self::Version => "palisade --version",
            Self::List => "palisade list",
            Self::Memory => "kernel's memory",
            Self::MemoryWithoutCounters => "beside counters",
            Self::Process => "process",
        }
    }

    /// Whether it is ours.
    pub(in super::super) fn is_ours(self) -> bool {
        match self {
            Self::InMemory
            | Self::Library
            | Self::Kernel
            | Self::LibraryIptables
            | Self::Command
            | Self::Sync
            | Self::Resent
            | Self::Lift
            | Self::OurEncoder
            | Self::Packets
            | Self::KnownFirst
            | Self::Version
            | Self::List
            | Self::Memory
            | Self::MemoryWithoutCounters
            | Self::Process => true,
            Self::Question
            | Self::Dump
            | Self::Nft
            | Self::NftSame
            | Self::NftList
            | Self::NftEach
            | Self::Legacy
            | Self::IptablesNft
            | Self::Rustables
            | Self::Masquerade
            | Self::True => false,
        }
    }
}

impl Label {
    /// Of ours, in a layout.
    pub(in super::super) fn of(layout: Layout, what: What, size: usize) -> Self {
        Self {
            layout: Some(layout),
            what,
            size,
        }
    }

    /// Of others, or of nobody's layout.
    pub(in super::super) fn other(what: What, size: usize) -> Self {
        Self {
            layout: None,
            what,
            size,
        }
    }

    /// Without the number of networks.
    pub(in super::super) fn name(self) -> String {
        match self.layout {
            Some(layout) => format!("{layout}: {}", self.what.words()),
            None => self.what.words().to_owned(),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.name(), networks(self.size))
    }
}

/// So many networks, in words.
pub(in super::super) fn networks(count: usize) -> String {
    match count {
        1 => "1 network".to_owned(),
        _ => format!("{} networks", thousands(count)),
    }
}

/// A number with a comma behind its thousands.
pub(in super::super) fn thousands(number: usize) -> String {
    match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        assert_eq!(networks(1), "1 network");
        assert_eq!(networks(65_536), "65,536 networks");
    }
}
