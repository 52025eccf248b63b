//! What the kernel tells of changes to the ruleset, whoever makes them.
//!
//! After each commit the kernel reports to a group of sockets everything that the commit changed, and
//! at the end the generation that it made and the process that asked for it. Deleted rules and
//! elements are reported as completely as new ones, other deleted objects by name. A listener that is
//! too slow loses messages, and learns that it did.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Instant;

use palisade_netlink::{Socket, SocketError, TransportError, Waited};

use crate::object::{Element, Family, Rule};
use crate::wire::{self, Kind, Message};

/// `NFNLGRP_NFTABLES`.
const GROUP: u32 = 7;

/// A socket that hears of changes.
pub struct Events {
    socket: Socket,
    /// Changes of a commit whose end was not heard yet.
    changes: Vec<Change>,
}

/// A commit, as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The generation that it made.
    pub generation: u32,
    /// The process that asked for it, if the kernel says so.
    pub process: Option<u32>,
    /// That process's name.
    pub name: Option<String>,
    /// What it changed, in the kernel's order.
    pub changes: Vec<Change>,
}

/// Something that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether it came or went.
    pub way: Way,
    /// The family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// What it is.
    pub object: Object,
}

/// Whether something came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It came, or is another now.
    New,
    /// It went.
    Gone,
}

/// What came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The table itself.
    Table,
    /// A chain.
    Chain(String),
    /// A rule.
    Rule(Box<Rule>),
    /// A set or a map.
    Set(String),
    /// Elements of a set.
    Elements {
        /// The set.
        set: String,
        /// The elements.
        elements: Vec<Element>,
    },
    /// An object of a kind that we do not use, or that could not be read.
    Other,
}

/// Why nothing more was heard.
pub enum Silence {
    /// There is nothing more now.
    Quiet,
    /// Messages were lost: what changed meanwhile is not known.
    Overrun,
}

impl Events {
    /// Listens in this network namespace, or in the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or listening is not allowed.
    pub fn listen(namespace: Option<&Path>) -> Result<Self, SocketError> {
        Ok(Self {
            socket: Socket::listen(namespace, GROUP)?,
            changes: Vec::new(),
        })
    }

    /// Waits until there is something to hear, `wake` has something to read, or this moment comes.
    ///
    /// # Errors
    /// If waiting fails.
    pub fn wait(
        &self,
        wake: BorrowedFd<'_>,
        until: Option<Instant>,
    ) -> Result<Waited, TransportError> {
        self.socket.wait(wake, until)
    }

    /// All commits that were told since the last call; and whether some were lost.
    ///
    /// # Errors
    /// If the socket cannot be read.
    pub fn heard(&mut self) -> Result<(Vec<Commit>, Silence), TransportError> {
        let mut commits = Vec::new();
        let mut silence = Silence::Quiet;
        loop {
            match self.socket.heard() {
                Ok(None) => return Ok((commits, silence)),
                Ok(Some(datagram)) => {
                    for message in wire::messages(datagram) {
                        match message {
                            Ok(message) => commits.extend(take(&mut self.changes, &message)),
                            Err(error) => log::debug!("a message about a change: {error}"),
                        }
                    }
                }
                // Of a commit of which a part is lost, the rest would be told as the next one's.
                Err(TransportError::Overrun) => {
                    self.changes.clear();
                    silence = Silence::Overrun;
                }
                Err(TransportError::Receive(error))
                    if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Takes a message; the commit, if it is the last of one.
fn take(changes: &mut Vec<Change>, message: &Message<'_>) -> Option<Commit> {
    let kind = message.kind?;
    if kind == Kind::NEW_GENERATION {
        let changes = std::mem::take(changes);
        return match wire::generation::decode(message.body) {
            Ok(generation) => Some(Commit {
                generation: generation.id,
                process: generation.process,
                name: generation.name,
                changes,
            }),
            Err(error) => {
                log::debug!("a message about a generation: {error}");
                None
            }
        };
    }
    changes.push(change(kind, message));
    None
}

fn change(kind: Kind, message: &Message<'_>) -> Change {
    let (family, body) = (message.family, message.body);
    let way = match kind {
        Kind::NEW_TABLE
        | Kind::NEW_CHAIN
        | Kind::NEW_RULE
        | Kind::NEW_SET
        | Kind::NEW_ELEMENT
        | Kind::NEW_OBJECT
        | Kind::NEW_FLOWTABLE => Way::New,
        _ => Way::Gone,
    };
    // The first three attributes of each kind are its table's name, and its own or its handle.
    let names = wire::names(body);
    let name = |at: usize| names.get(at).cloned().unwrap_or_default();
    let object = match kind {
        Kind::NEW_TABLE | Kind::DEL_TABLE => Some(Object::Table),
        Kind::NEW_CHAIN | Kind::DEL_CHAIN => Some(Object::Chain(name(2))),
        Kind::NEW_SET | Kind::DEL_SET => Some(Object::Set(name(1))),
        Kind::NEW_RULE | Kind::DEL_RULE => wire::rule::decode(family, body)
            .ok()
            .map(|rule| Object::Rule(Box::new(rule))),
        Kind::NEW_ELEMENT | Kind::DEL_ELEMENT => {
            let read = wire::element::decode(family, body).ok();
            read.map(|read| Object::Elements {
                set: name(1),
                elements: read.elements,
            })
        }
        _ => None,
    };
    Change {
        way,
        family,
        table: name(0),
        object: object.unwrap_or(Object::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;

    /// What a batch says is what the kernel tells of it.
    fn told(batch: Batch) -> Vec<Change> {
        let bytes = batch.finish();
        let mut changes = Vec::new();
        for message in wire::messages(&bytes) {
            assert_eq!(take(&mut changes, &message.unwrap()), None);
        }
        changes
    }

    #[test]
    fn what_comes_and_what_goes() {
        let mut batch = Batch::new(None);
        batch.delete_chain(Family::Ip, "palisade", "forward");
        batch.delete_set(Family::Ip6, "palisade", "out_24");
        batch.delete_rule(Family::Ip, "palisade", "forward", 7);
        batch.delete_elements(
            Family::Ip,
            "palisade",
            "bridges",
            [&Element::of_key(vec![1, 2])],
        );
        batch.delete_table(Family::Ip, "palisade");
        let changes = told(batch);
        let objects: Vec<&Object> = changes.iter().map(|change| &change.object).collect();
        let [chain, set, rule, elements, table] = objects.as_slice() else {
            panic!("{objects:?}");
        };
        assert_eq!(**chain, Object::Chain("forward".to_owned()));
        assert_eq!(**set, Object::Set("out_24".to_owned()));
        assert!(
            matches!(rule, Object::Rule(rule) if rule.handle == Some(7) && rule.chain == "forward")
        );
        assert!(matches!(elements, Object::Elements { set, elements }
            if set == "bridges" && elements[0].key == [1, 2]));
        assert_eq!(**table, Object::Table);
        for change in &changes {
            assert_eq!((change.way, change.table.as_str()), (Way::Gone, "palisade"));
        }
    }
}
