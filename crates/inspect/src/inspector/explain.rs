//! What becomes of a packet of the running networks.

use palisade_core::network::Network;

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
        self.with_live(|live, reader| live.explain(reader, question))
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
        self.with_live(|live, reader| {
            let explain = |question| live.explain(reader, question);
            questions.iter().map(explain).collect()
        })
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
