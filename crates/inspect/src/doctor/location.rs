//! Whose tables running networks are in.

use palisade::Firewall;
use palisade_core::location::{Location, Subsystem};
use palisade_core::state::Record;
use palisade_iptables::run::Variant;

/// Whether a network's rules are in the tables that a family of iptables' programs lists.
pub(super) fn is_of_programs(firewall: &Firewall, record: &Record, variant: Variant) -> bool {
    let subsystem = match variant {
        Variant::Nft => Subsystem::NfTables,
        Variant::Legacy => Subsystem::IpTables,
    };
    firewall.location(&record.placement) == Some(Location::SharedTables(subsystem))
}
