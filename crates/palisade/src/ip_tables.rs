//! For which families of packets the kernel's `ip_tables` has rules in a network namespace.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use palisade_core::network::Family;
use palisade_nft::socket::{self, OpenError};

/// The tables that are in use in the network namespace of the thread that opens these.
const NAMES: [(Family, &str); 2] = [
    (Family::Ipv4, "/proc/thread-self/net/ip_tables_names"),
    (Family::Ipv6, "/proc/thread-self/net/ip6_tables_names"),
];

/// The lists of tables in use. Each is opened in its namespace, which takes a thread that enters it,
/// and read as often as somebody asks.
#[derive(Debug)]
pub(crate) struct IpTables {
    namespace: Option<PathBuf>,
    names: Vec<(Family, File)>,
}

impl IpTables {
    pub(crate) fn of(namespace: Option<&Path>) -> Self {
        Self {
            namespace: namespace.map(Path::to_owned),
            names: Vec::new(),
        }
    }

    /// The families for which tables are in use.
    ///
    /// # Errors
    /// If the namespace cannot be entered.
    pub(crate) fn families(&mut self) -> Result<Vec<Family>, OpenError> {
        // One that is not there may come with its module.
        if self.names.len() < NAMES.len() {
            self.names = match &self.namespace {
                None => opened(),
                Some(path) => socket::within(path.clone(), || Ok(opened()))?,
            };
        }
        let used = self.names.iter_mut();
        let used = used.filter_map(|(family, names)| is_used(names).ok()?.then_some(*family));
        Ok(used.collect())
    }
}

fn opened() -> Vec<(Family, File)> {
    let names = NAMES.into_iter();
    let opened = names.filter_map(|(family, path)| Some((family, File::open(path).ok()?)));
    opened.collect()
}

fn is_used(names: &mut File) -> io::Result<bool> {
    names.rewind()?;
    Ok(names.read(&mut [0])? > 0)
}
