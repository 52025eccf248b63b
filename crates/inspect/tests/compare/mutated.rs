//! What is changed in one thing is noticed, unless it means the same; what is not noticed is listed
//! with the reason.

use palisade::Network;
use palisade::network::{Established, Family, Forward, Nat};
use palisade_core::evaluate::{Ground, Meaning};
use palisade_inspect::compare::Sides;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::text;
use palisade_nft::evaluate::ground;
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::program::Program;

use crate::mutants::{self, Mutant};
use crate::networks::{described, name, range, subnet};

/// Networks of each kind, a few at a time: fewer packets to look at.
fn sets() -> [Vec<Network>; 3] {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    let bound = Nat {
        device: Some(name("eth0")),
        addresses: Some(range([203, 0, 113, 4], [203, 0, 113, 7])),
        ..Nat::default()
    };
    let route = Forward::Route { device: None };
    let via = Forward::Nat(Nat {
        device: Some(name("eth0")),
        ..Nat::default()
    });
    let first = |network: Network| network.with_established(Established::First);
    let subnets = |texts: &[&str]| texts.iter().map(|text| subnet(text)).collect();
    [
        vec![
            described(
                0,
                Forward::Nat(nat),
                subnets(&["10.0.0.0/24", "fd00:0:0:2::/63"]),
            ),
            described(1, Forward::Isolated, subnets(&["10.0.1.0/24"])),
        ],
        vec![
            described(2, Forward::Nat(bound), subnets(&["10.0.2.0/26"])),
            described(3, route.clone(), subnets(&["10.0.3.0/25", "fd00:3::/64"])),
        ],
        vec![
            first(described(0, via, subnets(&["10.0.4.0/28"]))),
            first(described(
                1,
                route,
                subnets(&["10.0.5.0/25", "fd00:5::/64"]),
            )),
            described(2, Forward::Isolated, subnets(&["10.0.6.0/24"])),
        ],
    ]
}

/// What networks become in a family, to be changed.
#[derive(Clone)]
struct Lowered {
    family: Family,
    meaning: Meaning,
    flat: Option<Program>,
    mapped: Option<Program>,
    saved: Vec<text::Table>,
}

impl Lowered {
    fn of(networks: &[Network], family: Family) -> Self {
        let program = |layout| {
            let placed: Vec<(Layout, &Network)> = networks.iter().map(|n| (layout, n)).collect();
            Program::of(&TableName::default(), family, &placed)
        };
        Self {
            family,
            meaning: Meaning::of(networks),
            flat: program(Layout::Flat),
            mapped: program(Layout::Mapped),
            saved: palisade_iptables::backend::tables(networks, family),
        }
    }

    /// Whether some packet is treated otherwise than documented. A rule that matches what none of ours
    /// matches is noticed too.
    fn is_noticed(&self) -> bool {
        let sides = Sides {
            family: self.family,
            meaning: &self.meaning,
            flat: ground(&self.flat),
            mapped: ground(&self.mapped),
            iptables: Ground::of(Tables::of(self.family, &self.saved)),
        };
        sides.first_disagreement() != Ok(None)
    }
}

/// What is installed in each family for each of the sets.
fn lowered() -> Vec<Lowered> {
    let sets = sets();
    let of = |networks: &Vec<Network>| Family::BOTH.map(|family| Lowered::of(networks, family));
    sets.iter().flat_map(of).collect()
}

/// Which mutants are not noticed, each with the reason, and how many there are of all.
#[derive(Default)]
struct Tried {
    all: usize,
    survivors: Vec<String>,
}

impl Tried {
    fn take<T>(&mut self, mutants: Vec<Mutant<T>>, put: impl Fn(T) -> Lowered) {
        for mutant in mutants {
            self.all += 1;
            if !put(mutant.result).is_noticed() {
                self.survivors.push(mutant.what);
            }
        }
    }

    /// As the list is kept; without a reason is nobody.
    fn told(mut self) -> String {
        self.survivors.sort();
        let has_reason = |survivor: &&String| reason(survivor).is_some();
        let missed: Vec<&String> = self.survivors.iter().filter(|s| !has_reason(s)).collect();
        assert!(missed.is_empty(), "not noticed: {missed:#?}");
        let mut text = format!("{} mutants, {} survive:\n", self.all, self.survivors.len());
        for survivor in &self.survivors {
            text += &format!(
                "\n{survivor}\n    {}\n",
                reason(survivor).unwrap_or_default()
            );
        }
        text
    }
}

/// Why a mutant means the same.
fn reason(what: &str) -> Option<&'static str> {
    let (how, rest) = what.split_once(": ")?;
    let is_in = |chains: &[&str]| chains.iter().any(|chain| rest.contains(chain));
    let keeps_source = rest.contains("without nat");
    // Of the one network that takes known flows alone, and accepts them first.
    let is_answered = is_in(&["n0: in"]) && is_in(&["eth0", "10.0.4."])
        || is_in(&["reply_via_28", "answers into a /28"]);
    let is_administrators = is_in(&[
        "dministrator",
        "guest_admin",
        "guest_host",
        "guests_input",
        "PALISADE_FWA",
        "PALISADE_FWB",
    ]);
    let is_mending = is_in(&["guest_mss", "PALISADE_MSS", "mangle: -A FORWARD"]);
    let is_between = is_in(&[
        "reached without nat",
        "between_networks",
        "guest_between",
        "PALISADE_BTW",
    ]);
    match how {
        _ if is_answered => Some("what belongs to a known flow was accepted before"),
        "accept instead" | "ACCEPT instead"
            if is_in(&["administrator to the host", "PALISADE_INP"]) =>
        {
            Some("nothing of ours decides behind it")
        }
        _ if is_administrators && !how.ends_with("instead") => {
            Some("the administrator's chains are empty")
        }
        "drop" | "empty" if is_mending => Some("no network clamps segments"),
        "accept instead" | "ACCEPT instead" if is_mending => {
            Some("the chain mends packets, and decides on none")
        }
        _ if is_between => Some("no network asks to be reached without translation"),
        _ if is_in(&["guest_to_guest: "]) && is_in(&["through the network's device"]) => {
            Some("the network's device is no bridge")
        }
        _ if is_in(&["on_bridge_26", "on_bridge_28"]) => {
            Some("the network translates only what leaves through its device")
        }
        "add an element" if rest.starts_with("on_bridge_") => {
            Some("what is excepted from translation beyond is not translated at all")
        }
        "the other interface" if is_in(&["goto guest_to_guest"]) => {
            Some("all that comes here came in from a bridge, and what follows matches both")
        }
        "swap with the next" => Some("no packet fits both, or both do the same"),
        "another set" => Some("both sets have the same keys"),
        "return instead" | "RETURN instead" => Some("nothing that decides follows"),
        _ if how.ends_with("instead") && (how.starts_with("goto") || how.starts_with("jump")) => {
            Some("nothing that decides follows where it would come back to")
        }
        "accept instead" | "ACCEPT instead" if keeps_source || is_in(&["no nat"]) => {
            Some("either way it is not translated")
        }
        "accept instead" if is_in(&["from_guest"]) => {
            Some("the network's device is no bridge, so that no other network is asked")
        }
        "widen by a bit" | "widen by a byte" if keeps_source => {
            Some("what is excepted from translation beyond is not translated at all")
        }
        "widen by a bit" | "the other address" if is_in(&["no nat"]) => {
            Some("what is excepted from translation beyond is not translated at all")
        }
        "drop" | "ACCEPT instead" if is_in(&["mangle: -A POSTROUTING"]) => {
            Some("the chain mends packets, and decides on none")
        }
        "drop" | "ACCEPT instead" if is_in(&["mangle: -A PREROUTING"]) => {
            Some("nobody is blocked: the chain is empty")
        }
        "drop" | "ACCEPT instead" if is_in(&["nat: -A OUTPUT", "nat: -A PREROUTING"]) => {
            Some("no port is forwarded: the chain is empty")
        }
        "drop" | "ACCEPT instead" if is_in(&["nat: -A POSTROUTING"]) => {
            Some("nobody is translated in this family: the chain is empty")
        }
        "add an element" if rest.starts_with("same_") => {
            Some("what is excepted from translation beyond is not translated at all")
        }
        // Bridges that no network has.
        "add an element" if is_in(&["\"br4\"", "\"br5\"", "\"br6\"", "\"br7\""]) => {
            Some("of that bridge, the other sets have nothing to say")
        }
        _ => None,
    }
}

#[test]
fn of_flat() {
    let mut tried = Tried::default();
    for lowered in lowered() {
        let Some(flat) = &lowered.flat else { continue };
        tried.take(mutants::of_program(flat), |flat| Lowered {
            flat: Some(flat),
            ..lowered.clone()
        });
    }
    insta::assert_snapshot!(tried.told());
}

#[test]
fn of_mapped() {
    let mut tried = Tried::default();
    for lowered in lowered() {
        let Some(mapped) = &lowered.mapped else {
            continue;
        };
        tried.take(mutants::of_program(mapped), |mapped| Lowered {
            mapped: Some(mapped),
            ..lowered.clone()
        });
    }
    insta::assert_snapshot!(tried.told());
}

#[test]
fn of_iptables() {
    let mut tried = Tried::default();
    for lowered in lowered() {
        tried.take(mutants::of_tables(&lowered.saved), |saved| Lowered {
            saved,
            ..lowered.clone()
        });
    }
    insta::assert_snapshot!(tried.told());
}

/// A family that one side forgets.
#[test]
fn a_table_that_is_missing_is_noticed() {
    for lowered in lowered() {
        let without = [
            Lowered {
                flat: None,
                ..lowered.clone()
            },
            Lowered {
                mapped: None,
                ..lowered.clone()
            },
            Lowered {
                saved: Vec::new(),
                ..lowered.clone()
            },
        ];
        for lowered in without {
            assert!(lowered.is_noticed());
        }
    }
}
