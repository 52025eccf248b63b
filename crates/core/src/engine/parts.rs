//! The engine, and what its operations hand to each other.

use crate::backend::{Backend, Change, Plan, Step};
use crate::host_action::HostActionKind;
use crate::state::State;

/// What changes the networks that run in one network namespace.
pub struct Engine<'a> {
    /// What is remembered of them.
    pub state: &'a State,
    /// Everybody who can install rules.
    pub backends: &'a mut [Box<dyn Backend>],
    /// What can be done on the host beside rules, by kind.
    pub host_actions: &'a mut [Box<dyn HostActionKind>],
}

/// One backend's part of a change.
pub(super) struct Part<'a> {
    /// Which backend, by its place among all.
    pub(super) backend: usize,
    pub(super) change: Change<'a>,
    pub(super) plan: Plan,
}

/// A step that was done, and by which backend.
pub(super) type Done<'p> = (usize, &'p Step);
