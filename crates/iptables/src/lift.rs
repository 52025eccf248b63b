//! What saved tables mean: from text back to the rules of networks.
//!
//! Only what palisade itself would have written counts as understood. Everything else in our
//! chains is told as it is; other chains are nobody's business here.

use palisade_core::Ruleset;
use palisade_core::network::Family;
use serde::Serialize;

use crate::rule::{self, Table};
use crate::text;

/// The meaning of our chains.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifted {
    /// The rules of networks.
    pub ruleset: Ruleset,
    /// What is in our chains and not ours.
    pub strange: Vec<Strange>,
}

/// A rule that palisade would not have written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strange {
    /// The table.
    pub table: String,
    /// The chain that it is in.
    pub place: String,
    /// What it says.
    pub text: String,
}

/// What the tables of a family mean.
#[must_use]
pub fn lift(family: Family, tables: &[text::Table]) -> Lifted {
    let mut rules = Vec::new();
    let mut strange = Vec::new();
    for table in tables {
        let Some(known) = Table::from_name(&table.name) else {
            continue;
        };
        let is_ours = |rule: &&text::Rule| known.chains().any(|chain| chain == rule.chain);
        for saved in table.rules.iter().filter(is_ours) {
            match rule::read(family, known, saved) {
                Some(read) => rules.push(read),
                None => strange.push(Strange {
                    table: table.name.clone(),
                    place: saved.chain.clone(),
                    text: saved.words.to_string(),
                }),
            }
        }
    }
    Lifted {
        ruleset: Ruleset::in_order(rules),
        strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_chains_are_read_and_others_are_not() {
        let saved = "\
*raw
-A PALISADE_INP -j DROP
COMMIT
*filter
:INPUT ACCEPT [0:0]
[3:9] -A INPUT -j DROP
[1:2] -A PALISADE_FWX -i b -o b -m comment --comment \"lab: guest to guest\" -j ACCEPT
[1:2] -A PALISADE_FWX -i b -j DROP
COMMIT
";
        let lifted = lift(Family::Ipv4, &text::parse(saved).unwrap());
        let owners: Vec<&str> = lifted
            .ruleset
            .rules()
            .iter()
            .map(|r| r.owner.as_str())
            .collect();
        assert_eq!(owners, ["lab"]);
        let strange: Vec<&str> = lifted.strange.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(strange, ["-i b -j DROP"]);
    }
}
