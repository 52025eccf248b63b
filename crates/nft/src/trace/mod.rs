//! Real packets, and what they meet on their way: nf_tables tells of each rule that applies to a
//! packet that is marked to be traced.
//!
//! A table of our own marks those that a [`Filter`] names, before anything else sees them, and meets
//! them again behind everything else. It belongs to the tracer's socket, so that it goes however the
//! process ends. Kernels before 5.12 know no such tables: there it goes with the [`Tracer`], and what
//! a process left that was killed goes when the next one begins.

mod error;
mod filter;
mod journey;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Instant;

use nix::errno::Errno;
use palisade_netlink::{Socket, TransportError, Waited};

use crate::batch::{self, Batch, CommitError};
use crate::dump::Reader;
use crate::object::{Expression, Family, Rule, Table};
use crate::wire::{self, Kind};
use filter::{OWNED, PREFIX};
use journey::Journeys;

pub use crate::wire::trace::{Event, Headers, Met};
pub use error::TraceError;
pub use filter::Filter;
pub use journey::{End, Journey};

/// Tells of packets as they pass, for as long as it lives.
pub struct Tracer {
    /// The table belongs to it.
    control: Socket,
    listener: Socket,
    table: String,
    journeys: Journeys,
    ended: VecDeque<Journey>,
    replies: Vec<u8>,
}

/// What a tracer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all that is told are journeys"
)]
pub enum Told {
    /// A packet's journey is over.
    Journey(Journey),
    /// More packets passed than could be told of: some were missed.
    Missed,
    /// Somebody woke the tracer.
    Woken,
    /// The time is over.
    Nothing,
}

impl Tracer {
    /// Begins to trace, in the network namespace of this file or in the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or tracing is not allowed there.
    pub fn begin(namespace: Option<&Path>, filter: &Filter) -> Result<Self, TraceError> {
        // It listens before there is anything to hear.
        let group = wire::trace::GROUP;
        let listener = Socket::listen(namespace, group).map_err(TraceError::Open)?;
        let table = format!("{PREFIX}{}", std::process::id());
        let mut tracer = Self {
            control: Socket::open_in(namespace).map_err(TraceError::Open)?,
            listener,
            journeys: Journeys::traced_by(&table),
            table,
            ended: VecDeque::new(),
            replies: Vec::new(),
        };
        tracer.sweep();
        tracer.install(filter)?;
        Ok(tracer)
    }

    fn install(&mut self, filter: &Filter) -> Result<(), TraceError> {
        match self.add_table(filter, OWNED) {
            // What a kernel says that does not know the flag.
            Err(CommitError::Refused(refusals))
                if refusals
                    .iter()
                    .all(|r| matches!(r.errno, Errno::EOPNOTSUPP | Errno::EINVAL)) =>
            {
                log::debug!("this kernel has no tables that belong to a socket");
                self.add_table(filter, 0)
            }
            added => added,
        }
        .map_err(TraceError::Install)
    }

    fn add_table(&mut self, filter: &Filter, flags: u32) -> Result<(), CommitError> {
        let mut batch = Batch::new(None);
        batch.add_program(&filter.program(&self.table, flags));
        batch::commit(&mut self.control, &batch.finish(), &mut self.replies)
    }

    /// Takes away what processes left that are dead. Tables that belong to a socket need none of it.
    fn sweep(&mut self) {
        let tables = Reader::new(&mut self.control, &mut self.replies).tables(Family::Inet);
        let tables = tables.unwrap_or_else(|error| {
            log::debug!("what others left of their traces was not looked for: {error}");
            Vec::new()
        });
        for table in tables.iter().filter(|table| is_left(table)) {
            match self.delete(&table.name) {
                Ok(()) => log::info!("took away table `{}`, which a trace left", table.name),
                Err(error) => log::debug!("table `{}` stays: {error}", table.name),
            }
        }
    }

    fn delete(&mut self, table: &str) -> Result<(), CommitError> {
        let mut batch = Batch::new(None);
        batch.delete_table(Family::Inet, table);
        batch::commit(&mut self.control, &batch.finish(), &mut self.replies)
    }

    /// The next thing to tell. It waits for it until this moment, if one is given, and no longer
    /// than until `wake` has something to read.
    ///
    /// # Errors
    /// If the kernel cannot be heard any more.
    pub fn next(
        &mut self,
        wake: BorrowedFd<'_>,
        until: Option<Instant>,
    ) -> Result<Told, TraceError> {
        loop {
            if let Some(journey) = self.ended.pop_front() {
                return Ok(Told::Journey(journey));
            }
            match self.hear() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(TraceError::Heard(TransportError::Overrun)) => {
                    self.journeys.lose();
                    return Ok(Told::Missed);
                }
                Err(error) => return Err(error),
            }
            let now = Instant::now();
            self.ended.extend(self.journeys.quiet(now));
            if !self.ended.is_empty() {
                continue;
            }
            if until.is_some_and(|until| now >= until) {
                return Ok(Told::Nothing);
            }
            let next = [until, self.journeys.next_quiet()].into_iter().flatten();
            let waited = self.listener.wait(wake, next.min());
            if waited.map_err(TraceError::Heard)? == Waited::Woken {
                return Ok(Told::Woken);
            }
        }
    }

    /// Takes in what the kernel told, if it told something.
    fn hear(&mut self) -> Result<bool, TraceError> {
        let Some(datagram) = self.listener.heard().map_err(TraceError::Heard)? else {
            return Ok(false);
        };
        let now = Instant::now();
        for message in wire::messages(datagram) {
            let message = message?;
            if message.kind == Some(Kind::TRACE) {
                let event = wire::trace::decode(message.family, message.body)?;
                self.ended.extend(self.journeys.take(event, now));
            }
        }
        Ok(true)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let table = self.table.clone();
        if let Err(error) = self.delete(&table) {
            log::debug!("table `{table}` goes with its socket: {error}");
        }
    }
}

/// Whether a rule refuses packets: to the kernel that is an answer and a drop.
#[must_use]
pub fn refuses(rule: &Rule) -> bool {
    rule.expressions.iter().any(|expression| match expression {
        Expression::Reject(_) => true,
        Expression::Unknown { name, data } if name == "target" => {
            wire::foreign::extension(data) == Some("REJECT")
        }
        _ => false,
    })
}

/// Whether a process made it that is dead, on a kernel where it did not go with that process.
fn is_left(table: &Table) -> bool {
    let process = table.name.strip_prefix(PREFIX);
    let process = process.and_then(|number| number.parse::<u32>().ok());
    process.is_some_and(|process| {
        table.flags & OWNED == 0 && !Path::new(&format!("/proc/{process}")).exists()
    })
}
