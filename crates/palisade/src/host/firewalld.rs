//! firewalld, by its D-Bus interface.

use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::bus::{Bus, BusError, Target};

const NAME: &str = "org.fedoraproject.FirewallD1";
const DAEMON: Target = Target {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
};
const POLICIES: Target = Target {
    interface: "org.fedoraproject.FirewallD1.policy",
    ..ZONES
};
const ZONES: Target = Target {
    destination: NAME,
    path: "/org/fedoraproject/FirewallD1",
    interface: "org.fedoraproject.FirewallD1.zone",
};

/// The firewalld of a network namespace, if there is one.
pub(super) struct Firewalld {
    namespace: Option<PathBuf>,
    bus: Option<Bus>,
}

/// What zones can be asked for and changed by. Changes last until firewalld starts again.
pub(super) trait Zones {
    /// Their names.
    fn zones(&mut self) -> Result<Vec<String>, FirewalldError>;

    /// The names of policies between zones.
    fn policies(&mut self) -> Result<Vec<String>, FirewalldError>;

    /// The zone that an interface is in, if it is in one.
    fn zone_of(&mut self, interface: &str) -> Result<Option<String>, FirewalldError>;

    /// Puts an interface into a zone, whichever it was in.
    fn put(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError>;

    /// Takes an interface out of a zone.
    fn take_out(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError>;
}

impl Firewalld {
    pub(super) fn of(namespace: Option<&Path>) -> Self {
        Self {
            namespace: namespace.map(Path::to_owned),
            bus: None,
        }
    }

    /// firewalld, if it runs in this network namespace. Without a system bus, nothing is connected.
    pub(super) fn running(&mut self) -> Result<Option<impl Zones + use<'_>>, FirewalldError> {
        // A connection that broke is made again, once.
        let pid = match self.pid() {
            Err(FirewalldError::Bus(BusError::Broken(_))) => self.pid()?,
            pid => pid?,
        };
        let is_here = pid.is_some_and(|pid| is_of(pid, self.namespace.as_deref()));
        Ok(self.bus.as_mut().filter(|_| is_here))
    }

    /// The number of its process, if it runs.
    fn pid(&mut self) -> Result<Option<u32>, FirewalldError> {
        let mut bus = match self.bus.take() {
            Some(bus) => bus,
            None => match Bus::system()? {
                Some(bus) => bus,
                None => return Ok(None),
            },
        };
        // It must not be started by asking for it.
        let is_owned: bool = bus.call(DAEMON, "NameHasOwner", &[NAME])?.read()?;
        let pid = match is_owned {
            true => bus.call(DAEMON, "GetConnectionUnixProcessID", &[NAME]),
            false => {
                self.bus = Some(bus);
                return Ok(None);
            }
        };
        let pid = match pid {
            Ok(pid) => Some(pid.read()?),
            Err(BusError::Refused { .. }) => None, // It ended meanwhile.
            Err(error) => return Err(error.into()),
        };
        self.bus = Some(bus);
        Ok(pid)
    }
}

impl Zones for &mut Bus {
    fn zones(&mut self) -> Result<Vec<String>, FirewalldError> {
        Ok(self.call(ZONES, "getZones", &[])?.read()?)
    }

    fn policies(&mut self) -> Result<Vec<String>, FirewalldError> {
        Ok(self.call(POLICIES, "getPolicies", &[])?.read()?)
    }

    fn zone_of(&mut self, interface: &str) -> Result<Option<String>, FirewalldError> {
        let reply = self.call(ZONES, "getZoneOfInterface", &[interface])?;
        let zone: String = reply.read()?;
        Ok(Some(zone).filter(|zone| !zone.is_empty()))
    }

    fn put(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError> {
        self.call(ZONES, "changeZoneOfInterface", &[zone, interface])?;
        Ok(())
    }

    fn take_out(&mut self, interface: &str, zone: &str) -> Result<(), FirewalldError> {
        self.call(ZONES, "removeInterface", &[zone, interface])?;
        Ok(())
    }
}

/// Whether a process is in a network namespace. One that cannot be looked at is taken to be.
fn is_of(pid: u32, namespace: Option<&Path>) -> bool {
    let identity = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    let own = namespace.unwrap_or(Path::new("/proc/thread-self/ns/net"));
    let its = format!("/proc/{pid}/ns/net");
    match (identity(own), identity(its.as_ref())) {
        (Some(own), Some(its)) => own == its,
        _ => true,
    }
}

/// Why a bridge is not in its zone.
#[derive(Debug, Error)]
pub(super) enum FirewalldError {
    #[error("the bridge must be in zone `{zone}`, and firewalld is not running here")]
    Absent { zone: String },
    #[error("firewalld has no zone `{zone}`")]
    Unknown { zone: String, known: Vec<String> },
    #[error("firewalld: {0}")]
    Bus(#[from] BusError),
}

impl Hint for FirewalldError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Absent { .. } | Self::Unknown { .. } => ErrorKind::Unsupported,
            Self::Bus(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Absent { .. } => "start firewalld, or take the zone out of the definition".into(),
            Self::Unknown { known, .. } => format!(
                "it has {}; `firewall-cmd --permanent --new-zone` makes one",
                known.join(", ")
            )
            .into(),
            Self::Bus(error) => error.hint(),
        }
    }
}
