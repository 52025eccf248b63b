//! Whether programs and kernel can do what networks need: a typical change, tried out.

use palisade_core::network::{Description, Family, Forward, Nat, Network};
use palisade_core::rules::Layer;

use super::error::IptablesError;
use super::tables::Tables;
use crate::rule::{LAYERS, Placed, Table, is_admin_chain, is_chain, placed};
use crate::run::{Programs, Restore, RestoreError, Variant, try_out, word};
use crate::text::{Command, Input};

/// A chain that is never made: what is tried out ends before it would be.
const CHAIN: &str = "PALISADE_TRY";

pub(super) fn probe(tables: &mut Tables, programs: Programs) -> Result<Vec<String>, IptablesError> {
    let variant = tables.variant(programs)?;
    let mut without = Vec::new();
    let Some(network) = typical() else {
        return Ok(without); // It holds together, as the test below shows.
    };
    for family in LAYERS.map(Layer::family) {
        let rules = placed(&network, family);
        for table in Table::ALL {
            let here: Vec<&Placed> = rules.iter().filter(|p| p.table == table).collect();
            if here.is_empty() {
                continue;
            }
            let is_optional = here.iter().all(|placed| placed.kind.is_optional());
            match tried(tables, variant, family, &here) {
                Ok(()) => {}
                Err(error) if is_optional || family == Family::Ipv6 => {
                    let what = format!("{} table `{}`", word(family), table.name());
                    without.push(format!("{what} cannot be used: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(without)
}

fn tried(
    tables: &mut Tables,
    variant: Variant,
    family: Family,
    rules: &[&Placed],
) -> Result<(), RestoreError> {
    let program = tables.stem(variant, family)?.restore();
    let Some(table) = rules.first().map(|placed| placed.table.name()) else {
        return Ok(());
    };
    let mut input = Input {
        table: table.to_owned(),
        commands: vec![Command::NewChain(CHAIN.to_owned())],
    };
    // Jumps to palisade's chains need nothing of the kernel, and those chains may be missing yet.
    let leads = |placed: &Placed| {
        let target = placed.words.behind("-j");
        target.is_some_and(|target| is_chain(target) || is_admin_chain(target))
    };
    for placed in rules.iter().filter(|placed| !leads(placed)) {
        input.commands.push(Command::Insert {
            chain: CHAIN.to_owned(),
            at: 1,
            words: placed.words.clone(),
            counters: None,
        });
    }
    let change = Restore {
        program: &program,
        variant,
        table,
        text: &input.to_string(),
    };
    try_out(tables.runner(), &change)
}

/// A network with rules of every kind in both families.
fn typical() -> Option<Network> {
    Network::new(Description {
        subnets: vec!["192.0.2.0/24".parse().ok()?, "2001:db8::/64".parse().ok()?],
        ipv6: true,
        dhcp: true,
        ..Description::new(
            "palisade".parse().ok()?,
            Some("palisade0".parse().ok()?),
            Forward::Nat(Nat {
                ipv6: true,
                ..Nat::default()
            }),
        )
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_for_every_table_are_tried() {
        let network = typical().unwrap();
        let tables = |family| {
            let rules = placed(&network, family);
            Table::ALL.map(|table| rules.iter().filter(|p| p.table == table).count())
        };
        assert!(!tables(Family::Ipv4).contains(&0));
        assert!(!tables(Family::Ipv6)[..2].contains(&0));
    }
}
