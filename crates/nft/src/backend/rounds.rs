//! Messages of all areas in one batch, in four rounds, so that what goes makes room for what comes,
//! whichever table it is in: items go, skeletons go, skeletons come, items come.

use super::area::Area;
use super::difference::Difference;
use crate::batch::Batch;
use crate::layout;

impl Difference<'_> {
    /// First round.
    pub(super) fn delete_items(&self, _area: &Area<'_>, batch: &mut Batch) {
        let Some(family) = self.family.filter(|_| !self.delete_table) else {
            return;
        };
        for (chain, handle) in &self.delete_rules {
            batch.delete_rule(family, &self.table, chain, *handle);
        }
        for (set, elements) in &self.delete_elements {
            batch.delete_elements(family, &self.table, set, elements.values());
        }
    }

    /// Second round.
    pub(super) fn delete_skeleton(&self, _area: &Area<'_>, batch: &mut Batch) {
        let Some(family) = self.family else { return };
        if self.delete_table {
            batch.delete_table(family, &self.table);
            return;
        }
        for (chain, handle) in &self.delete_skeleton_rules {
            batch.delete_rule(family, &self.table, chain, *handle);
        }
        for chain in &self.delete_chains {
            batch.delete_chain(family, &self.table, chain);
        }
        for set in &self.delete_sets {
            batch.delete_set(family, &self.table, set);
        }
    }

    /// Third round.
    pub(super) fn add_skeleton(&self, area: &Area<'_>, batch: &mut Batch) {
        if let Some(table) = &self.add_table {
            batch.add_table(table);
            batch.add_set(&layout::transaction_set(&area.table, area.family));
        }
        for chain in &self.add.chains {
            batch.add_chain(chain);
        }
        for set in &self.add.sets {
            batch.add_set(set);
        }
        for (rule, at) in &self.add_skeleton_rules {
            batch.add_rule(rule, *at);
        }
    }

    /// Whether the table is there when the batch is done.
    pub(super) fn remains(&self) -> bool {
        self.remains
    }

    /// Last round.
    pub(super) fn add_items(&self, _area: &Area<'_>, batch: &mut Batch) {
        let Some(family) = self.family else { return };
        for (rule, at) in &self.add_rules {
            batch.add_rule(rule, *at);
        }
        for (set, elements) in &self.add_elements {
            batch.add_elements(family, &self.table, set, elements.iter().copied());
        }
    }
}
