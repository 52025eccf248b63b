//! Rules of networks as packets meet them: as they should be installed, and as they are.

use palisade_core::backend::{InstalledRules, Placement};
use palisade_core::evaluate::{Ground, Member};
use palisade_core::network::{Family, Network};

use super::error::IptablesError;
use super::render::tables;
use super::tables::Tables;
use crate::evaluate;
use crate::rule::is_chain;
use crate::run::word;
use crate::text;

/// The tables that these networks should have in a family; none if they need nothing.
#[must_use]
pub fn expected(networks: &[Network], family: Family) -> Option<Member<'static>> {
    let tables = tables(networks, family);
    (!tables.is_empty()).then(|| evaluate::Tables::member(word(family), family, &tables))
}

/// The chains of networks where a placement puts rules, as they are in the kernel.
pub(super) fn installed(
    tables: &mut Tables,
    placement: &Placement,
    family: Family,
) -> Result<InstalledRules, IptablesError> {
    let variant = tables.variant_of(placement)?;
    let saved = tables.saved_of_own(variant, family)?;
    let ground = |tables: &[text::Table]| Ground::of(evaluate::Tables::of(family, tables));
    let (own, shared) = (own(&saved.tables), shared(&saved.tables));
    Ok(InstalledRules {
        shared: (own != shared).then(|| ground(&shared)),
        own: ground(&own),
        unread: saved.left_out.map(|table| {
            let (table, program) = (table.name(), saved.program);
            format!("table `{table}` holds what {program}-save cannot print")
        }),
    })
}

/// The chains of networks, and what leads to them.
fn own(tables: &[text::Table]) -> Vec<text::Table> {
    let mut own = tables.to_vec();
    for table in &mut own {
        let of_kernel = open_policies(table);
        table
            .rules
            .retain(|rule| !of_kernel.contains(&rule.chain) || leads_to_own(rule));
    }
    own
}

/// The same, and what packets meet before in the same chains of the kernel.
fn shared(tables: &[text::Table]) -> Vec<text::Table> {
    let mut shared = tables.to_vec();
    for table in &mut shared {
        for chain in open_policies(table) {
            let leads = |rule: &text::Rule| rule.chain == chain && leads_to_own(rule);
            let last = table.rules.iter().rposition(leads);
            let mut place = 0..;
            table.rules.retain(|rule| {
                let place = place.next();
                rule.chain != chain || place <= last
            });
        }
    }
    shared
}

/// Lets pass what comes to the ends of the kernel's chains of a table, whose names it returns.
fn open_policies(table: &mut text::Table) -> Vec<String> {
    let chains = table.chains.iter_mut();
    let of_kernel = chains.filter_map(|chain| {
        "ACCEPT".clone_into(chain.policy.as_mut()?);
        Some(chain.name.clone())
    });
    of_kernel.collect()
}

fn leads_to_own(rule: &text::Rule) -> bool {
    let target = rule.words.behind("-j").or_else(|| rule.words.behind("-g"));
    target.is_some_and(is_chain)
}
