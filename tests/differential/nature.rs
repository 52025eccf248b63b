//! What the kernel does: its tables, and what it tells of packets.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use palisade_netlink::Socket;
use palisade_netlink::rtnetlink::Host;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::object::Family;
use palisade_nft::program::Program;
use palisade_nft::trace::{Filter, Headers, Journey, Told, Tracer};

use crate::router::{IN, Router};

/// How long to wait for packets that were sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// The kernel of a router.
pub(crate) struct Nature {
    tracer: Tracer,
    socket: Socket,
    replies: Vec<u8>,
    host: Host,
    /// Nobody wakes the tracer.
    never: (UnixStream, UnixStream),
}

/// A packet of which the kernel told.
pub(crate) struct Heard {
    pub(crate) journey: Journey,
    /// The interface that it came in through.
    pub(crate) in_interface: &'static str,
}

impl Nature {
    pub(crate) fn of(router: &Router) -> Self {
        let path = router.host.path();
        Self {
            tracer: Tracer::begin(Some(&path), &Filter::default()).expect("trace packets"),
            socket: Socket::open_in(Some(&path)).expect("open a socket"),
            replies: Vec::new(),
            host: Host::read(Some(&path)).expect("read the interfaces"),
            never: UnixStream::pair().expect("make a pair of sockets"),
        }
    }

    /// All tables but the one that traces, in the order in which they were made.
    pub(crate) fn tables(&mut self) -> Vec<Program> {
        let mut reader = Reader::new(&mut self.socket, &mut self.replies);
        let tables = reader.tables(Family::Other(0)).expect("read the tables");
        let others = tables
            .iter()
            .filter(|table| !table.name.starts_with("palisade_trace"));
        let read = |table: &palisade_nft::object::Table| {
            let program = reader.program(table.family, &table.name, Depth::Elements);
            program.expect("read a table").expect("it is still there")
        };
        others.map(read).collect()
    }

    /// What became of so many packets that came from outside.
    pub(crate) fn hear(&mut self, count: usize) -> Vec<Heard> {
        let mut heard = Vec::new();
        let until = Instant::now() + PATIENCE;
        while heard.len() < count {
            let told = self.tracer.next(self.never.0.as_fd(), Some(until));
            match told.expect("hear of packets") {
                Told::Journey(journey) => {
                    let name = journey
                        .begin
                        .in_interface
                        .and_then(|index| self.host.name(index));
                    let ends = journey.begin.headers.as_ref().and_then(Headers::ends);
                    // IPv6's own words between neighbours are none of ours.
                    let is_ours = ends.is_some_and(|ends| !ends.destination.is_multicast());
                    let came = IN.into_iter().find(|of| is_ours && Some(*of) == name);
                    heard.extend(came.map(|in_interface| Heard {
                        journey,
                        in_interface,
                    }));
                }
                Told::Missed => panic!("the kernel told of more than could be heard"),
                Told::Woken | Told::Nothing => break,
            }
        }
        heard
    }
}
