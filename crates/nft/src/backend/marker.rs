//! What a batch leaves in the kernel, so that it can be told later that it landed.

use palisade_core::backend::Change;

use super::area::Area;
use super::difference::Difference;
use crate::batch::Batch;
use crate::dump::{DumpError, Reader};
use crate::layout;

/// After so many networks that came one by one, a batch sweeps the markers before it.
const SWEPT_EVERY: u64 = 64;

/// The marker of a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker<'a> {
    transaction: &'a str,
    /// Those before stay. A batch that sweeps them deletes something, and whoever closes a socket of
    /// netfilter afterwards waits until the kernel has destroyed it: 8 to 14 ms for a command that
    /// takes 4.
    beside_others: bool,
}

impl<'a> Marker<'a> {
    /// The marker of a change that comes to these differences: what deletes anyway sweeps.
    pub(super) fn of(change: &'a Change<'_>, differences: &[Difference<'_>]) -> Self {
        // Ranks are given one after another, so that none is passed over while networks only come.
        let mut orders = change.add.iter().map(|addition| addition.order);
        let is_due = orders.any(|order| order % SWEPT_EVERY == 0);
        Self {
            transaction: &change.transaction,
            beside_others: !is_due && differences.iter().all(Difference::only_adds),
        }
    }
}

impl Difference<'_> {
    /// Whether nothing goes.
    pub(super) fn only_adds(&self) -> bool {
        !self.delete_table
            && self.delete_rules.is_empty()
            && self.delete_elements.is_empty()
            && self.delete_skeleton_rules.is_empty()
            && self.delete_chains.is_empty()
            && self.delete_sets.is_empty()
    }

    /// Leaves the marker of a transaction, beside those before or in place of them: each of these is
    /// deleted by its name, so that what others put there stays.
    pub(super) fn mark(
        &self,
        reader: &mut Reader<'_>,
        area: &Area<'_>,
        marker: Marker<'_>,
        batch: &mut Batch,
    ) -> Result<(), DumpError> {
        let set = layout::transaction_set(&area.table, area.family);
        let table = area.table.as_str();
        if self.lacks_transaction {
            batch.add_set(&set);
        } else if self.add_table.is_none() && !marker.beside_others {
            let swept = match reader.elements(set.family, table, &set.name) {
                // This batch comes too late, or the next one sweeps.
                Err(DumpError::Restless) => Vec::new(),
                read => read?,
            };
            let swept = swept.iter().filter(|e| layout::is_marker(&e.key));
            batch.delete_elements(set.family, table, &set.name, swept);
        }
        let marker = layout::marker(marker.transaction);
        batch.add_elements(set.family, table, &set.name, [&marker]);
        Ok(())
    }

    /// A table that is older than markers gets the set for them.
    pub(super) fn make_place_for_mark(&self, area: &Area<'_>, batch: &mut Batch) {
        if self.remains && self.lacks_transaction {
            batch.add_set(&layout::transaction_set(&area.table, area.family));
        }
    }
}
