//! Whatever comes and goes, and whether it is read from the file in between: the answers are those
//! of somebody who looks at all records.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::row::Row;
use super::table::{Index, WITHOUT_MAPS};
use crate::backend_id::BackendId;
use crate::installed::Placement;
use crate::network::{
    Description, Forward, Name, Network, PortForward, Subnet, UnmanagedMode, conflicts,
};
use crate::record::Record;

/// What happens to an index.
#[derive(Debug, Clone)]
enum Event {
    Comes {
        name: u8,
        bridge: u8,
        subnet: u8,
        port: u8,
    },
    Goes {
        name: u8,
    },
    /// The next process reads what was written.
    IsRead,
    /// So many questions, so that maps are made.
    IsAsked,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (0..8_u8, 0..6_u8, 0..12_u8, 0..12_u8)
            .prop_map(|(name, bridge, subnet, port)| Event::Comes { name, bridge, subnet, port }),
        3 => (0..8_u8).prop_map(|name| Event::Goes { name }),
        1 => Just(Event::IsRead),
        3 => Just(Event::IsAsked),
    ];
    prop::collection::vec(event, 1..40)
}

fn name(number: u8) -> Name {
    format!("net{number}").parse().unwrap()
}

/// Some have a bridge that is shared, some subnets hold others, and some have a forward.
fn network(number: u8, bridge: u8, subnet: u8, port: u8) -> Network {
    let is_own = subnet < 10;
    let subnet = match subnet {
        0 => "10.0.0.0/12".to_owned(),
        odd if odd % 2 == 1 => format!("10.{odd}.0.0/16"),
        even => format!("10.{even}.128.0/25"),
    };
    let (forward, subnets) = if is_own {
        (Forward::Isolated, vec![subnet.parse().unwrap()])
    } else {
        (Forward::Unmanaged(UnmanagedMode::Bridge), vec![])
    };
    let forwards = forwards(&subnets, port);
    Network::new(Description {
        subnets,
        forwards,
        ..Description::new(
            name(number),
            Some(format!("br{bridge}").parse().unwrap()),
            forward,
        )
    })
    .unwrap()
}

/// Ranges of ports that overlap, some at one address and some for one source.
fn forwards(subnets: &[Subnet], port: u8) -> Vec<PortForward> {
    let Some(guest) = subnets.first().map(|subnet| subnet.network()) else {
        return Vec::new();
    };
    let guest = guest.to_string().replace(".0", ".9");
    let (first, last) = (80 + port % 4, 81 + port % 4 + port % 3);
    let address = if port % 5 == 1 { "192.0.2.1:" } else { "" };
    let forward: PortForward = format!("tcp {address}{first}-{last} -> {guest}:{first}-{last}")
        .parse()
        .unwrap();
    let source = format!("198.51.100.{}", port % 2);
    match port {
        0..3 => Vec::new(),
        3..6 => vec![
            forward
                .with_sources(vec![PortForward::parse_source(&source).unwrap()])
                .unwrap(),
        ],
        _ => vec![forward],
    }
}

fn record(network: Network, order: u64) -> Record {
    Record {
        owner: crate::NetworkOwner::default(),
        network,
        placement: Placement {
            backend: BackendId::new("nftables"),
            settings: BTreeMap::from([("table".to_owned(), format!("t{}", order % 2))]),
        },
        why: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
        order,
        installed: Vec::new(),
        actions: Vec::new(),
    }
}

const RECORDS: crate::storage::Version = crate::storage::Version {
    inode: 7,
    length: 0,
    changed: (0, 0),
};

proptest! {
    #[test]
    fn it_answers_as_the_records_would(events in events()) {
        let mut model: BTreeMap<Name, Record> = BTreeMap::new();
        let mut index = Index::default();
        let mut file = index.file(Some(RECORDS)).unwrap();
        for (order, event) in (0..).zip(events) {
            let (mut gone, mut came) = (Vec::new(), Vec::new());
            match event {
                Event::Comes { name, bridge, subnet, port } => {
                    let network = network(name, bridge, subnet, port);
                    let others = model.values().map(|other| &other.network);
                    let others: Vec<&Network> =
                        others.filter(|other| other.name() != network.name()).collect();
                    let leaving = HashSet::from([network.name()]);
                    let all: Vec<&Network> = others.iter().copied().chain([&network]).collect();
                    let conflict = !conflicts(all).is_empty();
                    prop_assert_eq!(index.conflicts_with(&network, &leaving), conflict);
                    if !conflict {
                        let record = record(network, order);
                        came.push(record.network.name().clone());
                        model.insert(record.network.name().clone(), record.clone());
                        index.put(record);
                    }
                }
                Event::Goes { name: number } => {
                    index.drop(&name(number));
                    model.remove(&name(number));
                    gone.push(name(number));
                }
                Event::IsRead => index = Index::read(&file, RECORDS).unwrap(),
                Event::IsAsked => index.asked.set(WITHOUT_MAPS),
            }
            let (gone, came): (Vec<&Name>, Vec<&Name>) = (gone.iter().collect(), came.iter().collect());
            match index.addition(&gone, &came, Some(RECORDS)) {
                Some(more) => file.extend(more),
                None => file = index.file(Some(RECORDS)).unwrap(),
            }
            let mut rows: Vec<&Record> = model.values().collect();
            rows.sort_by_key(|record| record.order);
            let names: Vec<&Name> = rows.iter().map(|record| record.network.name()).collect();
            prop_assert_eq!(index.names(), names);
            for number in 0..8 {
                let (row, record) = (index.get(&name(number)), model.get(&name(number)));
                prop_assert_eq!(row.map(Row::order), record.map(|record| record.order));
                if let (Some(row), Some(record)) = (row, record) {
                    prop_assert_eq!(index.placement(row), Some(&record.placement));
                    prop_assert!(index.is(row, &record.network));
                }
            }
        }
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        let _ = Index::read(&bytes, RECORDS);
    }
}

#[test]
fn those_that_went_are_swept() {
    let mut index = Index::default();
    for order in 0..100 {
        index.put(record(network(1, 1, 1, 0), order));
        index.put(record(network(2, 2, 3, 0), order));
        index.drop(&name(1));
    }
    index.file(Some(RECORDS)).unwrap();
    let (file, came, gone) = (index.file.len(), index.came.len(), index.gone.len());
    assert_eq!((file, came, gone), (1, 0, 0));
    assert_eq!(index.names(), [&name(2)]);
    assert_eq!(index.next_order(), 100);
}
