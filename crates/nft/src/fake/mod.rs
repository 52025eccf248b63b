//! A kernel in memory, for tests: it does what batches say, all of it or nothing, and answers
//! questions as nf_tables does. It knows tables, chains, rules, sets and elements; it filters
//! nothing.

mod answer;
mod batch;
mod ruleset;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade_core::storage::memory::{Fate, Step};
use palisade_netlink::{Transport, TransportError, messages, nfnetlink};

pub(crate) use ruleset::Ruleset;

/// A kernel with its ruleset. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernel {
    ruleset: Arc<Mutex<Ruleset>>,
}

impl Kernel {
    /// A kernel with this ruleset.
    #[must_use]
    pub(crate) fn with(ruleset: Ruleset) -> Self {
        Self {
            ruleset: Arc::new(Mutex::new(ruleset)),
        }
    }

    /// What stands in it.
    #[must_use]
    pub(crate) fn ruleset(&self) -> Ruleset {
        self.locked().clone()
    }

    /// A way to it on which messages are lost as this fate wants it.
    #[must_use]
    pub(crate) fn by(&self, fate: Fate) -> Unreliable {
        Unreliable {
            kernel: self.clone(),
            fate,
        }
    }

    fn locked(&self) -> MutexGuard<'_, Ruleset> {
        // A test that panicked elsewhere says more than a poisoned lock.
        self.ruleset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Kernel {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let is_batch = messages(request)
            .next()
            .is_some_and(|first| first.is_ok_and(|m| m.header.kind == nfnetlink::BATCH_BEGIN));
        let ruleset = &mut *self.locked();
        let answered = if is_batch {
            batch::run(ruleset, request, replies)
        } else {
            answer::to(ruleset, request, replies)
        };
        // A kernel that cannot read what it is sent says so in the same way.
        answered.map_err(|error| TransportError::Send(std::io::Error::other(error)))
    }
}

/// A way to the kernel on which any exchange may fail: nothing is sent, or the answer is lost, or
/// the process dies.
#[derive(Debug, Clone)]
pub(crate) struct Unreliable {
    kernel: Kernel,
    fate: Fate,
}

impl Transport for Unreliable {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        match self.fate.next() {
            Step::Work => self.kernel.exchange(request, replies),
            Step::Late => {
                self.kernel.exchange(request, &mut Vec::new())?;
                Err(TransportError::Overrun)
            }
            Step::Fail | Step::Half => {
                Err(TransportError::Send(std::io::Error::other("it failed")))
            }
        }
    }
}
