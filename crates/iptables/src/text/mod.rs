//! What `iptables-save` prints and `iptables-restore` reads, as types.
//!
//! Only the structure is known here: tables, chains, and rules as words. What a rule's words mean
//! is left open, so that rules of other programs pass through as they are.

mod input;
mod parse;
mod words;

use std::fmt;

pub use input::InputError;
pub(crate) use input::{Command, Input};
pub(crate) use parse::parse_listed;
pub use parse::{ParseError, parse};
pub use words::Words;

/// A table as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// `filter`, `nat`, `mangle` and others.
    pub name: String,
    /// Its chains, those of the kernel first.
    pub chains: Vec<Chain>,
    /// The rules of all chains; those of one chain in the order in which packets meet them.
    pub rules: Vec<Rule>,
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// What becomes of packets at its end; only chains of the kernel have one.
    pub policy: Option<String>,
    /// What reached its end.
    pub counters: Option<Counters>,
}

/// A rule of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The chain that it is in.
    pub chain: String,
    /// What it says.
    pub words: Words,
    /// What it counted, if that was asked for.
    pub counters: Option<Counters>,
}

/// What was counted: `[PACKETS:BYTES]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Counters {
    /// None if the text is not `[PACKETS:BYTES]`.
    fn read(text: &str) -> Option<Self> {
        let (packets, bytes) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
        Some(Self {
            packets: number(packets)?,
            bytes: number(bytes)?,
        })
    }
}

/// A number without a sign, which `u64::from_str` would take.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:{}]", self.packets, self.bytes)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            ":{} {}",
            self.name,
            self.policy.as_deref().unwrap_or("-")
        )?;
        match self.counters {
            Some(counters) => write!(f, " {counters}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(counters) = self.counters {
            write!(f, "{counters} ")?;
        }
        write!(f, "-A {}", self.chain)?;
        if self.words.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.words)
    }
}

/// As `iptables-save` prints it, for `iptables-restore` to read.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "*{}", self.name)?;
        for chain in &self.chains {
            writeln!(f, "{chain}")?;
        }
        for rule in &self.rules {
            writeln!(f, "{rule}")?;
        }
        writeln!(f, "COMMIT")
    }
}
