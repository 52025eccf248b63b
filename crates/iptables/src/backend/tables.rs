//! What stands, as the programs print it, and which programs there are.

use palisade_core::network::Family;

use super::envelope::Envelope;
use super::native::{self, Native, Unprinted};
use super::observed::Observed;
use crate::rule::{Table, is_chain};
use crate::run::{CommandRunner, Programs, RestoreError, Stem, Stems, Variant, save};
use crate::text;

/// Reads tables.
pub(super) struct Tables {
    runner: Box<dyn CommandRunner>,
    stems: Stems,
    /// Tells what the `nft` programs do not print.
    pub(super) native: Option<Box<dyn Native>>,
}

impl Tables {
    pub(super) fn new(runner: Box<dyn CommandRunner>) -> Self {
        Self {
            runner,
            stems: Stems::default(),
            native: None,
        }
    }

    pub(super) fn runner(&mut self) -> &mut dyn CommandRunner {
        self.runner.as_mut()
    }

    /// The programs of a variant for a family.
    pub(super) fn stem(&mut self, variant: Variant, family: Family) -> Result<Stem, RestoreError> {
        let program = || Stem::explicit(variant, family).restore();
        match self.stems.find(self.runner.as_mut(), variant, family) {
            Ok(Some(stem)) => Ok(stem),
            Ok(None) => Err(RestoreError::Missing { program: program() }),
            Err(source) => Err(RestoreError::Start {
                program: program(),
                source,
            }),
        }
    }

    /// All tables of a family that stand. One of `needed` that is not among them is empty.
    pub(super) fn read(
        &mut self,
        variant: Variant,
        family: Family,
        needed: &[Table],
    ) -> Result<Vec<text::Table>, RestoreError> {
        let program = self.stem(variant, family)?.save();
        self.read_by(&program, (variant, family), needed)
    }

    /// The table that a step is about.
    pub(super) fn observed_for(&mut self, envelope: &Envelope) -> Result<Observed, RestoreError> {
        let table = Table::from_name(&envelope.table);
        let needed = table.as_slice();
        let whose = (envelope.variant, envelope.family);
        let saved = self.read_by(&envelope.shown_by, whose, needed)?;
        let found = saved.iter().find(|saved| saved.name == envelope.table);
        Ok(Observed::new(found))
    }

    fn read_by(
        &mut self,
        program: &str,
        (variant, family): (Variant, Family),
        needed: &[Table],
    ) -> Result<Vec<text::Table>, RestoreError> {
        let mut saved = save(self.runner.as_mut(), program, None)?;
        if variant == Variant::Legacy {
            // Asking for a table by name would make it, with its hooks.
            return Ok(saved);
        }
        for table in needed.iter().map(|table| table.name()) {
            if saved.iter().any(|saved| saved.name == table) {
                continue;
            }
            // Not there, or left out since it holds what these programs cannot print: asked for by
            // name, a table that is not there is printed as an empty one.
            let asked = save(self.runner.as_mut(), program, Some(table))?;
            let found = asked.into_iter().find(|asked| asked.name == table);
            let Some(found) = found else {
                return Err(RestoreError::Incompatible {
                    program: program.to_owned(),
                    table: table.to_owned(),
                    rule: self.strangest(family, table)?,
                });
            };
            saved.push(found);
        }
        if let Some(native) = self.native.as_deref_mut() {
            for table in &mut saved {
                let unprinted = native::unprinted(native, family, &table.name)?;
                native::correct(table, unprinted);
            }
        }
        Ok(saved)
    }

    /// The rule that keeps the programs from printing a table: one in our chains, which counts,
    /// before all others.
    fn strangest(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Option<Unprinted>, RestoreError> {
        let Some(native) = self.native.as_deref_mut() else {
            return Ok(None);
        };
        let mut found = native::unprinted(native, family, table)?;
        found.sort_by_key(|rule| !is_chain(&rule.chain));
        Ok(found.into_iter().next())
    }

    /// The first of our tables that stands and is left out, since the programs cannot print it.
    pub(super) fn left_out(
        &mut self,
        family: Family,
        saved: &[text::Table],
    ) -> Result<Option<Table>, RestoreError> {
        for table in Table::ALL {
            let is_saved = saved.iter().any(|saved| saved.name == table.name());
            if !is_saved && self.strangest(family, table.name())?.is_some() {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// Which programs are meant: those of the family that holds our chains, or any rules, or the
    /// system's usual ones.
    pub(super) fn variant(&mut self, programs: Programs) -> Result<Variant, RestoreError> {
        if let Programs::Of(variant) = programs {
            return Ok(variant);
        }
        let family = Family::Ipv4;
        let unstarted = |source| RestoreError::Start {
            program: Stem::usual(family).restore(),
            source,
        };
        let runner = self.runner.as_mut();
        let usual = self.stems.usual(runner, family).map_err(unstarted)?;
        let mut candidates = Vec::new();
        for variant in Variant::BOTH {
            let stem = self.stems.find(self.runner.as_mut(), variant, family);
            if stem.map_err(unstarted)?.is_some() {
                let (ours, any) = self.holds(variant);
                candidates.push(((ours, any, usual == Some(variant)), variant));
            }
        }
        let best = candidates.into_iter().max_by_key(|(worth, _)| *worth);
        best.map(|(_, variant)| variant)
            .ok_or_else(|| RestoreError::Missing {
                program: Stem::usual(family).restore(),
            })
    }

    /// Whether our chains are among the tables of a variant, and whether any rules are.
    fn holds(&mut self, variant: Variant) -> (bool, bool) {
        let (mut ours, mut any) = (false, false);
        for family in Family::BOTH {
            let tables = match self.read(variant, family, &[]) {
                Ok(tables) => tables,
                Err(error) => {
                    log::debug!("{error}");
                    continue;
                }
            };
            for table in &tables {
                any |= !table.rules.is_empty();
                let Some(known) = Table::from_name(&table.name) else {
                    continue;
                };
                let mut chains = table.chains.iter();
                ours |= chains.any(|chain| known.chains().any(|name| name == chain.name));
            }
        }
        (ours, any)
    }
}
