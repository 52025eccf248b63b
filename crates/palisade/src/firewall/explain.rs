//! What becomes of a packet of the running networks.

use palisade_core::network::Network;
use palisade_nft::backend::Nftables;

use super::{Firewall, socket_in};
use crate::explain::{ExplainError, Explanation, Question, explain_live};

impl Firewall {
    /// What becomes of a packet by everything that stands in this network namespace: our tables,
    /// those of others in nf_tables, and iptables'.
    ///
    /// # Errors
    /// If there is no such packet, or the kernel cannot be read.
    pub fn explain(&mut self, question: &Question) -> Result<Explanation, ExplainError> {
        let records = self.running()?;
        let networks: Vec<Network> = records.into_iter().map(|record| record.network).collect();
        let namespace = self.namespace.clone();
        let inspector = match &mut self.inspector {
            Some(inspector) => inspector,
            closed => {
                let socket = socket_in(namespace.as_deref())?;
                closed.insert(Nftables::new(Box::new(socket)))
            }
        };
        explain_live(
            &mut inspector.reader(),
            namespace.as_deref(),
            &networks,
            question,
        )
    }
}
