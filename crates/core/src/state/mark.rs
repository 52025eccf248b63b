//! Whose state it is: of which boot, and of which network namespace. The mark in `namespace.json`
//! speaks for all files; where it is broken or gone, only those count that say it themselves.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::files::{NAMESPACE, NETWORKS};
use super::folder::State;
use super::record_file::{SCHEMA, checksum};
use crate::origin::Origin;
use crate::storage::{Lock, file_error, free_name};

/// The mark in its file.
#[derive(Serialize, Deserialize)]
struct Mark {
    schema: u32,
    #[serde(flatten)]
    origin: Origin,
    crc32c: String,
}

/// What the mark says of all files beside it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// They are of this boot and this namespace.
    Ours,
    /// They are of another one.
    Another,
    /// Nothing: there is no mark.
    Nothing,
    /// Nothing: the mark cannot be believed, for this reason.
    Broken(String),
}

impl State {
    /// Keeps our other processes out until the lock is dropped. State that was written before the
    /// last boot is set aside under another name: what it speaks of is gone. So is what does not
    /// say which boot it was written in, where the mark that says it for all is broken or gone.
    ///
    /// # Errors
    /// If the state cannot be written, or another process holds the lock for longer than
    /// `patience`.
    pub fn lock(&self, patience: Duration) -> Result<Lock, StateError> {
        let lock = self.storage.lock(patience)?;
        let now = self.origin()?;
        let version = self.storage.version(NAMESPACE).ok().flatten();
        if version.is_some() && version == self.mark.get() {
            return Ok(lock); // It said so when it was read.
        }
        match self.told(&now)? {
            Told::Ours => {
                self.mark.set(version);
                return Ok(lock);
            }
            Told::Another => {
                self.forget_index()?;
                self.forget_processes();
                for name in [NETWORKS, "journal"] {
                    if let Some(aside) = self.set_aside(name, &format!("{name}.before-boot"))? {
                        log::warn!(
                            "{}/{name} was written before the last boot: it is now {aside}",
                            self.place()
                        );
                    }
                }
            }
            Told::Nothing => self.keep_marked(&now, &lock)?,
            Told::Broken(why) => {
                let aside = self.set_aside(NAMESPACE, &format!("{NAMESPACE}.unreadable"))?;
                log::error!(
                    "{}/{NAMESPACE} cannot be believed: {why}; it is now {}. Of the other files, \
                     those count that say themselves that this boot wrote them",
                    self.place(),
                    aside.unwrap_or_default()
                );
                self.keep_marked(&now, &lock)?;
            }
        }
        let unwritable = |source| StateError::Unwritable {
            path: NAMESPACE.to_owned(),
            source,
        };
        // Only now, since it speaks for all files.
        let mark = Mark {
            schema: SCHEMA,
            crc32c: checksum(&now).map_err(unwritable)?,
            origin: now,
        };
        self.write_json(NAMESPACE, &mark)?;
        Ok(lock)
    }

    /// What is told of all files.
    pub(super) fn told(&self, now: &Origin) -> Result<Told, StateError> {
        let storage = self.storage.as_ref();
        let read = storage.read(NAMESPACE);
        let Some(text) = read.map_err(file_error("read", storage, NAMESPACE))? else {
            return match self.has_vanished() {
                true => Err(StateError::Vanished {
                    place: self.place(),
                }),
                false => Ok(Told::Nothing),
            };
        };
        let told = match serde_json::from_slice::<Mark>(&text) {
            Err(error) => Told::Broken(format!("it is not what palisade writes: {error}")),
            Ok(mark) if mark.schema > SCHEMA => Told::Broken(format!(
                "it has schema {}, this build reads up to {SCHEMA}",
                mark.schema
            )),
            Ok(mark) if Some(&mark.crc32c) != checksum(&mark.origin).ok().as_ref() => {
                Told::Broken("its checksum is wrong".to_owned())
            }
            Ok(mark) if mark.origin == *now => Told::Ours,
            Ok(_) => Told::Another,
        };
        self.was_seen.set(told == Told::Ours);
        Ok(told)
    }

    /// Whether all that was there when the mark was seen is gone.
    pub(super) fn has_vanished(&self) -> bool {
        let is_gone = || matches!(self.storage.version(NAMESPACE), Ok(None));
        let are_records_gone = || {
            let records = self.storage.names(NETWORKS);
            records.is_ok_and(|records| records.is_empty())
        };
        self.was_seen.get() && is_gone() && are_records_gone()
    }

    /// Sets aside what does not say itself that it is of here and now.
    fn keep_marked(&self, now: &Origin, lock: &Lock) -> Result<(), StateError> {
        match self.records(Some(lock)) {
            Err(StateError::Older { .. }) => {} // They stay for `repair`.
            records => drop(records?),
        }
        self.journal().doubt_unless_of(now)?;
        self.forget_index()
    }

    /// Gives a file or folder another name. None if it is not there.
    fn set_aside(&self, name: &str, aside: &str) -> Result<Option<String>, StateError> {
        let storage = self.storage.as_ref();
        let there = storage.names("").unwrap_or_default();
        let aside = free_name(aside, &there);
        match storage.rename(name, &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error("rename", storage, name)(error).into()),
        }
    }
}
