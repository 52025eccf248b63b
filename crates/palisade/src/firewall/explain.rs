//! What becomes of a packet of the running networks.

use palisade_core::network::Network;
use palisade_nft::backend::Nftables;
use palisade_nft::dump::Reader;

use super::{Firewall, socket_in};
use crate::explain::{ExplainError, Explanation, Live, Question};

impl Firewall {
    /// What becomes of a packet by everything that stands in this network namespace: our tables,
    /// those of others in nf_tables, and iptables'.
    ///
    /// # Errors
    /// If there is no such packet, or the kernel cannot be read.
    pub fn explain(&mut self, question: &Question) -> Result<Explanation, ExplainError> {
        self.with_live(|live, reader| live.explain(reader, question))
    }

    /// What becomes of each of several packets, in the order of the questions. However many there
    /// are, what stands is read once for each family.
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
        ask: impl FnOnce(&mut Live<'_>, &mut Reader<'_>) -> Result<T, ExplainError>,
    ) -> Result<T, ExplainError> {
        let records = self.running()?;
        let networks: Vec<Network> = records.into_iter().map(|record| record.network).collect();
        let namespace = self.namespace.clone();
        let inspector = self.inspector()?;
        let mut live = Live::of(networks, namespace.as_deref())?;
        ask(&mut live, &mut inspector.reader())
    }

    /// What reads the tables of the namespace, opened when it is first needed.
    pub(super) fn inspector(&mut self) -> Result<&mut Nftables, ExplainError> {
        Ok(match &mut self.inspector {
            Some(inspector) => inspector,
            closed => {
                let socket = socket_in(self.namespace.as_deref())?;
                closed.insert(Nftables::new(Box::new(socket)))
            }
        })
    }
}
