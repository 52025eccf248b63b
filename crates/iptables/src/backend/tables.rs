//! What stands, as the programs print it, and which programs there are.

use palisade_core::backend::Placement;
use palisade_core::network::Family;
use palisade_core::rules::Layer;

use super::envelope::Envelope;
use super::error::IptablesError;
use super::native::{self, Native, NativeChain};
use super::observed::Observed;
use super::settings::Settings;
use crate::rule::{LAYERS, Table, is_chain};
use crate::run::{
    CommandRunner, Programs, RestoreError, Stem, Stems, Unprinted, Variant, list, save,
};
use crate::text;

/// All tables of the `nft` programs.
const NAMES: [&str; 5] = ["raw", "mangle", "nat", "filter", "security"];

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
        let stem = self.stem(variant, family)?;
        self.read_by(&stem, (variant, family), needed)
    }

    /// The table that a step is about.
    pub(super) fn observed_for(&mut self, envelope: &Envelope) -> Result<Observed, RestoreError> {
        let table = Table::from_name(&envelope.table);
        let needed = table.as_slice();
        let whose = (envelope.variant, envelope.family);
        let stem = Stem::that_prints_by(&envelope.shown_by);
        let saved = self.read_by(&stem, whose, needed)?;
        let found = saved.iter().find(|saved| saved.name == envelope.table);
        Ok(Observed::new(found))
    }

    fn read_by(
        &mut self,
        stem: &Stem,
        (variant, family): (Variant, Family),
        needed: &[Table],
    ) -> Result<Vec<text::Table>, RestoreError> {
        let program = &stem.save();
        let whole = save(self.runner.as_mut(), program, None);
        if variant == Variant::Legacy {
            // Asking for a table by name would make it, with its hooks.
            return whole;
        }
        let mut saved = match whole {
            Err(silent @ RestoreError::Silent { .. }) if self.native.is_some() => {
                self.table_by_table(program, silent)?
            }
            whole => whole?,
        };
        for &table in needed {
            if saved.iter().any(|saved| saved.name == table.name()) {
                continue;
            }
            // Not there, or left out since it holds what these programs cannot print: asked for by
            // name, a table that is not there is printed as an empty one.
            let found = match self.by_name(program, table.name()) {
                Ok(found) => found,
                Err(error @ (RestoreError::Incompatible { .. } | RestoreError::Silent { .. })) => {
                    self.chain_by_chain(stem, family, table, error)?
                }
                Err(error) => return Err(error),
            };
            saved.push(found);
        }
        if let Some(native) = self.native.as_deref_mut() {
            for table in &mut saved {
                let chains = native::chains(native, family, &table.name)?;
                native::correct(table, &chains);
            }
        }
        Ok(saved)
    }

    fn by_name(&mut self, program: &str, table: &str) -> Result<text::Table, RestoreError> {
        let asked = save(self.runner.as_mut(), program, Some(table))?;
        let found = asked.into_iter().find(|asked| asked.name == table);
        found.ok_or_else(|| incompatible(program, table, None))
    }

    /// The tables that hold something and that the programs print: some rules make them break off in
    /// the middle of theirs, and no table behind it is printed. `silent` says how they broke off.
    fn table_by_table(
        &mut self,
        program: &str,
        silent: RestoreError,
    ) -> Result<Vec<text::Table>, RestoreError> {
        let mut saved = Vec::new();
        let mut speaks = false;
        for name in NAMES {
            let table = match self.by_name(program, name) {
                Err(RestoreError::Incompatible { .. } | RestoreError::Silent { .. }) => continue,
                table => table?,
            };
            speaks = true;
            let is_others = |chain: &text::Chain| chain.policy.is_none();
            if !table.rules.is_empty() || table.chains.iter().any(is_others) {
                saved.push(table);
            }
        }
        if speaks { Ok(saved) } else { Err(silent) }
    }

    /// A table that the programs do not print as a whole, for that reason. What others have in chains
    /// of theirs must not keep us from ours: the programs print those one by one, and the kernel tells
    /// the others.
    fn chain_by_chain(
        &mut self,
        stem: &Stem,
        family: Family,
        table: Table,
        reason: RestoreError,
    ) -> Result<text::Table, RestoreError> {
        let Some(native) = self.native.as_deref_mut() else {
            return Err(reason);
        };
        let chains = native::chains(native, family, table.name())?;
        if chains.is_empty() {
            return Err(reason);
        }
        let mut found = text::Table {
            name: table.name().to_owned(),
            ..text::Table::default()
        };
        for chain in &chains {
            let name = &chain.name;
            found.chains.push(text::Chain {
                name: name.clone(),
                policy: chain.policy.clone(),
                counters: None,
            });
            if is_chain(name) {
                let listed = list(self.runner.as_mut(), &stem.to_string(), table.name(), name)?;
                let Some(rules) = listed else {
                    let rule = strangest(chains);
                    return Err(incompatible(&stem.save(), table.name(), rule));
                };
                found.rules.extend(rules);
            } else {
                found
                    .rules
                    .extend(chain.rules.iter().map(|rule| text::Rule {
                        chain: name.clone(),
                        words: rule.words(),
                        counters: rule.counters,
                    }));
            }
        }
        Ok(found)
    }

    /// Whether our chains may be there: what is not is found out without running a program.
    pub(super) fn may_hold_own(
        &mut self,
        variant: Variant,
        family: Family,
    ) -> Result<bool, RestoreError> {
        let Some(native) = self.native.as_deref_mut() else {
            return Ok(true);
        };
        if variant == Variant::Legacy {
            return Ok(native.uses_legacy(family));
        }
        for table in Table::ALL {
            if native::has_own_chain(native, family, table.name())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first of our tables that stands and is left out, since the programs cannot print it.
    pub(super) fn left_out(
        &mut self,
        family: Family,
        saved: &[text::Table],
    ) -> Result<Option<Table>, RestoreError> {
        for table in Table::ALL {
            let is_saved = saved.iter().any(|saved| saved.name == table.name());
            let Some(native) = self.native.as_deref_mut().filter(|_| !is_saved) else {
                continue;
            };
            let chains = native::chains(native, family, table.name())?;
            if strangest(chains).is_some() {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// The family of programs of a placement.
    pub(super) fn variant_of(&mut self, placement: &Placement) -> Result<Variant, IptablesError> {
        let settings = Settings::try_from(placement)?;
        Ok(self.variant(settings.programs)?)
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
        for family in LAYERS.map(Layer::family) {
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

fn incompatible(program: &str, table: &str, rule: Option<Unprinted>) -> RestoreError {
    RestoreError::Incompatible {
        program: program.to_owned(),
        table: table.to_owned(),
        rule,
    }
}

/// The rule that keeps the programs from printing a table: one in our chains, which counts, before
/// all others.
fn strangest(chains: Vec<NativeChain>) -> Option<Unprinted> {
    let mut found: Vec<Unprinted> = native::unprinted(chains).collect();
    found.sort_by_key(|rule| !is_chain(&rule.chain));
    found.into_iter().next()
}
