//! The command as scripts and people meet it: what it says, where, and with which exit code.
//!
//! Nothing here needs root or changes the machine: rules are rendered, or networks are recorded
//! with the backend `none`. What the kernel makes of rules is tried in `tests/` of the workspace.

// What fails here is a test.
#![allow(clippy::panic, clippy::unwrap_used)]

mod check;
mod choice;
mod compare;
mod completions;
mod documents;
mod explain;
mod help;
mod journal;
mod mend;
mod misuse;
mod output;
mod palisade;
mod plan;
mod render;
mod state;
mod terminal;
mod usage;
