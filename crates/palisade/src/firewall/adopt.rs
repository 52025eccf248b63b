//! Networks whose rules are installed and that no record names: the state directory was lost.

use palisade_core::backend::Placement;
use palisade_core::engine::{Adopted, Adoption, EngineError, Goal, Report};
use palisade_core::state::Running;
use palisade_core::storage::Lock;

use super::Firewall;
use super::lost::Lost;
use crate::{backends, rights};

impl Firewall {
    /// Records networks again whose rules are installed and that no record names, after the state directory
    /// was deleted or emptied. Nothing in the kernel changes, and what rules counted is kept. Of the
    /// nftables backend, networks in the [chosen](crate::Choice) table are meant.
    ///
    /// Rules do not say all of a definition: which MTU and zone a network has is known again when its
    /// definition is applied. [`sync`](Self::sync) and [`apply`](Self::apply) adopt networks by their
    /// definitions.
    ///
    /// # Errors
    /// If the kernel cannot be read, or the state not be written.
    pub fn adopt(&mut self) -> Result<Adopted, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        let is_meant = self.chosen_table();
        self.engine().adopt(&Adoption {
            definitions: &[],
            takes_others: true,
            is_meant: &is_meant,
        })
    }

    /// The same before a change, where nothing is recorded. Returns what is to be said of it.
    pub(super) fn adopt_lost(
        &mut self,
        lost: Lost<'_>,
        lock: &Lock,
    ) -> Result<Vec<String>, EngineError> {
        // Whoever may not read rules did not install any.
        if rights::are_missing(self.namespace.as_deref()) {
            return Ok(Vec::new());
        }
        let is_meant = self.chosen_table();
        let adopted = self.engine().adopt_lost(&lost.adoption(&is_meant), lock)?;
        Ok(adopted.notes())
    }

    /// What a change would do.
    pub(super) fn foresee(
        &mut self,
        lost: Lost<'_>,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
    ) -> Result<Report, EngineError> {
        let is_meant = self.chosen_table();
        let adoption = lost.adoption(&is_meant);
        let may_read = !rights::are_missing(self.namespace.as_deref());
        self.engine().foresee(goal, may_read.then_some(&adoption))
    }

    /// Whether a placement is where networks are placed by choice: those in another table may be another
    /// program's.
    fn chosen_table(&self) -> impl Fn(&Placement) -> bool + use<> {
        let chosen = self.choice.or(&self.configured).settings().table;
        move |placement| {
            let recorded = backends::of(placement).and_then(|kind| kind.recorded(placement));
            let table = recorded.and_then(|choice| choice.table);
            table.is_none_or(|table| table == chosen)
        }
    }
}
