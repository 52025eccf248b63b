//! What differences mean.

use palisade_core::evaluate::{Fate, Packet};
use serde::Serialize;

/// What differences mean for packets, by the rules of networks alone: others may refuse them all the
/// same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
#[non_exhaustive]
pub enum Consequence {
    /// No packet is accepted, refused or translated otherwise than it should be.
    None,
    /// Some packet is: this one, for example.
    Packet(Box<Example>),
    /// Nobody can say.
    Open {
        /// Why, in words.
        detail: String,
    },
}

/// A packet that is treated otherwise than it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What that means, in words: `a guest of ... can now reach ...`.
    pub detail: String,
    /// The packet.
    pub packet: Packet,
    /// What the networks' rules should make of it.
    pub expected: Fate,
    /// What is made of it.
    pub actual: Fate,
}
