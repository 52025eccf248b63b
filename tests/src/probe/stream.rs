//! Datagrams that are sent all the while.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::Type;

use super::end::End;

/// How long a sender rests after each datagram.
const INTERVAL: Duration = Duration::from_millis(2);
/// How often a receiver that hears nothing looks whether it shall end.
const IDLE: Duration = Duration::from_millis(20);

/// What the receiver does with what it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// It answers each datagram.
    Answers,
    /// It keeps silent.
    Listens,
}

/// One flow of datagrams, until it is dropped.
#[derive(Debug)]
pub struct Stream {
    /// The sender's own address and port.
    pub sender: SocketAddr,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    is_over: AtomicBool,
    /// When datagrams arrived, and from where as it seemed.
    arrived: Mutex<Vec<(Instant, IpAddr)>>,
}

impl Stream {
    /// Begins to send.
    #[must_use]
    pub fn begin(from: &End<'_>, to: &End<'_>, receiver: Receiver) -> Self {
        let [client, server] = [from, to].map(|end| UdpSocket::from(end.socket(Type::DGRAM, None)));
        let address = |socket: &UdpSocket| socket.local_addr().expect("the address of a socket");
        let (sender, to) = (address(&client), address(&server));
        client.set_nonblocking(true).expect("not to wait");
        server
            .set_read_timeout(Some(IDLE))
            .expect("not to wait long");
        let state = Arc::new(State::default());
        let (sending, receiving) = (Arc::clone(&state), Arc::clone(&state));
        let threads = vec![
            thread::spawn(move || sending.send(&client, to)),
            thread::spawn(move || receiving.receive(&server, receiver)),
        ];
        Self {
            sender,
            state,
            threads,
        }
    }

    /// The sources that datagrams which arrived from this moment on seemed to come from.
    #[must_use]
    pub fn sources_since(&self, moment: Instant) -> BTreeSet<IpAddr> {
        let arrived = self.state.arrived.lock().expect("the receiver lives");
        let late = arrived.iter().filter(|(when, _)| *when >= moment);
        late.map(|&(_, source)| source).collect()
    }
}

impl State {
    fn send(&self, client: &UdpSocket, to: SocketAddr) {
        let mut bytes = [0; 64];
        while !self.is_over.load(Ordering::Relaxed) {
            // It may be refused on its way: then the next one may not be.
            let _ = client.send_to(b"stream", to);
            while client.recv(&mut bytes).is_ok() {}
            thread::sleep(INTERVAL);
        }
    }

    fn receive(&self, server: &UdpSocket, receiver: Receiver) {
        let mut bytes = [0; 64];
        while !self.is_over.load(Ordering::Relaxed) {
            let Ok((_, source)) = server.recv_from(&mut bytes) else {
                continue;
            };
            let mut arrived = self.arrived.lock().expect("nobody panics with it");
            arrived.push((Instant::now(), source.ip()));
            drop(arrived);
            if receiver == Receiver::Answers {
                let _ = server.send_to(b"answer", source);
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
