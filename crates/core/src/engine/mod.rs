//! From the desired state to what runs: compare, plan, write down, change the kernel, write down.
//!
//! Before the kernel is touched, the journal has all that it takes to finish or to undo the
//! change; only when it is done are the records replaced. What a process that died left is seen to
//! before anything else: see [`recover`](Engine::recover).

mod adopt;
mod adopted;
mod block_notes;
mod confirm;
mod difference;
mod error;
mod host;
mod host_note;
mod parts;
mod plan;
mod reach;
mod recover;
mod report;
mod retry;
mod rewrite;
mod run;
mod undo;
mod verify;

pub use adopt::Adoption;
pub use adopted::{Adopted, Left, Reason};
pub use difference::{Desired, Goal};
pub use error::EngineError;
pub use host_note::{HostNote, Shortcoming};
pub use parts::Engine;
pub use recover::Recovered;
pub use report::{Action, Changed, Report};
pub use verify::Extent;

#[cfg(test)]
mod tests;
