//! Records that cannot be believed: they are set aside and told, and nothing of them is lost.

use std::collections::HashSet;

use super::error::StateError;
use super::files::{NETWORKS, UNREADABLE};
use super::folder::State;
use super::record_file::{self, RecordError};
use crate::network::Name;
use crate::record::Record;
use crate::storage::{Lock, file_error, free_name};

/// What the names of those end with that are told no more.
const SETTLED: &str = ".settled";

/// A record that could not be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The network that its name speaks of.
    pub network: Option<Name>,
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

/// Which of the records that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside<'a> {
    /// Those of these networks.
    Of(&'a [Name]),
    /// All.
    All,
}

impl State {
    /// The files that could not be believed, beside the records that were: those that are in the way
    /// still, and those that were set aside and not [settled](Self::settle).
    ///
    /// # Errors
    /// If a folder or a file cannot be read at all.
    pub fn quarantined(&self, believed: &[Record]) -> Result<Vec<Quarantined>, StateError> {
        let now = self.origin()?;
        let storage = self.storage.as_ref();
        let mut believed: HashSet<String> = believed
            .iter()
            .map(|record| format!("{}.json", record.network.name()))
            .collect();
        let mut found = Vec::new();
        for file in self.names_in(NETWORKS)? {
            if believed.contains(&file) {
                continue;
            }
            let path = format!("{NETWORKS}/{file}");
            let read = storage.read(&path);
            let bytes = read.map_err(file_error("read", storage, &path))?;
            if let (Some(name), Some(bytes)) = (file.strip_suffix(".json"), bytes) {
                match record_file::decode(name, &bytes, &now) {
                    Ok(_) => {
                        believed.insert(file);
                    }
                    Err(error) => found.push(Quarantined {
                        network: name.parse().ok(),
                        path,
                        why: error.to_string(),
                    }),
                }
            }
        }
        for file in self.names_in(UNREADABLE)? {
            // Where the network was applied again, its rules have a record.
            let of = aside(&file);
            if of.is_some_and(|name| !believed.contains(&format!("{name}.json"))) {
                found.push(Quarantined {
                    network: of.and_then(|name| name.parse().ok()),
                    path: format!("{UNREADABLE}/{file}"),
                    why: "it was set aside".to_owned(),
                });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Tells records no more that were set aside. They are kept, under another name.
    ///
    /// # Errors
    /// If a file cannot get another name.
    pub fn settle(&self, which: Aside<'_>) -> Result<(), StateError> {
        let there = self.names_in(UNREADABLE)?;
        for file in &there {
            let is_meant = aside(file).is_some_and(|of| match which {
                Aside::All => true,
                Aside::Of(names) => names.iter().any(|name| name.as_str() == of),
            });
            if !is_meant {
                continue;
            }
            let path = format!("{UNREADABLE}/{file}");
            let settled = format!(
                "{UNREADABLE}/{}",
                free_name(&format!("{file}{SETTLED}"), &there)
            );
            let storage = self.storage.as_ref();
            let renamed = storage.rename(&path, &settled);
            renamed.map_err(file_error("rename", storage, &path))?;
            log::info!(
                "{}/{path} is told no more: it is now {settled}",
                self.place()
            );
        }
        Ok(())
    }

    fn names_in(&self, folder: &str) -> Result<Vec<String>, StateError> {
        let storage = self.storage.as_ref();
        let names = storage.names(folder);
        Ok(names.map_err(file_error("read", storage, folder))?)
    }

    /// A record's file that cannot be believed: nothing of it is lost.
    pub(super) fn doubt(
        &self,
        file: &str,
        error: &RecordError,
        lock: Option<&Lock>,
    ) -> Result<(), StateError> {
        let place = self.place();
        if lock.is_none() {
            log::warn!("{place}/{NETWORKS}/{file} cannot be believed: {error}");
            return Ok(());
        }
        let storage = self.storage.as_ref();
        let there = storage.names(UNREADABLE).unwrap_or_default();
        let aside = format!("{UNREADABLE}/{}", free_name(file, &there));
        log::error!(
            "{place}/{NETWORKS}/{file} cannot be believed: {error}; it is now {aside}. Its rules \
             stay in the kernel: apply the network again, then `palisade repair`"
        );
        let path = format!("{NETWORKS}/{file}");
        let renamed = storage.rename(&path, &aside);
        Ok(renamed.map_err(file_error("rename", storage, &path))?)
    }
}

/// The network that a file's name speaks of which was set aside and is told still: `NAME.json-1`.
fn aside(file: &str) -> Option<&str> {
    let (name, number) = file.rsplit_once(".json-")?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(name)
}
