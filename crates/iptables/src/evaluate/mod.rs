//! A packet through tables as `iptables-save` prints them, the way the kernel takes it.
//!
//! Any rules may stand there, also those of others. What a packet alone cannot tell (marks, limits,
//! extensions that this build does not know) leaves it open whether a rule applies: such a rule is a
//! [`Doubt`](palisade_core::evaluate::Doubt), and the packet goes on as if it did not.

mod condition;
mod prepare;
mod rule;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use palisade_core::evaluate::{Fate, Flow, Outcome, Packet};
use palisade_core::network::Family;

use crate::text;
use prepare::Prepared;
use walk::Walk;

pub use condition::UnknownCondition;

/// The tables of a family, read once for many packets.
#[derive(Debug, Clone)]
pub struct Tables {
    family: Family,
    tables: HashMap<String, HashMap<String, Chain>>,
}

/// A chain and its rules.
#[derive(Debug, Clone, Default)]
struct Chain {
    /// What becomes of packets at its end, if it is one of the kernel's.
    policy: Option<String>,
    rules: Vec<Prepared>,
}

impl Tables {
    /// The tables that were saved of a family.
    #[must_use]
    pub fn of(family: Family, saved: &[text::Table]) -> Self {
        let mut tables = HashMap::new();
        for table in saved {
            let mut chains: HashMap<String, Chain> = HashMap::new();
            for chain in &table.chains {
                chains.entry(chain.name.clone()).or_default().policy = chain.policy.clone();
            }
            for rule in &table.rules {
                let chain = chains.entry(rule.chain.clone()).or_default();
                chain.rules.push(Prepared::of(rule));
            }
            tables.insert(table.name.clone(), chains);
        }
        Self { family, tables }
    }

    /// What becomes of a packet, with every rule that it meets. One of another family meets none.
    #[must_use]
    pub fn evaluate(&self, packet: &Packet) -> Outcome {
        let mut walk = Walk::told(self, packet);
        let (fate, nat_because) = walk.fate();
        Outcome {
            fate,
            path: walk.path.unwrap_or_default(),
            nat_because,
            is_untracked: walk.flow == Flow::Untracked,
            doubts: walk.doubts,
        }
    }

    /// What becomes of a packet; quicker than [`evaluate`](Self::evaluate), and silent about doubts.
    #[must_use]
    pub fn fate(&self, packet: &Packet) -> Fate {
        Walk::untold(self, packet).fate().0
    }

    fn chain(&self, table: &str, chain: &str) -> Option<&Chain> {
        self.tables.get(table)?.get(chain)
    }
}
