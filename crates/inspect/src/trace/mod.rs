//! The way of real packets through the tables, as they pass.

mod packet;
mod prediction;
mod tables;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade::Firewall;
use palisade_core::evaluate::Verdict;
use palisade_core::network::{InterfaceName, Name};
use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::rtnetlink::HostError;
use palisade_netlink::{Socket, SocketError};
use palisade_nft::trace;
use palisade_nft::trace::{Told, Tracer};
use thiserror::Error;

use crate::explain::ResolveError;
use crate::routing::{NoWay, Routing, Way};
use tables::Tables;

pub use packet::{End, Prediction, Seen, TracedPacket};
pub use palisade_nft::trace::Filter;

/// When tracing ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// After so many packets.
    pub count: Option<u64>,
    /// After so long.
    pub time: Option<Duration>,
}

/// Packets as they pass, one after another: an iterator that waits for the next one. It ends at its
/// limits, or when a [`Stop`] is used. Nothing of it is left in the kernel when it is dropped, nor
/// when the process ends, however it does.
pub struct Trace {
    tracer: Tracer,
    tables: Tables,
    interfaces: Interfaces,
    filter: Filter,
    ours: BTreeSet<String>,
    untraceable: Vec<Name>,
    left: Option<u64>,
    until: Option<Instant>,
    woken: UnixStream,
    wake: Arc<UnixStream>,
    is_over: bool,
}

/// Ends a [`Trace`] from elsewhere: another thread, or one that waits for signals.
#[derive(Debug, Clone)]
pub struct Stop(Arc<UnixStream>);

/// What a trace tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// A packet that has passed, or has not.
    Packet(Box<TracedPacket>),
    /// More packets passed than could be told of: some were missed.
    Missed,
}

/// Why packets cannot be traced.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// No packet can be meant.
    #[error(transparent)]
    Filter(ResolveError),
    /// The kernel does not do it, or not for us.
    #[error(transparent)]
    Kernel(#[from] trace::TraceError),
    /// There is no socket to read the rules by.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The rules that packets met cannot be read.
    #[error("cannot read the rules that packets met: {0}")]
    Rules(#[from] palisade_nft::dump::DumpError),
    /// The interfaces that packets pass cannot be read.
    #[error("cannot read the names of interfaces: {0}")]
    Interfaces(#[from] HostError),
    /// There is no state that says which rules are ours.
    #[error(transparent)]
    Engine(#[from] palisade_core::engine::EngineError),
    /// What ends the trace could not be made.
    #[error("cannot make what ends the trace: {}", in_words(.0))]
    Stop(io::Error),
}

impl Hint for TraceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Filter(_) => ErrorKind::Usage,
            Self::Kernel(error) => error.kind(),
            Self::Socket(error) => error.kind(),
            Self::Rules(error) => error.kind(),
            Self::Interfaces(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Stop(_) => ErrorKind::System,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Filter(error) => error.hint(),
            Self::Kernel(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Rules(error) => error.hint(),
            Self::Interfaces(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Stop(_) => "`ulimit -n` says how many files may be open".into(),
        }
    }
}

impl Trace {
    pub(crate) fn begin(
        firewall: &mut Firewall,
        filter: &Filter,
        limits: Limits,
    ) -> Result<Self, TraceError> {
        let records = firewall.running()?;
        let namespace = firewall.namespace();
        if let Some(protocol) = filter.without_ports() {
            return Err(TraceError::Filter(ResolveError::Ports(protocol)));
        }
        let (woken, wake) = UnixStream::pair().map_err(TraceError::Stop)?;
        let tracer = Tracer::begin(namespace, filter)?;
        Ok(Self {
            tables: Tables::of(Socket::open_in(namespace)?, namespace),
            interfaces: Interfaces {
                namespace: namespace.map(Path::to_owned),
                routing: Routing::read(namespace)?,
            },
            filter: filter.clone(),
            ours: prediction::ours(firewall, &records),
            untraceable: prediction::untraceable(firewall, &records),
            left: limits.count,
            until: limits.time.map(|time| Instant::now() + time),
            tracer,
            woken,
            wake: Arc::new(wake),
            is_over: false,
        })
    }

    /// What ends it from elsewhere.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop(Arc::clone(&self.wake))
    }

    /// The running networks whose rules packets pass unseen: those that stand in the kernel's old
    /// ip_tables (`iptables-legacy`), of which nf_tables does not tell.
    #[must_use]
    pub fn untraceable(&self) -> &[Name] {
        &self.untraceable
    }

    /// The interfaces that packets shall pass and that there are not now: they may come.
    #[must_use]
    pub fn absent(&self) -> Vec<&InterfaceName> {
        [&self.filter.in_interface, &self.filter.out_interface]
            .into_iter()
            .flatten()
            .filter(|name| self.interfaces.routing.host.link(name.as_str()).is_none())
            .collect()
    }

    fn told(&mut self) -> Result<Option<Traced>, TraceError> {
        loop {
            if self.is_over || self.left == Some(0) {
                return Ok(None);
            }
            match self.tracer.next(self.woken.as_fd(), self.until)? {
                Told::Journey(journey) => {
                    let packet = self.packet(&journey)?;
                    if let Some(packet) = packet.filter(|packet| self.is_meant(packet)) {
                        self.left = self.left.map(|left| left.saturating_sub(1));
                        return Ok(Some(Traced::Packet(Box::new(packet))));
                    }
                }
                Told::Missed => return Ok(Some(Traced::Missed)),
                Told::Woken => {
                    let _ = self.woken.read(&mut [0; 8]);
                    self.is_over = true;
                }
                Told::Nothing => self.is_over = true,
            }
        }
    }

    fn packet(&mut self, journey: &trace::Journey) -> Result<Option<TracedPacket>, TraceError> {
        let Self {
            tables,
            interfaces,
            ours,
            ..
        } = self;
        let Some(mut packet) = packet::read(journey, |index| interfaces.name(index))? else {
            return Ok(None); // Neither IPv4 nor IPv6.
        };
        let is_fresh = tables.refresh()?;
        packet.path = tables.path(&journey.events)?;
        if packet.end == End::Stopped && tables.is_refused(&journey.events)? {
            packet.verdict = Some(Verdict::Reject);
        }
        packet.prediction = if is_fresh {
            prediction::compare(ours, tables, journey, &packet)?
        } else {
            Prediction::Unsure("the ruleset changed meanwhile".to_owned())
        };
        packet.name_owners();
        if packet.end == End::Unknown {
            packet.no_way = interfaces.no_way(&packet)?;
        }
        Ok(Some(packet))
    }

    /// Where a packet from outside leaves is not known when it begins to be traced.
    fn is_meant(&self, packet: &TracedPacket) -> bool {
        let wanted = self.filter.out_interface.as_ref();
        wanted.is_none_or(|wanted| packet.packet.out_interface.as_ref() == Some(wanted))
    }
}

impl Iterator for Trace {
    type Item = Result<Traced, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let told = self.told().transpose();
        if told.as_ref().is_some_and(Result::is_err) {
            self.is_over = true;
        }
        told
    }
}

impl Stop {
    /// Ends the trace: what has passed until now is not told any more.
    pub fn stop(&self) {
        // If nobody reads it, there is no trace to end.
        let _ = (&*self.0).write(&[1]);
    }
}

/// The names of interfaces by their numbers, and the routes through them.
struct Interfaces {
    namespace: Option<PathBuf>,
    routing: Routing,
}

impl Interfaces {
    fn name(&mut self, index: u32) -> Result<Option<String>, HostError> {
        if self.routing.host.name(index).is_none() {
            // It came after we looked.
            self.routing = Routing::read(self.namespace.as_deref())?;
        }
        Ok(self.routing.host.name(index).map(str::to_owned))
    }

    /// Why the host sends a packet nowhere of which nothing more was heard. Settings are read anew for each.
    fn no_way(&mut self, packet: &TracedPacket) -> Result<Option<NoWay>, HostError> {
        if packet.packet.in_interface.is_none() || packet.packet.out_interface.is_some() {
            return Ok(None);
        }
        self.routing = Routing::read(self.namespace.as_deref())?;
        Ok(match self.routing.way(&packet.packet)? {
            Way::Nowhere(no_way) => Some(no_way),
            Way::ToHost | Way::On(_) => None,
        })
    }
}
