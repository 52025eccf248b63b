//! The devices of a host, as packets pass them.

use palisade_core::evaluate::Devices;
use palisade_netlink::rtnetlink::Host;

/// The devices of a host.
pub(crate) fn devices(host: &Host) -> Devices {
    let mut devices = Devices::default();
    devices.numbers.extend(host.numbers());
    devices.bridges.extend(host.bridges());
    devices
}
