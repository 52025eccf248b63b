//! Networks whose rules are installed and that no record names: the state directory was lost.

use palisade_core::backend::{BackendError, Placement};
use palisade_core::engine::{Adopted, Adoption, EngineError, Goal, Report};
use palisade_core::location::Location;
use palisade_core::network::{Name, Network};
use palisade_core::state::Running;

use super::Firewall;
use crate::backends;

impl Firewall {
    /// Records networks again whose rules are installed and that no record names, after the state directory
    /// was deleted or emptied. Nothing in the kernel changes, and what rules counted is kept. Of the
    /// nftables backend, networks in the [chosen](crate::Choice) table are meant.
    ///
    /// Rules do not say all of a definition: which MTU and zone a network has, say, is known again when its
    /// definition is applied. [`sync`](Self::sync) and [`apply`](Self::apply) adopt the networks that they define; no
    /// change adopts another, which may be recorded in another state directory.
    ///
    /// # Errors
    /// If the kernel cannot be read, or the state not be written.
    pub fn adopt(&mut self) -> Result<Adopted, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        let is_meant = self.chosen_table();
        self.engine().adopt(&Adoption {
            definitions: &[],
            takes_others: true,
            passes_over: false,
            is_meant: &is_meant,
        })
    }

    /// Which networks without a record are adopted before a change that is about networks with these
    /// definitions.
    pub(super) fn adoption<'a>(
        definitions: &'a [Network],
        is_meant: &'a dyn Fn(&Placement) -> bool,
    ) -> Adoption<'a> {
        Adoption {
            definitions,
            takes_others: false,
            // Who may not read rules installed none, and else the change itself fails.
            passes_over: true,
            is_meant,
        }
    }

    /// What a change would do.
    pub(super) fn foresee(
        &mut self,
        networks: &[Network],
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
    ) -> Result<Report, EngineError> {
        let is_meant = self.chosen_table();
        let adoption = Self::adoption(networks, &is_meant);
        self.engine().foresee(goal, Some(&adoption))
    }

    /// The networks that have rules at a location where no network is recorded.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn unrecorded(&mut self, location: &Location) -> Result<Vec<Name>, BackendError> {
        let mut names = Vec::new();
        for backend in &mut self.backends {
            for found in backend.unrecorded(&[])? {
                if backend.location(&found.placement).as_ref() == Some(location) {
                    names.push(found.network);
                }
            }
        }
        Ok(names)
    }

    /// Whether a placement is where networks are placed by choice: those in another table may be another
    /// program's.
    pub(super) fn chosen_table(&self) -> impl Fn(&Placement) -> bool + use<> {
        let chosen = self.choice.or(&self.configured).settings().table;
        move |placement| {
            let recorded = backends::of(placement).and_then(|kind| kind.recorded(placement));
            let table = recorded.and_then(|choice| choice.table);
            table.is_none_or(|table| table == chosen)
        }
    }
}
