//! The host around the firewall.

use super::Inspector;
use crate::doctor::{Diagnosis, DoctorError, examine};

impl Inspector<'_> {
    /// Whatever on this host drops, breaks or hides the traffic of guests of the running networks,
    /// with the fix; the worst first. It changes nothing, and recovers nothing.
    ///
    /// # Errors
    /// If the state or the kernel cannot be read.
    pub fn doctor(&mut self) -> Result<Diagnosis, DoctorError> {
        examine(self.firewall)
    }
}
