//! The host around the firewall.

use super::Firewall;
use crate::doctor::{DoctorError, Finding, examine};

impl Firewall {
    /// What on this host drops, breaks or hides the traffic of guests of the running networks, with
    /// the mend; the worst first. It changes nothing, and recovers nothing.
    ///
    /// # Errors
    /// If the state or the kernel cannot be read.
    pub fn doctor(&self) -> Result<Vec<Finding>, DoctorError> {
        examine(&self.state, self.namespace.as_deref())
    }
}
