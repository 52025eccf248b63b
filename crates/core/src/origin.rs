//! Where and when state was written.

use std::io;

use serde::{Deserialize, Serialize};

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Where and when state was written: what it speaks of is nowhere else, and gone after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The kernel's name for the time since it was started.
    pub(crate) boot: String,
    /// The kernel's number for the network namespace, which it gives once in a boot.
    pub(crate) cookie: u64,
}

impl Origin {
    /// This boot, and the network namespace with this cookie.
    ///
    /// # Errors
    /// If the kernel does not say which boot this is.
    pub fn now(cookie: u64) -> io::Result<Self> {
        let text = std::fs::read_to_string(BOOT)?;
        let boot = text.trim().to_owned();
        Ok(Self { boot, cookie })
    }
}
