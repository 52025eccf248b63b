//! Families.

use palisade_nft::object::Family;
use rustables::ProtocolFamily;

/// The family by rustables' name; none for those that it does not know.
pub(crate) fn family(family: Family) -> Option<ProtocolFamily> {
    Some(match family {
        Family::Inet => ProtocolFamily::Inet,
        Family::Ip => ProtocolFamily::Ipv4,
        Family::Arp => ProtocolFamily::Arp,
        Family::Netdev => ProtocolFamily::NetDev,
        Family::Bridge => ProtocolFamily::Bridge,
        Family::Ip6 => ProtocolFamily::Ipv6,
        Family::Other(_) => return None,
    })
}
