//! Where the rows of an index are, by what they are asked for: for those who ask more than a few
//! questions, since it takes as long to make as some dozens of answers without it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::row::Row;
use crate::network::{InterfaceName, Name, Network, Subnet};

/// Places of rows.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    names: HashMap<Name, usize>,
    bridges: HashMap<InterfaceName, Vec<usize>>,
    /// They share no addresses: each is alone between its first address and the next one's.
    subnets: BTreeMap<IpAddr, (Subnet, usize)>,
}

impl Lookup {
    pub(super) fn put(&mut self, place: usize, row: &Row) {
        self.names.insert(row.name.clone(), place);
        for &subnet in &row.subnets {
            self.subnets.insert(subnet.network(), (subnet, place));
        }
        if let Some(bridge) = &row.bridge {
            match self.bridges.get_mut(bridge) {
                Some(places) => places.push(place),
                None => {
                    self.bridges.insert(bridge.clone(), vec![place]);
                }
            }
        }
    }

    pub(super) fn drop(&mut self, place: usize, row: &Row) {
        self.names.remove(&row.name);
        for subnet in &row.subnets {
            let first = subnet.network();
            // Another network may have it by now.
            if self.subnets.get(&first).is_some_and(|&(_, of)| of == place) {
                self.subnets.remove(&first);
            }
        }
        if let Some(bridge) = &row.bridge
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
        let on_bridge = network.bridge().and_then(|bridge| self.bridges.get(bridge));
        let overlapping = network.subnets().iter().flat_map(|subnet| {
            let first = subnet.network();
            // One that holds it, or begins within it.
            let below = self.subnets.range(..=first).next_back();
            let within = self.subnets.range(first..);
            let within = within.take_while(|(_, (other, _))| other.overlaps(*subnet));
            let near = below.into_iter().chain(within);
            near.map(|(_, &(_, place))| place)
        });
        on_bridge.into_iter().flatten().copied().chain(overlapping)
    }
}
