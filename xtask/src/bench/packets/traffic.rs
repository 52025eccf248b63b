//! What is sent.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::super::amount::Amount;
use super::super::measure::Amounts;
use super::super::namespace::Namespace;

/// Nobody waits longer for a packet that does not come.
const PATIENCE: Duration = Duration::from_secs(3);
/// The port of those that send back.
const ECHO: u16 = 7;
/// The port of those that nobody is at.
const NOBODY: u16 = 9;

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Packets of one flow, one way.
    Udp,
    /// A packet there and one back.
    RoundTrips,
    /// Connections of TCP, made and closed.
    Connections,
    /// Packets that each begin a flow.
    Flows,
}

impl Traffic {
    pub(super) const ALL: [Self; 4] = [Self::Udp, Self::RoundTrips, Self::Connections, Self::Flows];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Udp => "udp packets",
            Self::RoundTrips => "round trips",
            Self::Connections => "new connections",
            Self::Flows => "new flows",
        }
    }

    /// How many of them are timed together: so few that hardly ever another program comes between.
    fn count(self) -> usize {
        match self {
            Self::Udp | Self::Flows => 32,
            Self::RoundTrips => 12,
            Self::Connections => 4,
        }
    }

    /// How long one of them takes: the median of so many slices.
    pub(super) fn run(
        self,
        ends: &Ends,
        (guest, world): (&Namespace, &Namespace),
        slices: usize,
    ) -> Result<Amount, String> {
        let address = SocketAddr::new(ends.world, ECHO);
        let listener = world.inside(|| in_words(TcpListener::bind(address)))?;
        let times = guest.inside(|| {
            pin()?;
            let mut times = Vec::with_capacity(slices);
            for slice in 0..slices {
                let start = Instant::now();
                for number in 0..self.count() {
                    in_words(self.send(ends, &listener, slice * self.count() + number))?;
                }
                times.push(start.elapsed());
            }
            // It comes back after all the others went their way.
            in_words(ends.round_trip())?;
            Ok(times)
        });
        let times = times.map_err(|reason| format!("{}: {reason}", self.words()))?;
        let each = |time| Amount::each(time, self.count());
        Ok(Amounts::new(times.into_iter().map(each).collect()).median())
    }

    fn send(self, ends: &Ends, listener: &TcpListener, number: usize) -> io::Result<()> {
        match self {
            Self::Udp => ends.one_way(0),
            Self::RoundTrips => ends.round_trip(),
            Self::Connections => ends.connection(listener),
            Self::Flows => ends.one_way(u16::try_from(number).unwrap_or(u16::MAX)),
        }
    }
}

/// The sockets of both ends: of the namespaces in which they were made.
pub(super) struct Ends {
    guest: UdpSocket,
    echo: UdpSocket,
    world: IpAddr,
}

impl Ends {
    pub(super) fn new(
        (guest, guest_address): (&Namespace, IpAddr),
        (world, world_address): (&Namespace, IpAddr),
    ) -> Result<Self, String> {
        let socket = |address: SocketAddr| {
            let socket = UdpSocket::bind(address)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok(socket)
        };
        let ends = Self {
            guest: guest.inside(|| in_words(socket(SocketAddr::new(guest_address, 0))))?,
            echo: world.inside(|| in_words(socket(SocketAddr::new(world_address, ECHO))))?,
            world: world_address,
        };
        // The neighbours get to know one another before anything is measured.
        in_words(ends.round_trip())?;
        Ok(ends)
    }

    fn round_trip(&self) -> io::Result<()> {
        let mut buffer = [0; 64];
        self.guest.send_to(b"there", (self.world, ECHO))?;
        let (length, from) = self.echo.recv_from(&mut buffer)?;
        self.echo.send_to(&buffer[..length], from)?;
        self.guest.recv_from(&mut buffer)?;
        Ok(())
    }

    /// A packet to somebody who is not there.
    fn one_way(&self, number: u16) -> io::Result<()> {
        let to = (self.nobody(number), NOBODY);
        self.guest.send_to(b"one way", to).map(drop)
    }

    fn connection(&self, listener: &TcpListener) -> io::Result<()> {
        let to = SocketAddr::new(self.world, ECHO);
        let here = TcpStream::connect_timeout(&to, PATIENCE)?;
        let (there, _) = listener.accept()?;
        drop((there, here));
        Ok(())
    }

    /// An address in the world where nobody is.
    fn nobody(&self, number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        match self.world {
            IpAddr::V4(_) => Ipv4Addr::new(198, 18, high, low).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, number).into(),
        }
    }
}

/// Keeps this thread on the last processor: what is forwarded is forwarded there too.
fn pin() -> Result<(), String> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut set = CpuSet::new();
    set.set(processors - 1)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|errno| format!("cannot stay on one processor: {errno}"))
}

fn in_words<T>(result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}
