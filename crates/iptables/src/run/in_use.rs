//! The families of packets for which the kernel's `ip_tables` has rules.

use std::fs::File;
use std::io::Read;

use palisade_core::network::Family;

/// The tables that are in use in the network namespace of the thread that opens these.
const NAMES: [(Family, &str); 2] = [
    (Family::Ipv4, "/proc/thread-self/net/ip_tables_names"),
    (Family::Ipv6, "/proc/thread-self/net/ip6_tables_names"),
];

/// The families for which tables of `ip_tables` are in use in the calling thread's network namespace.
#[must_use]
pub fn families_in_use() -> Vec<Family> {
    let is_used = |path| File::open(path).and_then(|mut names| names.read(&mut [0]));
    let names = NAMES.into_iter();
    let used = names.filter(|&(_, path)| is_used(path).is_ok_and(|read| read > 0));
    used.map(|(family, _)| family).collect()
}
