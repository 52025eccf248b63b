//! The kernel's part of our library's call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use palisade::{Firewall, Layout};
use palisade_nft::socket::Socket;
use palisade_nft::transport::{Transport, TransportError};

use super::super::case::{self, Case};
use super::super::namespace::Namespace;
use super::{Contestant, Label, What};

/// What of `Firewall::apply` is spent in exchanges with the kernel: questions, the batch, and in
/// the flat layout the reading of handles.
pub(in super::super) struct Kernel<'a> {
    pub(in super::super) case: &'a Case<'a>,
    pub(in super::super) layout: Layout,
}

impl Contestant for Kernel<'_> {
    fn label(&self) -> Label {
        Label {
            layout: Some(self.layout),
            what: What::Kernel,
        }
    }

    fn run(&mut self) -> Result<Duration, String> {
        let namespace = Namespace::new()?;
        let state = self.case.scratch.folder()?;
        let options = case::options(self.layout, &namespace, &state);
        let socket = namespace.socket()?;
        let cookie = socket
            .namespace_cookie()
            .map_err(|error| error.to_string())?;
        let spent = Arc::new(AtomicU64::new(0));
        let timed = Box::new(Timed {
            socket,
            spent: Arc::clone(&spent),
        });
        let mut firewall =
            Firewall::over(timed, cookie, &options).map_err(|error| error.to_string())?;
        firewall
            .apply(&self.case.networks)
            .map_err(|error| error.to_string())?;
        namespace.close()?;
        Ok(Duration::from_nanos(spent.load(Ordering::Relaxed)))
    }
}

/// A socket with a clock.
struct Timed {
    socket: Socket,
    /// In nanoseconds.
    spent: Arc<AtomicU64>,
}

impl Transport for Timed {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let start = Instant::now();
        let exchanged = self.socket.exchange(request, replies);
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
        exchanged
    }
}
