//! What would be installed, as text.

use palisade_core::network::{Family, Network};

use super::area::Area;
use super::difference::between;
use super::observed::Observed;
use crate::rule::{Table, placed};
use crate::run::Variant;

/// What these networks would have installed for a family where nothing of ours runs yet, in the
/// order in which they would be started: text that `iptables-restore --noflush` (for IPv6,
/// `ip6tables-restore --noflush`) accepts. Empty if they need nothing.
#[must_use]
pub fn render(networks: &[Network], family: Family) -> String {
    let added = networks.iter().map(|network| placed(network, family));
    let added: Vec<_> = added.filter(|wanted| !wanted.is_empty()).collect();
    if added.is_empty() {
        return String::new();
    }
    let area = Area {
        variant: Variant::Legacy, // Both read the same.
        family,
        networks: added.clone(),
        gone: Vec::new(),
        added: added.into_iter().enumerate().collect(),
        restored: Vec::new(),
        excess: Vec::new(),
        foreign: palisade_core::backend::Foreign::Keep,
    };
    let input = |table| between(&area, table, Observed::default()).input;
    Table::ALL.map(|table| input(table).to_string()).concat()
}
