//! Tracing real packets.

use super::Inspector;
use crate::trace::{Filter, Limits, Trace, TraceError};

impl Inspector<'_> {
    /// Real packets as they pass, with the rules that they meet.
    ///
    /// # Errors
    /// If the kernel does not trace packets, or not for this process.
    pub fn trace(&mut self, filter: &Filter, limits: Limits) -> Result<Trace, TraceError> {
        Trace::begin(self.firewall, filter, limits)
    }
}
