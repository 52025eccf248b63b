//! The evaluator of iptables against the kernel, for both families of programs: what each rule counted
//! is what the evaluator says of all packets together, and of each packet it says whether it passes,
//! and with which source.

mod observer;
mod rulesets;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use palisade_core::evaluate::{Flow, Ground, Outcome, Packet};
use palisade_core::network::Family;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::text;
use palisade_netlink::FiveTuple;
use palisade_tests::{Chance, Trials, trials};

use crate::extent::{EACH, how_many};
use crate::packets::Headers;
use crate::router::{Router, Sent};
use crate::tally::Tally;
use crate::verdict;
use crate::way_out::{is_behind, way_out};
use observer::{Noted, Observer};

pub(crate) fn trials() -> Trials {
    trials![
        it_is_right_about_iptables_legacy,
        it_is_right_about_iptables_nft
    ]
}

fn it_is_right_about_iptables_legacy() {
    compare("legacy");
}

fn it_is_right_about_iptables_nft() {
    compare("nft");
}

const FAMILIES: [(Family, &str); 2] = [(Family::Ipv4, "iptables"), (Family::Ipv6, "ip6tables")];

fn compare(programs: &str) {
    let mut chance = Chance::new();
    let seed = chance.seed();
    println!("seed {seed}: PALISADE_TEST_SEED={seed} has the same rules and packets again");
    let router = Router::new();
    let mut observer = Observer::of(&router);
    let mut tally = Tally::default();
    let began = Instant::now();
    while tally.packets < how_many() {
        for (family, word) in FAMILIES {
            let input = rulesets::text(&mut chance, family);
            let mut restore = Command::new(format!("{word}-{programs}-restore"));
            let answer = router.host.answer(&mut restore, &input);
            assert_eq!(answer.code, Some(0), "seed {seed}: {answer}\n{input}");
        }
        let sent = router.send(&mut chance, EACH, Headers::Whole);
        for (family, word) in FAMILIES {
            let mut save = Command::new(format!("{word}-{programs}-save"));
            let saved = router.host.answer(save.arg("-c"), "").stdout();
            let tables = text::parse(&saved).expect("it is what such programs print");
            let mut account = Account {
                tables: Ground::of(Tables::of(family, &tables)),
                noted: observer.noted(&router, family),
                expected: BTreeMap::new(),
                tally: &mut tally,
            };
            for sent in &sent {
                if (family == Family::Ipv6) == sent.ends.source.is_ipv6()
                    && let Err(differs) = account.take(sent)
                {
                    panic!("seed {seed}: {differs}\n{saved}");
                }
            }
            let counted = counted(&tables);
            for (rule, packets) in &counted {
                let expected = account.expected.get(rule).map_or(&[][..], Vec::as_slice);
                assert_eq!(
                    *packets,
                    expected.len() as u64,
                    "seed {seed}: {rule:?} counted {packets}, and the evaluator says {}, such as {:?}\n{saved}",
                    expected.len(),
                    expected.first()
                );
            }
        }
    }
    let time = began.elapsed();
    println!("{tally:?} in {:.1} s", time.as_secs_f64());
    assert_enough(&tally);
}

/// A table, and a rule there or the end of a chain.
type Place = (String, String);

/// What the evaluator says of packets, beside what became of them.
struct Account<'a> {
    tables: Ground<'static>,
    noted: Noted,
    /// Which packets rules apply to.
    expected: BTreeMap<Place, Vec<Packet>>,
    tally: &'a mut Tally,
}

impl Account<'_> {
    fn take(&mut self, sent: &Sent) -> Result<(), String> {
        let packet = self.packet(sent);
        let outcome = self.tables.evaluate(&packet);
        // Only the first packet of a flow that is kept is translated, by rules.
        let is_first = !self.noted.settled.contains(&sent.number);
        self.expect(&packet, &outcome, is_first);

        let left = self.noted.left.get(&sent.number);
        let passes = left.is_some() || self.noted.arrived.contains(&sent.number);
        let told = || {
            format!(
                "{packet:?}: it left as {left:?}, arrived: {}; the evaluator: {outcome:#?}",
                self.noted.arrived.contains(&sent.number)
            )
        };
        if passes != outcome.fate.verdict.passes() {
            return Err(format!("two verdicts on {}", told()));
        }
        if let (Some(&(source, port)), true) = (left, is_first) {
            let went = FiveTuple {
                source,
                destination: packet.destination(),
                protocol: packet.protocol,
                ports: packet.source_port.map(|_| (port, 0)),
            };
            if !verdict::is_translation(outcome.fate.nat, &packet, &went) {
                return Err(format!("not translated so: {}", told()));
            }
        }
        let translates = outcome.fate.nat.translates();
        self.tally.packets += 1;
        self.tally.translated += usize::from(translates && is_first);
        self.tally.known_flows += usize::from(packet.flow.is_known());
        self.tally.unsure += usize::from(!outcome.is_certain());
        self.tally.met(outcome.fate.verdict);
        Ok(())
    }

    fn packet(&self, sent: &Sent) -> Packet {
        let ends = sent.ends;
        let packet = Packet::new(ends.source, ends.destination, ends.protocol);
        let mut packet = packet.expect("both are of one family");
        if matches!(ends.protocol, 6 | 17) {
            let [source, destination] = ends.ports;
            packet.source_port = Some(source);
            packet.destination_port = Some(destination);
        }
        packet.in_interface = sent.in_interface.parse().ok();
        packet.out_interface = way_out(ends.destination).and_then(|name| name.parse().ok());
        packet.reverse_path = Some(is_behind(sent.in_interface, ends.source));
        // What a rule drops before conntrack, conntrack says nothing of.
        let flow = self.noted.flows.get(&sent.number);
        packet.flow = flow.copied().unwrap_or(Flow::New);
        packet
    }

    fn expect(&mut self, packet: &Packet, outcome: &Outcome, is_first: bool) {
        for visit in &outcome.path {
            let table = visit.table.clone().unwrap_or_default();
            if visit.matched != Some(true) || (table == "nat" && !is_first) {
                continue;
            }
            let rule = match visit.rule.as_str() {
                "policy DROP" => format!("{} {}", visit.chain, visit.rule),
                rule => rule.to_owned(),
            };
            self.tally.rules += 1;
            let packets = self.expected.entry((table, rule)).or_default();
            packets.push(packet.clone());
        }
    }
}

/// What rules counted, and the ends of chains that drop.
fn counted(tables: &[text::Table]) -> Vec<(Place, u64)> {
    let mut counted = Vec::new();
    for table in tables {
        let name = || table.name.clone();
        for rule in &table.rules {
            let counters = rule.counters.expect("it was asked for");
            counted.push(((name(), rule.words.to_string()), counters.packets));
        }
        for chain in &table.chains {
            if let (Some("DROP"), Some(counters)) = (chain.policy.as_deref(), chain.counters) {
                let place = (name(), format!("{} policy DROP", chain.name));
                counted.push((place, counters.packets));
            }
        }
    }
    counted
}

/// Too little of something would show nothing.
fn assert_enough(tally: &Tally) {
    let twentieth = tally.packets / 20;
    for seen in [tally.passed, tally.dropped] {
        assert!(seen > twentieth, "{tally:?}");
    }
    for seen in [tally.rejected, tally.translated, tally.known_flows] {
        assert!(seen > twentieth / 20, "{tally:?}");
    }
    assert!(tally.rules > tally.packets, "{tally:?}");
    assert!(tally.unsure < tally.packets / 4, "{tally:?}");
}
