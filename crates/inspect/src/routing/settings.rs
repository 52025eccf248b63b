//! Single settings of the kernel in a network namespace: files under /proc/sys/net, read when a
//! question depends on them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Settings that were read, by their paths below /proc/sys.
pub(super) struct Settings {
    namespace: Option<PathBuf>,
    read: RefCell<BTreeMap<String, Option<i64>>>,
}

impl Settings {
    pub(super) fn of(namespace: Option<PathBuf>) -> Self {
        Self {
            namespace,
            read: RefCell::default(),
        }
    }

    pub(super) fn namespace(&self) -> Option<&Path> {
        self.namespace.as_deref()
    }

    /// The number in a setting; none if there is no such setting, or it cannot be read.
    pub(super) fn number(&self, path: &str) -> Option<i64> {
        if let Some(&known) = self.read.borrow().get(path) {
            return known;
        }
        let file = format!("/proc/sys/{path}");
        let read = move || Ok(fs::read_to_string(file).ok());
        let text = match &self.namespace {
            Some(namespace) => palisade_netlink::within(namespace.clone(), read),
            None => read(),
        };
        let number = text
            .ok()
            .flatten()
            .and_then(|text| text.trim().parse().ok());
        self.read.borrow_mut().insert(path.to_owned(), number);
        number
    }

    pub(super) fn is(&self, path: &str, number: i64) -> bool {
        self.number(path) == Some(number)
    }
}
