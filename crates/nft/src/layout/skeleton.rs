//! What layouts put into tables.

use super::mapped::SetId;
use crate::object::{Chain, Element, Rule, Set};

/// What a layout puts into a table once, whatever networks there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skeleton {
    /// Chains, in the order in which they are made.
    pub chains: Vec<Chain>,
    /// Sets, in the order in which they are made.
    pub sets: Vec<Set>,
    /// Rules, in the order in which packets meet them in their chains.
    pub rules: Vec<Rule>,
}

/// What a layout adds for one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A rule, at the head of its chain.
    Rule(Rule),
    /// An element of a set.
    Element {
        /// The set.
        set: SetId,
        /// The element.
        element: Element,
    },
}
