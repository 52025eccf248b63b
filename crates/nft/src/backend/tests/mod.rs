//! Plans against kernels that are made up.

mod crash;
mod without_fib;
mod without_log;

use palisade_core::backend::Installed;
use palisade_core::identity::{Identity, Key};
use palisade_core::network::{Description, Family, Forward, Network};
use palisade_netlink::TransportError;

use super::*;
use crate::layout::Layout;
use crate::wire::{self, Kind};

/// A kernel without any table, always of the same generation.
struct Empty;

impl Transport for Empty {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let asked = wire::messages(request).next().unwrap().unwrap();
        if asked.kind == Some(Kind::GET_GENERATION) {
            let family = crate::object::Family::Other(0);
            wire::message(replies, Kind::NEW_GENERATION, 0, 0, family, |body| {
                // NFTA_GEN_ID, of 8 bytes with its header.
                body.extend([8_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat());
                body.extend(7_u32.to_be_bytes());
            });
        }
        Ok(())
    }
}

fn record(number: u8, layout: Layout) -> Record {
    let network = Network::new(Description {
        subnets: vec![format!("10.0.{number}.0/24").parse().unwrap()],
        ..Description::new(
            format!("net{number}").parse().unwrap(),
            Some(format!("virbr{number}").parse().unwrap()),
            Forward::Isolated,
        )
    });
    Record {
        owner: palisade_core::NetworkOwner::default(),
        network: network.unwrap(),
        placement: Placement::from(&Settings {
            layout,
            table: TableName::default(),
        }),
        why: String::new(),
        since: Default::default(),
        order: u64::from(number),
        installed: Vec::new(),
        actions: Vec::new(),
    }
}

#[test]
fn each_network_that_is_put_back_gets_its_own_items() {
    for layout in Layout::ALL {
        let records = [1, 2, 3].map(|number| record(number, layout));
        let change = Change {
            restore: records.iter().collect(),
            ..Change::default()
        };
        let plan = Nftables::new(Box::new(Empty)).plan(&change).unwrap();
        assert_eq!(plan.generation, Some(7));
        assert_eq!(plan.restored.len(), 3);
        for (record, restored) in records.iter().zip(plan.restored) {
            let expected: usize = Family::BOTH
                .into_iter()
                .map(|family| layout.items(&TableName::default(), family, &record.network))
                .map(|items| items.len())
                .sum();
            let restored = restored.unwrap();
            assert_eq!(restored.len(), expected);
            let bridge = record.network.bridge().unwrap().as_str();
            let is_its = |item: &Installed| match &item.item {
                Identity::Rule(rule) => rule.comment.starts_with(record.network.name().as_str()),
                Identity::Element(Key(key)) => key.starts_with(bridge.as_bytes()),
            };
            assert!(restored.iter().all(is_its));
        }
    }
}
