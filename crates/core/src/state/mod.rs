//! What is running: the state directory.
//!
//! ```text
//! /run/palisade/                   lives as long as the kernel's rules do
//!     netns-4242/                  a folder for each network namespace, named by its cookie
//!         namespace.json           the boot that the cookie belongs to
//!         lock                     held by the process that changes something
//!         journal                  the transaction that is under way
//!         unconfirmed.json         the last change that waited for a confirmation
//!         networks/default.json    a file for each running network
//!         staged/default.json      what a transaction that is under way will put there
//!         index                    of all of them what a change must know, made from those files
//!         processes                who changed the ruleset last and left no mark in it
//!         unreadable/              what was found there and could not be believed
//! ```

mod digest;
mod error;
mod files;
mod folder;
mod index;
mod mark;
mod processes;
mod quarantine;
mod record_file;
mod records;
mod remembered;
mod running;
mod staged;
mod unconfirmed;

pub use error::StateError;
pub use folder::State;
pub use quarantine::{Aside, Quarantined};
pub use record_file::SCHEMA;
pub use running::Running;
pub use unconfirmed::{Exchange, Settled, Unconfirmed};

pub use crate::origin::Origin;
pub use crate::record::{Record, Written};
pub use crate::uses::Uses;

#[cfg(test)]
mod tests;
