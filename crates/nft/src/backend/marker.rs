//! What a batch leaves in the kernel, so that it is seen later whether it landed.

use palisade_core::backend::Change;

use super::operation::Operation;
use super::table_plan::TablePlan;
use crate::batch::Batch;
use crate::dump::{DumpError, Reader};
use crate::layout;

/// After so many networks that were added one by one, a batch sweeps the markers before it.
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
    /// The marker of a change with these plans: what deletes anyway sweeps.
    pub(super) fn of(change: &'a Change<'_>, tables: &[TablePlan]) -> Self {
        // Ranks are given one after another, so that none is passed over while networks are only added.
        let mut orders = change.add.iter().map(|addition| addition.order);
        let is_due = orders.any(|order| order % SWEPT_EVERY == 0);
        let mut operations = tables.iter().flat_map(TablePlan::operations);
        Self {
            transaction: &change.transaction,
            beside_others: !is_due && !operations.any(Operation::deletes),
        }
    }

    /// Leaves it in a table, beside those before or in place of them: each of these is deleted by its
    /// name, so that what others put there stays.
    pub(super) fn leave(
        self,
        reader: &mut Reader<'_>,
        table: &TablePlan,
        batch: &mut Batch,
    ) -> Result<(), DumpError> {
        let (family, name) = (table.id.family.into(), table.id.name.as_str());
        let is_new = |operation: &Operation| matches!(operation, Operation::AddTable(..));
        Self::make_place(table, batch);
        if !table.lacks_transaction && !self.beside_others && !table.operations().any(is_new) {
            let swept = match reader.elements(family, name, layout::TRANSACTION) {
                // This batch comes too late, or the next one sweeps.
                Err(DumpError::Restless) => Vec::new(),
                read => read?,
            };
            let swept = swept.iter().filter(|e| layout::is_marker(&e.key));
            batch.delete_elements(family, name, layout::TRANSACTION, swept);
        }
        let marker = layout::marker(self.transaction);
        batch.add_elements(family, name, layout::TRANSACTION, [&marker]);
        Ok(())
    }

    /// A table that has no set for markers gets one.
    pub(super) fn make_place(table: &TablePlan, batch: &mut Batch) {
        if table.lacks_transaction {
            batch.add_set(&layout::transaction_set(&table.id.name, table.id.family));
        }
    }
}
