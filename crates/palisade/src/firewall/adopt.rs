//! Networks whose rules are installed and that no record names: the state directory was lost.

use palisade_core::backend::Placement;
use palisade_core::engine::{Adopted, Adoption, EngineError};

use super::Firewall;
use crate::backends;

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
            passes_over: false,
            is_meant: &is_meant,
        })
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
