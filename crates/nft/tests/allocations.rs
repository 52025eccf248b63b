//! Encoding allocates nothing for each rule or element: only the batch's buffer grows. Nor does
//! looking at elements where they stand in an answer.
//!
//! What is counted is this thread's alone, so that nothing else in the process is.
#![allow(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;

use palisade_core::network::{Description, Family, Forward, Nat, Network};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::object::Element;
use palisade_nft::parts::Item;
use palisade_nft::parts::wire;
use palisade_nft::parts::{At, Batch};

/// The system's allocator, and how often it was asked.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ASKED.set(ASKED.get() + 1);
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, memory: Memory) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, memory) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, memory: Memory, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, memory, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn network(number: u16) -> Network {
    let [high, low] = number.to_be_bytes();
    let subnets = [
        format!("10.{high}.{low}.0/24"),
        format!("fd00:{number:x}::/64"),
    ];
    Network::new(Description {
        subnets: subnets
            .iter()
            .map(|subnet| subnet.parse().unwrap())
            .collect(),
        dhcp: true,
        ..Description::new(
            format!("net{number}").parse().unwrap(),
            Some(format!("virbr{number}").parse().unwrap()),
            Forward::Nat(Nat::default()),
        )
    })
    .unwrap()
}

/// How often memory is asked for while the items of so many networks go into a batch.
fn asked_for(networks: u16, layout: Layout) -> usize {
    let table = TableName::default();
    let items: Vec<(Family, Item)> = (0..networks)
        .map(network)
        .flat_map(|network| {
            Family::BOTH.map(|family| {
                let items = layout.items(&table, family, &network);
                items.into_iter().map(move |item| (family, item))
            })
        })
        .flatten()
        .collect();
    let names: Vec<String> = items.iter().map(|(_, item)| set_of(item)).collect();
    let before = ASKED.get();
    let mut batch = Batch::new(Some(7));
    for ((family, item), set) in items.iter().zip(&names) {
        match item {
            Item::Rule(rule) => batch.add_rule(rule, At::Head),
            Item::Element { element, .. } => {
                let (family, table) = ((*family).into(), table.as_str());
                batch.add_elements(family, table, set, [element]);
                batch.delete_elements(family, table, set, [element]);
            }
        }
    }
    let bytes = batch.finish();
    let asked = ASKED.get() - before;
    assert!(bytes.len() > 500 * usize::from(networks));
    asked
}

fn set_of(item: &Item) -> String {
    match item {
        Item::Rule(_) => String::new(),
        Item::Element { set, .. } => set.name(),
    }
}

#[test]
fn only_the_buffer_grows() {
    for layout in Layout::ALL {
        // A buffer that doubles: 13 times from 4 KiB to 32 MiB, beside its beginning.
        for networks in [1, 100, 1_000] {
            let asked = asked_for(networks, layout);
            assert!(asked <= 14, "{layout}, {networks} networks: {asked}");
        }
    }
}

/// Elements of so many networks, as a dump has them.
fn dumped(networks: u16) -> Vec<Vec<u8>> {
    let table = TableName::default();
    let elements = (0..networks).map(network).flat_map(|network| {
        let items = Layout::Mapped.items(&table, Family::Ipv6, &network);
        items.into_iter().filter_map(|item| match item {
            Item::Element { element, .. } => Some(element),
            Item::Rule(_) => None,
        })
    });
    let elements: Vec<Element> = elements.collect();
    let (mut bodies, mut left) = (Vec::new(), elements.iter().peekable());
    while left.peek().is_some() {
        let mut body = Vec::new();
        wire::element::encode(table.as_str(), "out_64", &mut left, &mut body);
        bodies.push(body);
    }
    bodies
}

#[test]
fn elements_are_looked_at_where_they_stand() {
    for networks in [1, 100, 1_000] {
        let bodies = dumped(networks);
        let before = ASKED.get();
        let (mut seen, mut owned) = (0, 0);
        for listed in bodies.iter().flat_map(|body| wire::element::each(body)) {
            let element = listed.unwrap().seen;
            seen += 1;
            owned += usize::from(element.text().is_some_and(|owner| owner.starts_with("net")));
        }
        let asked = ASKED.get() - before;
        assert_eq!((asked, owned), (0, seen), "{networks} networks");
        assert!(seen >= 6 * usize::from(networks), "{seen}");
    }
}
