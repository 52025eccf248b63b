//! Where the rows of an index are, by what they are asked for: for those who ask more than a few
//! questions, since it takes as long to make as some hundred answers without it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::network::{InterfaceName, Name, Network, Subnet};

/// Places of rows.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    names: HashMap<Name, usize>,
    bridges: HashMap<Box<str>, Vec<usize>>,
    /// They share no addresses: each is alone between its first address and the next one's.
    subnets: BTreeMap<IpAddr, (Subnet, usize)>,
}

/// What a row is found by.
pub(super) struct Found<'i> {
    pub(super) name: &'i Name,
    pub(super) bridge: Option<&'i str>,
    pub(super) subnets: &'i [Subnet],
}

impl Lookup {
    pub(super) fn put(&mut self, place: usize, found: &Found<'_>) {
        self.names.insert(found.name.clone(), place);
        for &subnet in found.subnets {
            self.subnets.insert(subnet.network(), (subnet, place));
        }
        match found
            .bridge
            .map(|bridge| (bridge, self.bridges.get_mut(bridge)))
        {
            Some((_, Some(places))) => places.push(place),
            Some((bridge, None)) => {
                self.bridges.insert(bridge.into(), vec![place]);
            }
            None => {}
        }
    }

    pub(super) fn drop(&mut self, place: usize, found: &Found<'_>) {
        self.names.remove(found.name);
        for subnet in found.subnets {
            let first = subnet.network();
            // Another network may have it by now.
            if self.subnets.get(&first).is_some_and(|&(_, of)| of == place) {
                self.subnets.remove(&first);
            }
        }
        if let Some(bridge) = found.bridge
            && let Some(places) = self.bridges.get_mut(bridge)
        {
            places.retain(|&of| of != place);
            if places.is_empty() {
                self.bridges.remove(bridge);
            }
        }
    }

    pub(super) fn get(&self, name: &Name) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The rows with which a network may share its bridge or addresses, and some beside them.
    pub(super) fn near(&self, network: &Network) -> impl Iterator<Item = usize> {
        let bridge = network.bridge().map(InterfaceName::as_str);
        let on_bridge = bridge.and_then(|bridge| self.bridges.get(bridge));
        let overlapping = network.subnets().iter().flat_map(|subnet| {
            let first = subnet.network();
            // One that holds it, or begins within it.
            let below = self.subnets.range(..=first).next_back();
            let within = self.subnets.range(first..);
            let within = within.take_while(|(_, (other, _))| other.overlaps(*subnet));
            below
                .into_iter()
                .chain(within)
                .map(|(_, &(_, place))| place)
        });
        on_bridge.into_iter().flatten().copied().chain(overlapping)
    }
}
