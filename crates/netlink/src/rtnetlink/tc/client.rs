//! Requests to traffic control, and the kernel's replies.

use std::path::PathBuf;

use nix::errno::Errno;

use super::error::TcError;
use super::filter::{self, ChecksumFilter, Filter, Point};
use super::{action, qdisc};
use crate::rtnetlink::link;
use crate::{Header, Malformed, Message, Socket, Transport, ack, messages, socket};

/// How often to read filters again while they change.
const TRIES: usize = 20;

/// Traffic control of one network namespace.
pub struct TrafficControl {
    transport: Box<dyn Transport>,
}

impl TrafficControl {
    /// That of the network namespace of this file, or of the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or no way to rtnetlink in it.
    pub fn open(namespace: Option<PathBuf>) -> Result<Self, TcError> {
        let socket = match namespace {
            Some(path) => socket::within(path, Socket::open_route)?,
            None => Socket::open_route()?,
        };
        Ok(Self::over(Box::new(socket)))
    }

    /// The one that `transport` leads to.
    #[must_use]
    pub fn over(transport: Box<dyn Transport>) -> Self {
        Self { transport }
    }

    /// The number of the interface of this name; none if there is no such interface.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn link(&mut self, name: &str) -> Result<Option<u32>, TcError> {
        let request = |buffer: &mut Vec<u8>| link::request_one(buffer, name);
        let read = |message: &Message<'_>| Ok(link::decode(message)?.map(|link| link.index));
        let found = self.ask("look up an interface", request, read);
        Ok(missing_is_none(found, &[Errno::ENODEV])?.and_then(|found| found.first().copied()))
    }

    /// Whether the kernel can recompute checksums. It loads the module for it if it has one.
    ///
    /// # Errors
    /// If the kernel does not answer, or answers otherwise.
    pub fn can_recompute(&mut self) -> Result<bool, TcError> {
        match self.order("probe the action csum", action::probe) {
            // Parameters are missing, which only the action itself can know.
            Err(TcError::Refused {
                errno: Errno::EINVAL,
                ..
            })
            | Ok(()) => Ok(true),
            Err(TcError::Refused {
                errno: Errno::ENOENT | Errno::EOPNOTSUPP,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an interface has the queueing discipline `clsact`.
    ///
    /// # Errors
    /// [`TcError::Occupied`] if something else is in its place; if the kernel does not answer.
    pub fn has_clsact(&mut self, link: u32) -> Result<bool, TcError> {
        let request = |buffer: &mut Vec<u8>| qdisc::get(buffer, link);
        let found = self.ask("look up a queueing discipline", request, qdisc::decode);
        // Without a handle of its own, the empty place is not the one that was asked for.
        let found = missing_is_none(found, &[Errno::ENOENT, Errno::EINVAL])?;
        match found.as_deref().and_then(<[bool]>::first) {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => Err(TcError::Occupied),
        }
    }

    /// Adds `clsact` to an interface.
    ///
    /// # Errors
    /// If the kernel refuses, or has it there already.
    pub fn add_clsact(&mut self, link: u32) -> Result<(), TcError> {
        self.order("add the queueing discipline clsact", |buffer| {
            qdisc::add(buffer, link);
        })
    }

    /// Deletes `clsact` from an interface, with all filters that hang from it.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn delete_clsact(&mut self, link: u32) -> Result<(), TcError> {
        self.order("delete the queueing discipline clsact", |buffer| {
            qdisc::delete(buffer, link);
        })
    }

    /// The filters of an interface at a point. Empty if it has no `clsact`.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn filters(&mut self, link: u32, point: Point) -> Result<Vec<Filter>, TcError> {
        let request = |buffer: &mut Vec<u8>| filter::dump(buffer, link, point);
        let found = self.ask("list filters", request, filter::decode);
        Ok(missing_is_none(found, &[Errno::ENODEV, Errno::ENOENT])?.unwrap_or_default())
    }

    /// Adds a filter to what an interface with `clsact` sends.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn add_filter(&mut self, link: u32, filter: ChecksumFilter) -> Result<(), TcError> {
        self.order("add a filter", |buffer| filter.add(buffer, link))
    }

    /// Deletes a filter.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn delete_filter(
        &mut self,
        link: u32,
        point: Point,
        filter: &Filter,
    ) -> Result<(), TcError> {
        self.order("delete a filter", |buffer| {
            filter.delete(buffer, link, point);
        })
    }

    /// Sends a request that is answered by an acknowledgement alone.
    fn order(&mut self, what: &'static str, request: impl Fn(&mut Vec<u8>)) -> Result<(), TcError> {
        self.ask::<()>(what, request, |_| Ok(None)).map(|_| ())
    }

    /// Sends a request and reads the objects in the replies; again if they changed meanwhile.
    fn ask<T>(
        &mut self,
        what: &'static str,
        request: impl Fn(&mut Vec<u8>),
        decode: impl Fn(&Message<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<Vec<T>, TcError> {
        let (mut sent, mut bytes, mut found) = (Vec::new(), Vec::new(), Vec::new());
        request(&mut sent);
        for _ in 0..TRIES {
            bytes.clear();
            found.clear();
            self.transport.exchange(&sent, &mut bytes)?;
            let mut is_interrupted = false;
            for message in messages(&bytes) {
                let message = message?;
                is_interrupted |= message.header.flags & crate::flags::DUMP_INTERRUPTED != 0;
                match message.header.kind {
                    Header::ERROR => acknowledged(what, &message)?,
                    Header::DONE => {}
                    _ => found.extend(decode(&message)?),
                }
            }
            if !is_interrupted {
                break;
            }
        }
        Ok(found)
    }
}

fn acknowledged(what: &'static str, message: &Message<'_>) -> Result<(), TcError> {
    let ack = ack(message)?;
    match ack.error {
        0 => Ok(()),
        error => Err(TcError::Refused {
            what,
            errno: Errno::from_raw(error),
            message: ack.message,
        }),
    }
}

/// None where the kernel says that there is no such object.
fn missing_is_none<T>(found: Result<T, TcError>, missing: &[Errno]) -> Result<Option<T>, TcError> {
    match found {
        Err(TcError::Refused { errno, .. }) if missing.contains(&errno) => Ok(None),
        found => found.map(Some),
    }
}
