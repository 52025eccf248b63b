//! Our library: one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use palisade::{BackendChoice, Choice, Firewall, Layout, Options};
use palisade_netlink::{Socket, Transport, TransportError};

use super::super::amount::Amount;
use super::super::case::Case;
use super::super::namespace::Namespace;
use super::super::site;
use super::{Contestant, Label, What};

/// `Firewall::apply`, in a firewall that is open, with its state on a tmpfs.
pub(in super::super) struct Library<'a> {
    pub(in super::super) case: &'a Case<'a>,
    pub(in super::super) layout: Layout,
}

impl Contestant for Library<'_> {
    fn label(&self) -> Label {
        Label::of(self.layout, What::Library, self.case.networks.len())
    }

    fn run(&mut self) -> Result<Amount, String> {
        let namespace = Namespace::new()?;
        let state = self.case.ground.scratch.folder()?;
        let options = site::options(self.layout, &namespace, &state);
        let firewall = Firewall::open(&options).map_err(|error| error.to_string())?;
        let took = apply(firewall, self.case)?;
        namespace.close()?;
        Ok(took.into())
    }
}

/// The same with the iptables backend.
pub(in super::super) struct Iptables<'a> {
    pub(in super::super) case: &'a Case<'a>,
}

impl Contestant for Iptables<'_> {
    fn label(&self) -> Label {
        Label::other(What::LibraryIptables, self.case.networks.len())
    }

    fn run(&mut self) -> Result<Amount, String> {
        let namespace = Namespace::new()?;
        let state = self.case.ground.scratch.folder()?;
        let options = Options {
            choice: Choice {
                backend: Some(BackendChoice::Iptables),
                iptables: Some(palisade::Programs::Of(palisade::Variant::Legacy)),
                ..Choice::default()
            },
            ..site::options(Layout::Flat, &namespace, &state)
        };
        let firewall = Firewall::open(&options).map_err(|error| error.to_string())?;
        let took = apply(firewall, self.case)?;
        namespace.close()?;
        Ok(took.into())
    }
}

fn apply(mut firewall: Firewall, case: &Case<'_>) -> Result<Duration, String> {
    let start = Instant::now();
    let report = firewall.apply(&case.networks);
    let took = start.elapsed();
    report.map_err(|error| error.to_string())?;
    Ok(took)
}

/// What of `Firewall::apply` is spent in exchanges with the kernel: questions, the batch, and in
/// the flat layout the reading of handles.
pub(in super::super) struct Kernel<'a> {
    pub(in super::super) case: &'a Case<'a>,
    pub(in super::super) layout: Layout,
}

impl Contestant for Kernel<'_> {
    fn label(&self) -> Label {
        Label::of(self.layout, What::Kernel, self.case.networks.len())
    }

    fn run(&mut self) -> Result<Amount, String> {
        let namespace = Namespace::new()?;
        let state = self.case.ground.scratch.folder()?;
        let options = site::options(self.layout, &namespace, &state);
        let socket = namespace.socket()?;
        let cookie = socket
            .namespace_cookie()
            .map_err(|error| error.to_string())?;
        let spent = Spent::default();
        let timed = Box::new(spent.of(socket));
        apply(Firewall::over(timed, cookie, &options), self.case)?;
        namespace.close()?;
        Ok(spent.take().into())
    }
}

/// The time that a socket's exchanges took, in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent(Arc<AtomicU64>);

impl Spent {
    /// A socket with this clock.
    pub(super) fn of(&self, socket: Socket) -> impl Transport + use<> {
        Timed {
            socket,
            spent: self.clone(),
        }
    }

    /// The time since it was asked for.
    pub(super) fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }
}

struct Timed {
    socket: Socket,
    spent: Spent,
}

impl Transport for Timed {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let start = Instant::now();
        let exchanged = self.socket.exchange(request, replies);
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent.0.fetch_add(nanoseconds, Ordering::Relaxed);
        exchanged
    }
}
