//! Rules of networks as packets meet them: as they should be installed, and as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use palisade_core::backend::{InstalledRules, Placement};
use palisade_core::evaluate::{Ground, Member};
use palisade_core::network::{Family, Network};

use super::error::PlanError;
use super::settings::Settings;
use crate::dump::{Depth, Reader};
use crate::evaluate::member;
use crate::layout::{Layout, TableName};
use crate::program::Program;

/// The tables that these networks should have in a family.
#[must_use]
pub fn expected(placed: &[(&Network, &Placement)], family: Family) -> Vec<Member<'static>> {
    let mut tables: BTreeMap<TableName, Vec<(Layout, &Network)>> = BTreeMap::new();
    for &(network, placement) in placed {
        if let Ok(settings) = Settings::try_from(placement) {
            let its = tables.entry(settings.table).or_default();
            its.push((settings.layout, network));
        }
    }
    let programs = tables
        .iter()
        .filter_map(|(table, placed)| Program::of(table, family, placed));
    programs
        .map(|program| member(Cow::Owned(program)))
        .collect()
}

/// The table of a placement, as it is in the kernel.
pub(super) fn installed(
    mut reader: Reader<'_>,
    placement: &Placement,
    family: Family,
) -> Result<InstalledRules, PlanError> {
    let settings = Settings::try_from(placement)?;
    let read = |reader: &mut Reader<'_>| {
        reader.program(family.into(), settings.table.as_str(), Depth::Elements)
    };
    let (program, _) = reader.at_one_moment(read)?;
    let table = program.map(|program| member(Cow::Owned(program)));
    Ok(InstalledRules {
        own: Ground::new(table),
        ..InstalledRules::default()
    })
}
