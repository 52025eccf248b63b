//! What stands, against what is recorded.

use std::collections::HashSet;
use std::time::Duration;

use super::difference::check_known;
use super::error::EngineError;
use super::parts::Engine;
use crate::backend::{Discrepancy, DiscrepancyKind};
use crate::network::Name;
use crate::record::Record;
use crate::state::Quarantined;
use crate::storage::Lock;

/// What is recorded, and the lock by which it stays so, if there is one.
type AtRest = (Option<Lock>, Vec<Record>);

/// Where differences are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent<'n> {
    /// Where these networks have rules.
    Of(&'n [Name]),
    /// Where networks have rules.
    Recorded,
    /// Wherever something carries palisade's marks or names.
    Everywhere,
}

impl Extent<'_> {
    fn names(&self) -> &[Name] {
        match self {
            Self::Of(names) => names,
            Self::Recorded | Self::Everywhere => &[],
        }
    }
}

impl Engine<'_> {
    /// What stands otherwise than it is recorded.
    ///
    /// # Errors
    /// If a network does not run, or the state or the kernel cannot be read.
    pub fn verify(&mut self, extent: Extent<'_>) -> Result<Vec<Discrepancy>, EngineError> {
        let records = self.records()?;
        self.compare(&records, extent)
    }

    /// The same, between changes of ours: none while another process is at work, since what it does
    /// is not recorded yet.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub fn verify_at_rest(
        &mut self,
        extent: Extent<'_>,
    ) -> Result<Option<Vec<Discrepancy>>, EngineError> {
        let Some((lock, records)) = self.at_rest()? else {
            return Ok(None);
        };
        let found = self.compare(&records, extent);
        drop(lock);
        found.map(Some)
    }

    /// The recorded actions on the host that are not in effect, between changes of ours.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub fn verify_actions_at_rest(&mut self) -> Result<Option<Vec<Discrepancy>>, EngineError> {
        let Some((lock, records)) = self.at_rest()? else {
            return Ok(None);
        };
        let found = self.compare_actions(&records);
        drop(lock);
        found.map(Some)
    }

    /// The records between changes of ours; none while another process is at work.
    ///
    /// # Errors
    /// As for [`records`](Self::records).
    pub fn records_at_rest(&mut self) -> Result<Option<Vec<Record>>, EngineError> {
        let at_rest = self.at_rest()?;
        Ok(at_rest.map(|(_, records)| records))
    }

    /// Keeps others of ours from their work, if none is at it.
    fn at_rest(&mut self) -> Result<Option<AtRest>, EngineError> {
        if self.state.is_untouched() {
            // Nobody was ever at work here, and whoever looks makes nothing.
            return Ok(Some((None, self.state.records(None)?)));
        }
        match self.state.lock(Duration::ZERO) {
            Ok(lock) => {
                self.see_to(&lock)?;
                let records = self.state.records(None)?;
                Ok(Some((Some(lock), records)))
            }
            Err(error) if error.is_held() => Ok(None),
            Err(error) => {
                // Whoever may not write sees what there is.
                log::debug!("{error}");
                Ok(Some((None, self.state.records(None)?)))
            }
        }
    }

    fn compare(
        &mut self,
        records: &[Record],
        extent: Extent<'_>,
    ) -> Result<Vec<Discrepancy>, EngineError> {
        let names = extent.names();
        let recorded: HashSet<&Name> = records.iter().map(|r| r.network.name()).collect();
        check_known(|name| recorded.contains(name), names)?;
        let is_asked = |name: &Name| names.is_empty() || names.contains(name);
        let mut found = Vec::new();
        for backend in self.backends.iter_mut() {
            let is_its = |record: &&Record| record.placement.backend == backend.id();
            let its: Vec<&Record> = records.iter().filter(is_its).collect();
            let mut asked = its.clone();
            asked.retain(|record| is_asked(record.network.name()));
            if !asked.is_empty() {
                found.extend(backend.verify(&its, &asked)?);
            }
            if extent == Extent::Everywhere {
                found.extend(backend.unclaimed(&its, &recorded)?);
            }
        }
        let asked = records
            .iter()
            .filter(|record| is_asked(record.network.name()));
        found.extend(self.compare_actions(asked)?);
        let in_quarantine = self.state.quarantined(records)?.into_iter();
        found.extend(in_quarantine.map(quarantined));
        // What is about no network in particular may be about each.
        found.retain(|found| found.network.as_ref().is_none_or(is_asked));
        Ok(found)
    }
}

fn quarantined(Quarantined { network, path, why }: Quarantined) -> Discrepancy {
    Discrepancy {
        network,
        object: format!("record {path}"),
        kind: DiscrepancyKind::Unreadable,
        detail: format!(
            "{why}: rules of its network may stand that no record names; `palisade recover` sets it \
             aside and ends this warning, then apply the network again and run `palisade repair`"
        ),
    }
}
