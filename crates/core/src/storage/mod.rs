//! Where state is kept: twelve operations, and no more, on files of one folder.
//!
//! One implementation is a directory; tests have one that fails, or stops for good, at its n-th
//! operation.

mod directory;
mod error;
mod lock;
#[cfg(any(test, feature = "test-doubles"))]
pub mod memory;
mod named;
mod operations;
#[cfg(test)]
mod tests;
mod trust;
mod walk;

pub use directory::{Contents, Directory};
pub use error::StorageError;
pub use lock::{Lock, LockError, PATIENCE};
pub use operations::{Storage, Version};

pub(crate) use named::{file_error, free_name};
