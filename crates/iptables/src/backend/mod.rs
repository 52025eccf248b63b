//! The iptables backend: what the engine asks for, done with one run of `iptables-restore` for each
//! family and table that changes.
//!
//! A plan looks at what `iptables-save` prints; what is recorded is found there by what it says.
//! Runs are not atomic together: each step knows what takes it back.

mod area;
mod commands;
mod difference;
mod draft;
mod envelope;
mod error;
mod installed;
mod native;
mod observed;
mod order;
mod probe;
mod renamed;
mod render;
mod replay;
mod saved;
mod settings;
mod standing;
mod tables;
mod unrecorded;
mod verify;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::os::fd::AsFd;

use palisade_core::backend::{
    Addition, Backend, BackendError, BackendId, Change, Discrepancy, Done, Foreign, Installed,
    InstalledRules, PlacedItem, Placement, Plan, RunError, Standing, Step,
};
use palisade_core::location::{Location, Subsystem};
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{Guard, Rule, RuleKind, rules};
use palisade_core::state::Record;
use palisade_core::storage::Lock;
use palisade_core::unrecorded::Unrecorded;

use crate::rule::{self, Placed, Table};
use crate::run::{CommandRunner, Programs, Restore, RestoreError, Variant, restore, word};
use crate::text::Command;
use area::{Area, areas};
use commands::Commands;
use difference::{Difference, between};
use envelope::{Envelope, Way};
use observed::Observed;
use tables::Tables;

pub use envelope::StepError;
pub use error::IptablesError;
pub use installed::expected;
pub use native::{Native, NativeChain, NativeRule};
pub use render::{render, render_both, tables};
pub use saved::Saved;
pub use settings::{ID, Settings, SettingsError};

/// For people who change networks.
const WITHOUT_LOG: &str = "the kernel refuses rules that log (LOG, NFLOG, or their limit): what networks \
     refuse is not logged";

/// Installs rules through `iptables-restore`.
pub struct Iptables {
    tables: Tables,
    refused: Vec<Installed>,
    /// Whether a change with rules that log was refused, perhaps for their sake.
    lacks_log: bool,
}

impl Iptables {
    /// Runs the programs by `runner`.
    #[must_use]
    pub fn new(runner: Box<dyn CommandRunner>) -> Self {
        Self {
            tables: Tables::new(runner),
            refused: Vec::new(),
            lacks_log: false,
        }
    }

    /// Looks also at what the kernel has and the `nft` programs do not print.
    #[must_use]
    pub fn with(mut self, native: Box<dyn Native>) -> Self {
        self.tables.native = Some(native);
        self
    }

    /// The same placement with `auto` settled: what is recorded of a network should name the
    /// family of programs that holds its rules, since `auto` may mean another one later.
    ///
    /// # Errors
    /// If the placement is none of this backend's, or there are no programs.
    pub fn settle(&mut self, placement: &Placement) -> Result<Placement, BackendError> {
        let variant = self.tables.variant_of(placement)?;
        let programs = Programs::Of(variant);
        let established = placement.established().map_err(SettingsError::from);
        let established = established.map_err(IptablesError::from)?;
        Ok(Placement::from(&Settings { programs }).with_established(established))
    }

    /// Tries out with each table whether these programs can do what networks need, and changes
    /// nothing. What they cannot do and a network can do without is told.
    ///
    /// # Errors
    /// If they cannot do what every network needs.
    pub fn probe(&mut self, programs: Programs) -> Result<Vec<String>, BackendError> {
        probe::probe(&mut self.tables, programs).map_err(BackendError::from)
    }

    /// All that stands for a family of packets in the tables of a family of programs, whoever put it
    /// there. Nothing is made.
    ///
    /// # Errors
    /// If there are no such programs, or they do not print it.
    pub fn saved(&mut self, variant: Variant, family: Family) -> Result<Saved, BackendError> {
        let saved = self.tables.saved(variant, family);
        Ok(saved.map_err(IptablesError::from)?)
    }

    fn prepare(&mut self, change: &Change<'_>) -> Result<Plan, IptablesError> {
        let omits = |kind: RuleKind| self.lacks_log && kind.logs().is_some();
        let areas = areas(change, omits, |placement| self.tables.variant_of(placement))?;
        let mut plan = Plan {
            added: vec![Vec::new(); change.add.len()],
            restored: vec![None; change.restore.len()],
            ..Plan::default()
        };
        let logs = |addition: &Addition<'_>| addition.network.log().is_some();
        let restored = || change.restore.iter().any(|it| it.network.log().is_some());
        if self.lacks_log && (change.add.iter().any(logs) || restored()) {
            plan.notes.push(WITHOUT_LOG.to_owned());
        }
        let is_repair = change.foreign == Foreign::Remove;
        // An earlier build recorded nothing that this one could read.
        let is_unrecorded = |record: &&Record| is_repair && record.installed.is_empty();
        let mut restored: Vec<bool> = change.restore.iter().map(is_unrecorded).collect();
        for area in &areas {
            let saved = self.tables.read(area.variant, area.family, &Table::ALL)?;
            for table in area.tables() {
                let found = saved.iter().find(|saved| saved.name == table.name());
                let difference = between(area, table, Observed::new(found));
                for &network in &difference.restored {
                    restored[network] = true;
                }
                plan.notes.extend(difference.notes.iter().cloned());
                plan.steps.extend(self.step(area, &difference)?);
                plan.operations.push(Box::new(Commands {
                    family: area.family,
                    table,
                    commands: difference.input.commands,
                }));
            }
            for (network, wanted) in &area.added {
                let wanted = wanted
                    .iter()
                    .map(|placed| area::installed(area.family, placed));
                plan.added[*network].extend(wanted);
            }
        }
        for area in &areas {
            for (network, wanted) in &area.restored {
                if restored[*network] {
                    let wanted = wanted
                        .iter()
                        .map(|placed| area::installed(area.family, placed));
                    plan.restored[*network]
                        .get_or_insert_default()
                        .extend(wanted);
                }
            }
        }
        Ok(plan)
    }

    /// A step for each table that changes.
    fn step(
        &mut self,
        area: &Area<'_>,
        difference: &Difference,
    ) -> Result<Option<Step>, IptablesError> {
        if difference.input.commands.is_empty() {
            return Ok(None);
        }
        let stem = self.tables.stem(area.variant, area.family)?;
        let payload = Envelope {
            variant: area.variant,
            family: area.family,
            table: difference.table.name().to_owned(),
            program: stem.restore(),
            shown_by: stem.save(),
            way: Way::Do,
            optional: difference.is_optional,
            text: difference.input.to_string(),
        };
        let undo = Envelope {
            way: Way::Undo,
            text: difference.undo.to_string(),
            ..payload.clone()
        };
        Ok(Some(Step {
            what: format!("{} {} ({})", word(area.family), payload.table, area.variant),
            payload: payload.write()?,
            undo: undo.write()?,
        }))
    }

    fn carry_out(&mut self, payload: &[u8]) -> Result<Done, RunError> {
        let failed = |error: IptablesError| RunError::Failed(error.into());
        let broken = |error: StepError| failed(error.into());
        let mut envelope = Envelope::read(payload).map_err(broken)?;
        if envelope.way == Way::Undo {
            let observed = self.tables.observed_for(&envelope);
            let observed = observed.map_err(|error| failed(error.into()))?;
            let input = replay::left_to_undo(&envelope.input().map_err(broken)?, observed);
            if input.commands.is_empty() {
                return Ok(Done::default());
            }
            envelope.text = input.to_string();
        } else if !self.still_fits(&envelope).map_err(failed)? {
            return Err(RunError::Stale);
        }
        let change = Restore {
            program: &envelope.program,
            variant: envelope.variant,
            table: &envelope.table,
            text: &envelope.text,
        };
        let error = match restore(self.tables.runner(), &change) {
            Ok(process) => {
                // The next change tries to log again. What is taken back says nothing of the kernel.
                self.lacks_log &= envelope.way == Way::Undo;
                return Ok(Done {
                    // What is in ip_tables, the kernel tells nobody of.
                    process: process.filter(|_| envelope.variant == Variant::Nft),
                    ..Done::default()
                });
            }
            Err(error) => error,
        };
        if envelope.way == Way::Do && matches!(error, RestoreError::Refused { .. }) {
            let input = envelope.input().map_err(broken)?;
            // Others may have changed the table since it was looked at.
            match self.tables.observed_for(&envelope) {
                Ok(observed) => {
                    if !replay::fits(&input, observed) {
                        return Err(RunError::Stale);
                    }
                }
                Err(unread) => log::debug!("{unread}"),
            }
            if envelope.optional {
                self.do_without(&envelope, &input.commands, &error);
                return Ok(Done::default());
            }
            // The next plan does without. If that is refused too, it was not for their sake.
            self.lacks_log = !self.lacks_log && logs(&input.commands);
            if self.lacks_log {
                log::debug!("{error}");
                return Err(RunError::Stale);
            }
        }
        Err(failed(error.into()))
    }

    /// Whether the rules that a change deletes by their numbers still have them. All else the
    /// programs find by its words, or refuse.
    fn still_fits(&mut self, envelope: &Envelope) -> Result<bool, IptablesError> {
        let input = envelope.input()?;
        let is_numbered = |c: &Command| matches!(c, Command::Delete { at: Some(_), .. });
        if !input.commands.iter().any(is_numbered) {
            return Ok(true);
        }
        let observed = self.tables.observed_for(envelope)?;
        Ok(replay::fits(&input, observed))
    }

    fn do_without(&mut self, envelope: &Envelope, commands: &[Command], error: &RestoreError) {
        let ours = |chain: &str| {
            Table::ALL
                .iter()
                .any(|table| table.chains().any(|c| c == chain))
        };
        let before = self.refused.len();
        for command in commands {
            if let Command::Insert { chain, words, .. } = command
                && ours(chain)
            {
                self.refused.push(Installed {
                    family: envelope.family,
                    table: envelope.table.clone(),
                    place: chain.clone(),
                    item: rule::identity(words),
                });
            }
        }
        if self.refused.len() > before {
            log::warn!("networks do without what the kernel refused: {error}");
        } else {
            // Empty chains, for which nobody has a use.
            log::debug!("{error}");
        }
    }
}

/// Whether a change adds rules that log.
fn logs(commands: &[Command]) -> bool {
    commands.iter().any(|command| match command {
        Command::Insert { words, .. } => {
            rule::tag(words).is_some_and(|(_, kind)| kind.logs().is_some())
        }
        _ => false,
    })
}

impl Backend for Iptables {
    fn id(&self) -> BackendId {
        ID
    }

    fn rules(&self, network: &Network, _placement: &Placement) -> Vec<Rule> {
        rules(network, Guard::Libvirt)
    }

    /// Programs that are not settled yet are those of nf_tables on any system of today.
    fn location(&self, placement: &Placement) -> Option<Location> {
        let settings = Settings::try_from(placement).ok()?;
        Some(Location::SharedTables(match settings.programs {
            Programs::Of(Variant::Legacy) => Subsystem::IpTables,
            Programs::Of(Variant::Nft) | Programs::Auto => Subsystem::NfTables,
        }))
    }

    /// What is not recorded of a network was refused by the kernel when it was applied.
    fn omission(&self, record: &Record, rule: &Rule) -> Option<&'static str> {
        let family = rule.layer.family();
        let placed = Placed::of(rule)?;
        let is_it = |i: &Installed| i.family == family && area::is_same(i, &placed);
        (rule.kind.is_optional() && !record.installed.iter().any(is_it))
            .then_some("the kernel refused it, and the network does without it")
    }

    /// The kernel counts no generations of ip_tables.
    fn generation(&mut self) -> Result<Option<u64>, BackendError> {
        Ok(None)
    }

    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError> {
        self.prepare(change).map_err(BackendError::from)
    }

    fn run(&mut self, payload: &[u8], lock: &Lock) -> Result<Done, RunError> {
        let held = lock.as_fd().try_clone_to_owned();
        if let Err(error) = &held {
            log::warn!("programs run without the lock: {error}");
        }
        self.tables.runner().hold(held.ok());
        let done = self.carry_out(payload);
        self.tables.runner().hold(None);
        done
    }

    /// Whether all that a step adds stands in its table, and nothing that it takes away. What
    /// networks can do without is no exception: that it is missing may mean that the kernel refused
    /// it, but also that the process never came so far, and then the rest is undone with it.
    fn has_landed(&mut self, step: &Step) -> Result<bool, BackendError> {
        let envelope = Envelope::read(&step.payload).map_err(IptablesError::from)?;
        let input = envelope.input().map_err(IptablesError::from)?;
        let observed = self.tables.observed_for(&envelope);
        let observed = observed.map_err(IptablesError::from)?;
        Ok(replay::has_landed(&input, &observed))
    }

    fn verify(
        &mut self,
        records: &[&Record],
        asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError> {
        verify::verify(&mut self.tables, records, asked).map_err(BackendError::from)
    }

    fn unclaimed(
        &mut self,
        records: &[&Record],
        recorded: &HashSet<&Name>,
    ) -> Result<Vec<Discrepancy>, BackendError> {
        unrecorded::differences(&mut self.tables, records, recorded).map_err(BackendError::from)
    }

    fn unrecorded(&mut self, records: &[&Record]) -> Result<Vec<Unrecorded>, BackendError> {
        unrecorded::networks(&mut self.tables, records).map_err(BackendError::from)
    }

    fn items(&self, network: &Network, _placement: &Placement) -> Vec<PlacedItem> {
        unrecorded::items(network)
    }

    /// Rules of iptables have no numbers that last. What the kernel refused is not recorded.
    fn note_refused(&mut self, records: &mut [Record]) -> Result<bool, BackendError> {
        let refused = std::mem::take(&mut self.refused);
        let is_any = !refused.is_empty();
        for refused in refused {
            for record in records.iter_mut() {
                record.installed.retain(|installed| *installed != refused);
            }
        }
        Ok(is_any)
    }

    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError> {
        standing::of(&mut self.tables, records).map_err(BackendError::from)
    }

    fn installed(
        &mut self,
        placement: &Placement,
        family: Family,
    ) -> Result<InstalledRules, BackendError> {
        installed::installed(&mut self.tables, placement, family).map_err(BackendError::from)
    }

    fn listing(&mut self, placements: &[&Placement]) -> Result<String, BackendError> {
        standing::listing(&mut self.tables, placements).map_err(BackendError::from)
    }
}
