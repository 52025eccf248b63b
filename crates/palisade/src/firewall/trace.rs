//! Tracing real packets.

use super::Firewall;
use crate::trace::{Beginning, Filter, Limits, Trace, TraceError};

impl Firewall {
    /// Real packets as they pass, with the rules that they meet.
    ///
    /// # Errors
    /// If the kernel does not tell of packets, or not us.
    pub fn trace(&mut self, filter: &Filter, limits: Limits) -> Result<Trace, TraceError> {
        let records = self.running()?;
        Trace::begin(&Beginning {
            namespace: self.namespace.as_deref(),
            filter,
            limits,
            records: &records,
        })
    }
}
