//! What becomes of a packet of the running networks.

use std::collections::BTreeSet;

use palisade_core::network::{Name, Network};

use super::Inspector;
use crate::explain::{ExplainError, Explanation, Live, Question};
use crate::host_rules::HostReader;

impl Inspector<'_> {
    /// What becomes of a packet by everything that is installed in this network namespace:
    /// palisade's tables, foreign ones in nf_tables, and iptables'.
    ///
    /// # Errors
    /// If there is no such packet, or the kernel cannot be read.
    pub fn explain(&mut self, question: &Question) -> Result<Explanation, ExplainError> {
        let explained = self.with_live(|live, reader| live.explain(reader, question))?;
        let mut explained = [explained];
        self.compare_with_records(&mut explained);
        let [explained] = explained;
        Ok(explained)
    }

    /// What becomes of each of several packets, in the order of the questions. However many there
    /// are, the tables are read once for each family.
    ///
    /// # Errors
    /// If one of them is no packet, or the kernel cannot be read.
    pub fn explain_all(
        &mut self,
        questions: &[Question],
    ) -> Result<Vec<Explanation>, ExplainError> {
        let mut explained = self.with_live(|live, reader| {
            let explain = |question| live.explain(reader, question);
            questions.iter().map(explain).collect::<Result<Vec<_>, _>>()
        })?;
        self.compare_with_records(&mut explained);
        Ok(explained)
    }

    /// Says of the networks that packets meet whether their rules are as recorded.
    fn compare_with_records(&mut self, explained: &mut [Explanation]) {
        let met: BTreeSet<&Name> = explained.iter().flat_map(Explanation::met).collect();
        let met: Vec<Name> = met.into_iter().cloned().collect();
        if met.is_empty() {
            return;
        }
        let differences = self.firewall.verify(&met);
        for explanation in explained {
            explanation.compare_with_records(differences.as_deref());
        }
    }

    fn with_live<T>(
        &mut self,
        ask: impl FnOnce(&mut Live, &mut HostReader) -> Result<T, ExplainError>,
    ) -> Result<T, ExplainError> {
        let records = self.firewall.running()?;
        let networks: Vec<Network> = records.into_iter().map(|record| record.network).collect();
        let namespace = self.firewall.namespace().map(ToOwned::to_owned);
        let reader = self.reader()?;
        let mut live = Live::of(networks, namespace.as_deref())?;
        ask(&mut live, reader)
    }
}
