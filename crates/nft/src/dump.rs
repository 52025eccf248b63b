//! What is in the kernel: tables of ours read back, each as it was at one moment.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use palisade_core::words::WITH_RIGHTS;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::flags::{DUMP, REQUEST};
use palisade_netlink::{Malformed, Replies, ReplyError, Transport, TransportError};
use thiserror::Error;

use crate::object::{Chain, Element, Family, Rule, Set, Table};
use crate::program::{FilledChain, FilledSet, Program};
use crate::wire::element::Listed;
use crate::wire::{self, Kind, Message, Stranger};

/// How long to try while others change the ruleset.
const TRY_FOR: Duration = Duration::from_secs(5);

/// Why the kernel's tables could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The question or the answer did not get through.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel refused to answer.
    #[error("{}", refused(what, *.errno))]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Why not.
        errno: Errno,
    },
    /// The answer makes no sense.
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The answer ends before its end.
    #[error("the kernel's answer about {what} breaks off")]
    Cut {
        /// What was asked.
        what: &'static str,
    },
    /// Others changed the ruleset all the while.
    #[error("the ruleset changed all the time while it was read")]
    Restless,
}

fn refused(what: &str, errno: Errno) -> String {
    match errno {
        Errno::EPERM => "reading rules takes CAP_NET_ADMIN in the network namespace, which this \
                         process lacks"
            .to_owned(),
        errno => format!(
            "nf_tables does not answer {what}: {}",
            errno.desc().to_lowercase()
        ),
    }
}

impl Hint for DumpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
            Self::Refused { errno, .. } if *errno == Errno::EPERM => ErrorKind::Permission,
            Self::Refused { .. } => ErrorKind::Unsupported,
            Self::Cut { .. } => ErrorKind::System,
            Self::Restless => ErrorKind::Busy,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Transport(error) => error.hint(),
            Self::Refused {
                errno: Errno::EPERM,
                ..
            } => WITH_RIGHTS.into(),
            Self::Refused { .. } => "nf_tables may be missing: modprobe nf_tables".into(),
            Self::Malformed(error) => error.hint(),
            Self::Cut { .. } => "try again; if it stays, report it with `uname -r`".into(),
            Self::Restless => {
                "`nft monitor` shows which program it is; try again when it rests".into()
            }
        }
    }
}

/// How much of a table to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Chains, sets and rules: of a fixed number in the mapped layout.
    Outline,
    /// Elements of sets too.
    Elements,
}

/// Reads what is in the kernel. It keeps the buffer for replies.
pub struct Reader<'a> {
    transport: &'a mut dyn Transport,
    replies: &'a mut Vec<u8>,
}

impl<'a> Reader<'a> {
    /// Reads by `transport`, into a buffer that the caller keeps.
    pub fn new(transport: &'a mut dyn Transport, replies: &'a mut Vec<u8>) -> Self {
        Self { transport, replies }
    }

    /// The ruleset's generation: every commit in the namespace raises it by one.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn generation(&mut self) -> Result<u32, DumpError> {
        const WHAT: &str = "for the ruleset's generation";
        self.ask(Kind::GET_GENERATION, REQUEST, Family::Other(0), |_| {})?;
        let mut found = None;
        self.answers(WHAT, |message| {
            if message.kind == Some(Kind::NEW_GENERATION) {
                found = Some(wire::generation::decode(message.body)?.id);
            }
            Ok(())
        })?;
        found.ok_or(DumpError::Cut { what: WHAT })
    }

    /// What `read` finds, as it was in one generation of the ruleset, and that generation.
    ///
    /// # Errors
    /// If reading fails, or others change the ruleset for more than five seconds.
    pub fn at_one_moment<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DumpError>,
    ) -> Result<(T, u32), DumpError> {
        let deadline = Instant::now() + TRY_FOR;
        loop {
            let before = self.generation()?;
            match read(self) {
                Ok(found) if self.generation()? == before => return Ok((found, before)),
                Ok(_) | Err(DumpError::Restless) if Instant::now() < deadline => {}
                Ok(_) => return Err(DumpError::Restless),
                Err(error) => return Err(error),
            }
        }
    }

    /// A table with what is in it, if there is such a table.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile ([`DumpError::Restless`]).
    pub fn program(
        &mut self,
        family: Family,
        table: &str,
        depth: Depth,
    ) -> Result<Option<Program>, DumpError> {
        let Some(found) = self.table(family, table)? else {
            return Ok(None);
        };
        let mut sets = Vec::new();
        for set in self.sets(family, table)? {
            let elements = match depth {
                Depth::Outline => Vec::new(),
                Depth::Elements => self.elements(family, table, &set.name)?,
            };
            sets.push(FilledSet { set, elements });
        }
        let chains = self.chains(family, table)?;
        let mut rules: HashMap<String, Vec<Rule>> = HashMap::new();
        for rule in self.rules(family, table)? {
            rules.entry(rule.chain.clone()).or_default().push(rule);
        }
        let fill = |chain: Chain| FilledChain {
            rules: rules.remove(&chain.name).unwrap_or_default(),
            chain,
        };
        Ok(Some(Program {
            table: found,
            sets,
            chains: chains.into_iter().map(fill).collect(),
        }))
    }

    /// The elements of a set.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub fn elements(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
    ) -> Result<Vec<Element>, DumpError> {
        let mut elements = Vec::new();
        self.each_element(family, table, set, |listed| {
            elements.push(listed.decode()?);
            Ok(())
        })?;
        Ok(elements)
    }

    /// Shows each element of a set where it stands in the kernel's answer.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub(crate) fn each_element(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        mut see: impl FnMut(Listed<'_>) -> Result<(), Malformed>,
    ) -> Result<(), DumpError> {
        let key = |body: &mut Vec<u8>| wire::element::encode_set(table, set, body);
        self.dump(
            "about elements",
            Kind::GET_ELEMENT,
            family,
            key,
            |message| {
                if message.kind == Some(Kind::NEW_ELEMENT) {
                    wire::element::each(message.body).try_for_each(|listed| see(listed?))?;
                }
                Ok(())
            },
        )
    }

    /// The objects in a table that no layout of ours has: stateful objects, flowtables.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub(crate) fn strangers(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<Stranger>, DumpError> {
        let mut strangers = Vec::new();
        for ask in [Kind::GET_OBJECT, Kind::GET_FLOWTABLE] {
            // Both have the name of their table where tables have their own.
            let key = |body: &mut Vec<u8>| wire::table::encode_name(table, body);
            self.dump("about other objects", ask, family, key, |message| {
                let found = wire::stranger::decode(message)?;
                let here = found.filter(|stranger| stranger.table == table);
                strangers.extend(here);
                Ok(())
            })?;
        }
        Ok(strangers)
    }

    /// A table alone, if there is such a table.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn table(&mut self, family: Family, name: &str) -> Result<Option<Table>, DumpError> {
        self.ask(Kind::GET_TABLE, REQUEST, family, |body| {
            wire::table::encode_name(name, body);
        })?;
        let mut found = None;
        let answered = self.answers("about a table", |message| {
            if message.kind == Some(Kind::NEW_TABLE) {
                found = Some(wire::table::decode(family, message.body)?);
            }
            Ok(())
        });
        match answered {
            Err(DumpError::Refused {
                errno: Errno::ENOENT,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
            Ok(()) => Ok(found),
        }
    }

    /// All tables of this family; of [`Family::Other(0)`](Family::Other), those of all families.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub fn tables(&mut self, family: Family) -> Result<Vec<Table>, DumpError> {
        let mut tables = Vec::new();
        let key = |_: &mut Vec<u8>| {};
        self.dump("about tables", Kind::GET_TABLE, family, key, |message| {
            if message.kind == Some(Kind::NEW_TABLE) {
                tables.push(wire::table::decode(message.family, message.body)?);
            }
            Ok(())
        })?;
        Ok(tables)
    }

    /// The chains of a table. The kernel tells of those of all tables; the others are passed over
    /// unread.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub fn chains(&mut self, family: Family, table: &str) -> Result<Vec<Chain>, DumpError> {
        let mut chains = Vec::new();
        let key = |_: &mut Vec<u8>| {};
        self.dump("about chains", Kind::GET_CHAIN, family, key, |message| {
            if message.kind == Some(Kind::NEW_CHAIN)
                && let Ok(chain) = wire::chain::decode(family, message.body)
                && chain.table == table
            {
                chains.push(chain);
            }
            Ok(())
        })?;
        Ok(chains)
    }

    /// The sets and maps of a table, without their elements.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub fn sets(&mut self, family: Family, table: &str) -> Result<Vec<Set>, DumpError> {
        let mut sets = Vec::new();
        let key = |body: &mut Vec<u8>| wire::table::encode_name(table, body);
        self.dump("about sets", Kind::GET_SET, family, key, |message| {
            if message.kind == Some(Kind::NEW_SET) {
                let set = wire::set::decode(family, message.body)?;
                if set.table == table {
                    sets.push(set);
                }
            }
            Ok(())
        })?;
        Ok(sets)
    }

    /// The rules of a table, those of each chain in the order in which packets meet them.
    ///
    /// # Errors
    /// If the kernel does not answer, or the ruleset changes meanwhile.
    pub fn rules(&mut self, family: Family, table: &str) -> Result<Vec<Rule>, DumpError> {
        let mut rules = Vec::new();
        let key = |body: &mut Vec<u8>| wire::rule::encode_key(table, None, body);
        self.dump("about rules", Kind::GET_RULE, family, key, |message| {
            if message.kind == Some(Kind::NEW_RULE) {
                let rule = wire::rule::decode(family, message.body)?;
                if rule.table == table {
                    rules.push(rule);
                }
            }
            Ok(())
        })?;
        Ok(rules)
    }

    fn dump(
        &mut self,
        what: &'static str,
        kind: Kind,
        family: Family,
        key: impl Fn(&mut Vec<u8>),
        take: impl FnMut(&Message<'_>) -> Result<(), DumpError>,
    ) -> Result<(), DumpError> {
        self.ask(kind, REQUEST | DUMP, family, key)?;
        match self.answers(what, take) {
            // No such table or set: then there is nothing in it.
            Err(DumpError::Refused {
                errno: Errno::ENOENT,
                ..
            }) => Ok(()),
            answered => answered,
        }
    }

    fn ask(
        &mut self,
        kind: Kind,
        flags: u16,
        family: Family,
        body: impl Fn(&mut Vec<u8>),
    ) -> Result<(), DumpError> {
        let mut request = Vec::with_capacity(256);
        wire::message(&mut request, kind, flags, 0, family, body);
        self.replies.clear();
        Ok(self.transport.exchange(&request, self.replies)?)
    }

    fn answers(
        &mut self,
        what: &'static str,
        mut take: impl FnMut(&Message<'_>) -> Result<(), DumpError>,
    ) -> Result<(), DumpError> {
        let mut replies = Replies::of(self.replies);
        for reply in &mut replies {
            let message = reply.map_err(|error| match error {
                ReplyError::Refused(errno) => DumpError::Refused { what, errno },
                ReplyError::Malformed(error) => DumpError::Malformed(error),
            })?;
            take(&Message::read(message)?)?;
        }
        match replies {
            Replies {
                is_interrupted: true,
                ..
            } => Err(DumpError::Restless),
            Replies {
                is_dump: true,
                is_done: false,
                ..
            } => Err(DumpError::Cut { what }),
            _ => Ok(()),
        }
    }
}
