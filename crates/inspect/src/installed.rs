//! Installed tables of either technology, as packets meet them.

use std::borrow::Cow;

use palisade::Owner as Of;
use palisade_core::evaluate::{Devices, Member, Owner};
use palisade_core::network;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::rule::is_chain;
use palisade_iptables::text;
use palisade_netlink::rtnetlink::Host;
use palisade_nft::evaluate::Table;
use palisade_nft::layout;
use palisade_nft::program::Program;

/// A table of nf_tables.
pub(crate) fn table(program: Cow<'_, Program>) -> Member<'_> {
    let mut chains = program.chains.iter();
    let is_ours = layout::version(&program.table).is_some()
        || chains.any(|chain| is_chain(&chain.chain.name));
    let label = format!("{} {}", program.table.family, program.table.name);
    let table = Table::of(program).with_owners(|rule| Of::of_rule(rule).serves());
    Member::new(label, owner(is_ours), table)
}

/// What a family of programs of iptables prints, by the name of these.
pub(crate) fn saved(
    label: &str,
    family: network::Family,
    tables: &[text::Table],
) -> Member<'static> {
    let is_ours = |table: &text::Table| table.chains.iter().any(|chain| is_chain(&chain.name));
    let owner = owner(tables.iter().any(is_ours));
    Member::new(label, owner, Tables::of(family, tables).labelled(label))
}

fn owner(is_ours: bool) -> Owner {
    if is_ours {
        Owner::Palisade
    } else {
        Owner::Foreign
    }
}

/// The devices of a host.
pub(crate) fn devices(host: &Host) -> Devices {
    let mut devices = Devices::default();
    devices.numbers.extend(host.numbers());
    devices.bridges.extend(host.bridges());
    devices
}
