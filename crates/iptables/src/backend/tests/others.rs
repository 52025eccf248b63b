//! What others do, and where: their rules in our chains, and the two families of programs.

use palisade_core::backend::{Addition, Backend, Change, Foreign, Plan};
use palisade_core::network::Family;
use palisade_core::state::Record;

use super::host::Host;
use super::{Running, lock, nat, placement};
use crate::backend::{Native, NativeChain, NativeRule};
use crate::rule::Table;
use crate::run::Variant;
use crate::text;

const V4: &str = "iptables-legacy";

#[test]
fn rules_of_others_stay_and_keep_their_chain() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let theirs = "-s 10.9.9.9/32 -j DROP";
    host.put(V4, "filter", "PALISADE_FWO", 1, theirs);
    host.put(V4, "filter", "INPUT", 1, "-i eth1 -j PALISADE_INP");
    assert_eq!(
        running.differences(),
        [format!(
            "- Foreign: chain `PALISADE_FWO` of iptables table `filter` (legacy): {theirs}"
        )]
    );
    running.start(&[nat(1), nat(2)]);
    assert!(
        host.rules(V4, "filter", "PALISADE_FWO")
            .contains(&theirs.to_owned())
    );
    let plan = running.remove(&["net1", "net2"]);
    assert_eq!(
        plan.notes,
        [
            "chain `PALISADE_INP` of iptables table `filter` (legacy) stays, since it holds or serves what palisade did \
             not put there: -A INPUT -i eth1 -j PALISADE_INP",
            "chain `PALISADE_FWO` of iptables table `filter` (legacy) stays, since it holds or serves what palisade did \
             not put there: -A PALISADE_FWO -s 10.9.9.9/32 -j DROP",
        ]
    );
    assert_eq!(host.rules(V4, "filter", "PALISADE_FWO"), [theirs]);
    assert_eq!(host.rules(V4, "filter", "FORWARD"), ["-j PALISADE_FWO"]);
    assert_eq!(
        host.rules(V4, "filter", "INPUT"),
        ["-j PALISADE_INP", "-i eth1 -j PALISADE_INP"]
    );
    assert_eq!(host.standing().len(), 1);
    // And it can be begun again there.
    running.start(&[nat(1)]);
    let told = running.differences();
    assert_eq!(told.len(), 1, "{told:#?}");
}

/// The programs delete the first rule that says what is asked: ours.
#[test]
fn a_copy_of_ours_goes_alone() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let before = host.rules(V4, "filter", "PALISADE_FWO");
    let chain = "PALISADE_FWO";
    host.put(V4, "filter", chain, before.len(), &before[0]);
    assert_eq!(running.differences().len(), 1);
    repair(&mut running);
    assert_eq!(host.rules(V4, "filter", chain), before);
    assert_eq!(running.differences(), Vec::<String>::new());
}

/// Puts back what is recorded, and takes out what others put there.
fn repair(running: &mut Running) -> Plan {
    let change = Change {
        restore: running.records.iter().collect(),
        foreign: Foreign::Remove,
        ..Change::default()
    };
    let plan = running.backend.plan(&change).unwrap();
    running.carry_out(&plan).unwrap();
    plan
}

/// Some rules the programs print and do not find again by what they printed.
#[test]
fn what_cannot_be_deleted_by_its_words_goes_and_counters_stay() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let chain = "PALISADE_FWO";
    let before = host.rules(V4, "filter", chain);
    host.meddle(V4, "filter", |table| {
        for rule in &mut table.rules {
            rule.counters = Some(text::Counters {
                packets: 7,
                bytes: 99,
            });
        }
    });
    let lost: text::Words = before[0].parse().unwrap();
    host.meddle(V4, "filter", |table| {
        table.rules.retain(|rule| rule.words != lost);
    });
    let recent = "-m recent --set --name DEFAULT --rsource -j RETURN";
    host.put(V4, "filter", chain, 0, recent);
    let broken = host.standing();
    let plan = repair(&mut running);
    assert_eq!(host.rules(V4, "filter", chain), before);
    assert_eq!(running.differences(), Vec::<String>::new());
    for step in &plan.steps {
        assert!(running.backend.has_landed(step).unwrap());
    }
    host.meddle(V4, "filter", |table| {
        let kept = table.rules.iter().filter(|rule| rule.chain == chain);
        let counted = kept.filter(|rule| rule.counters.is_some_and(|c| c.packets == 7));
        assert_eq!(counted.count(), before.len() - 1);
    });
    for step in &plan.steps {
        running.backend.run(&step.undo, &lock()).unwrap();
        assert!(!running.backend.has_landed(step).unwrap());
    }
    assert_eq!(host.standing(), broken);
}

/// What the kernel tells of each table of IPv4 that is called `nat`.
struct Told(Vec<NativeChain>);

impl Native for Told {
    fn chains(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<NativeChain>, Box<dyn std::error::Error + Send + Sync>> {
        let is_it = family == Family::Ipv4 && table == "nat";
        Ok(if is_it { self.0.clone() } else { Vec::new() })
    }

    fn uses_legacy(&mut self, _family: Family) -> bool {
        false
    }
}

/// A chain with rules that the programs do not print as they are, each in nft's words.
fn told_by_kernel(chain: &str, rules: &[&str]) -> NativeChain {
    let rules = rules.iter().map(|text| NativeRule {
        handle: 7,
        text: (*text).to_owned(),
        is_printed: false,
        jump: None,
        counters: None,
    });
    NativeChain {
        name: chain.to_owned(),
        policy: None,
        rules: rules.collect(),
    }
}

/// The programs print a jump that is narrowed as the whole one.
#[test]
fn a_jump_that_leads_on_only_some_packets_is_missing_and_keeps_its_chain() {
    let host = Host::default();
    let mut running = Running::on(&host, "nft");
    running.start(&[nat(1)]);
    assert_eq!(running.differences(), Vec::<String>::new());
    let narrowed = "ip saddr @addresses counter jump PALISADE_PRT";
    let told = vec![told_by_kernel("POSTROUTING", &[narrowed])];
    running.backend = host.backend().with(Box::new(Told(told)));
    assert_eq!(
        running.differences(),
        [
            "- Missing: chain `POSTROUTING` of iptables table `nat` (nft): the jump `-j PALISADE_PRT`"
        ]
    );
    let plan = running.remove(&["net1"]);
    let stays = plan.notes.join("\n");
    assert!(stays.contains(narrowed), "{stays}");
}

/// Nor can a chain go to which only some elements of a map lead.
#[test]
fn a_chain_to_which_a_map_leads_stays() {
    let host = Host::default();
    let mut running = Running::on(&host, "nft");
    running.start(&[nat(1)]);
    host.put("iptables-nft", "nat", "POSTROUTING", 1, "-j ACCEPT");
    let mapped = "oifname vmap @ways { \"a\" : accept, \"b\" : goto PALISADE_PRT, \"c\" : drop }";
    let mut parent = told_by_kernel("POSTROUTING", &["counter jump PALISADE_PRT", mapped]);
    parent.rules[0].is_printed = true;
    running.backend = host.backend().with(Box::new(Told(vec![parent])));
    assert_eq!(running.differences(), Vec::<String>::new());
    let plan = running.remove(&["net1"]);
    let stays = plan.notes.join("\n");
    assert!(stays.contains("oifname vmap @ways"), "{stays}");
    assert_eq!(plan.notes.len(), 1, "{stays}");
}

/// As `iptables -E` does: what leads to the chain leads to it still.
#[test]
fn a_renamed_chain_is_told_and_left_alone() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let (ours, other) = ("PALISADE_FWX", "OTHER");
    let jump: text::Words = ["-j", ours].into_iter().collect();
    host.meddle(V4, "filter", |table| {
        for chain in table.chains.iter_mut().filter(|chain| chain.name == ours) {
            chain.name = other.to_owned();
        }
        for rule in &mut table.rules {
            if rule.chain == ours {
                rule.chain = other.to_owned();
            }
            if rule.words == jump {
                rule.words = ["-j", other].into_iter().collect();
            }
        }
    });
    let renamed = host.rules(V4, "filter", other);
    assert_eq!(renamed.len(), 1);
    assert_eq!(
        running.differences()[0],
        "- Missing: chain `PALISADE_FWX` of iptables table `filter` (legacy): the chain; its rules \
         are in `OTHER`: somebody renamed or copied it"
    );
    let note = "chain `OTHER` of iptables table `filter` (legacy) has rules of `net1` word for word: \
        somebody renamed or copied a chain of palisade's; by its name it is not ours, and stays. \
        `iptables-legacy -t filter -D FORWARD -j OTHER`, `iptables-legacy -t filter -F OTHER`, \
        `iptables-legacy -t filter -X OTHER` take it away";
    assert_eq!(repair(&mut running).notes, [note]);
    assert_eq!(running.differences(), Vec::<String>::new());
    assert_eq!(running.remove(&["net1"]).notes, [note]);
    assert_eq!(host.rules(V4, "filter", other), renamed);
}

#[test]
fn what_others_deleted_already_is_not_missed() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    host.meddle(V4, "filter", |table| {
        let is_of_net1 = |rule: &text::Rule| rule.words.to_string().contains("net1");
        table.rules.retain(|rule| !is_of_net1(rule));
    });
    running.remove(&["net1"]);
    assert_eq!(running.differences(), Vec::<String>::new());
    host.0.borrow_mut().tables.clear();
    let plan = running.remove(&["net2"]);
    assert!(plan.steps.is_empty());
}

#[test]
fn changed_and_moved_is_told() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    host.meddle(V4, "filter", |table| {
        for rule in &mut table.rules {
            if rule.words.behind("--comment") == Some("net1: out") {
                let changed = rule.words.to_string().replace("ACCEPT", "DROP");
                rule.words = changed.parse().unwrap();
            }
        }
    });
    let out = "-s 10.0.1.0/24 -i virbr1 -m comment --comment \"net1: out\" -j";
    let place = "iptables table `filter` (legacy)";
    assert_eq!(
        running.differences(),
        [format!(
            "net1 Changed: chain `PALISADE_FWO` of {place}: `{out} DROP` instead of `{out} ACCEPT`"
        )]
    );
    host.put(V4, "filter", "FORWARD", 0, "-j DOCKER");
    host.meddle(V4, "filter", |table| {
        table.rules.retain(|rule| rule.chain != "OUTPUT");
    });
    let told = running.differences();
    assert_eq!(
        told[..2],
        [
            format!(
                "- Order: chain `FORWARD` of {place}: the jumps to PALISADE_FWA, PALISADE_FWB, PALISADE_FWX, \
                 PALISADE_FWI, PALISADE_FWO are not at the head"
            ),
            format!("- Missing: chain `OUTPUT` of {place}: the jump `-j PALISADE_OUT`"),
        ]
    );
}

#[test]
fn auto_is_the_family_that_holds_rules_then_the_usual_one() {
    let settled = |host: &Host| {
        let settled = host.backend().settle(&placement("auto")).unwrap();
        settled.setting("programs").unwrap().to_owned()
    };
    let host = Host::default();
    assert_eq!(settled(&host), "nft");
    host.put("iptables-legacy", "filter", "INPUT", 0, "-j ACCEPT");
    assert_eq!(settled(&host), "legacy");
    host.put("iptables-nft", "filter", "INPUT", 0, "-j ACCEPT");
    assert_eq!(settled(&host), "nft");
    Running::on(&host, "legacy").start(&[nat(1)]);
    assert_eq!(settled(&host), "legacy");
    host.0.borrow_mut().missing = vec!["iptables"];
    let error = host.backend().settle(&placement("auto")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "iptables: there is no program `iptables-restore`"
    );
}

#[test]
fn networks_move_from_one_family_of_programs_to_the_other() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let records: Vec<Record> = running.records.clone();
    let networks = [nat(1), nat(2)];
    let there = placement("nft");
    let change = Change {
        remove: records.iter().collect(),
        add: networks
            .iter()
            .zip(&records)
            .map(|(network, record)| Addition {
                network,
                placement: &there,
                order: record.order,
            })
            .collect(),
        ..Change::default()
    };
    let plan = running.backend.plan(&change).unwrap();
    // What comes stands before anything goes.
    let whats: Vec<&str> = plan.steps.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(whats[0], "iptables nat (nft)");
    assert!(
        whats[..6].iter().all(|what| what.ends_with("(nft)")),
        "{whats:?}"
    );
    running.carry_out(&plan).unwrap();
    let standing = host.standing();
    assert_eq!(standing.len(), 6);
    assert!(
        standing.keys().all(|place| place.contains("tables-nft")),
        "{standing:?}"
    );
}

#[test]
fn a_table_that_the_programs_cannot_print_is_not_taken_for_an_empty_one() {
    let host = Host::default();
    let mut running = Running::on(&host, "nft");
    running.start(&[nat(1)]);
    host.0.borrow_mut().hidden = Some("nat");
    host.0.borrow_mut().unlisted = Some("PALISADE_PRT");
    let told = running.differences();
    assert_eq!(
        told,
        [
            "- Unreadable: tables of iptables (nft): iptables-nft-save cannot print table `nat`; \
             `nft list table ip nat` shows what another program put there",
            "- Unreadable: tables of ip6tables (nft): ip6tables-nft-save cannot print table `nat`; \
             `nft list table ip6 nat` shows what another program put there",
        ]
    );
    // Where the kernel tells more, the rule to blame is named, first of all one in our chains.
    running.backend = host.backend().with(Box::new(Told(vec![
        told_by_kernel("mine", &["ct state new accept"]),
        told_by_kernel("PALISADE_PRT", &["numgen random mod 2 0 accept"]),
    ])));
    assert_eq!(
        running.differences()[0],
        "- Unreadable: tables of iptables (nft): iptables-nft-save cannot print table `nat`: chain \
         `PALISADE_PRT` has the rule `numgen random mod 2 0 accept` (palisade did not put it \
         there); `nft delete rule ip nat PALISADE_PRT handle 7`"
    );
    let saved = running.backend.saved(Variant::Nft, Family::Ipv4).unwrap();
    assert_eq!(saved.left_out, Some(Table::Nat));
    let records = running.records.clone();
    let change = Change {
        remove: records.iter().collect(),
        ..Change::default()
    };
    let error = running.backend.plan(&change).unwrap_err();
    assert!(
        error.to_string().contains("cannot print table `nat`"),
        "{error}"
    );
    // The legacy programs leave out what is not there.
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    host.0.borrow_mut().hidden = Some("nat");
    assert!(
        running
            .differences()
            .iter()
            .all(|told| told.contains(" Missing: "))
    );
}

/// What keeps a table from being printed may be in a chain of others: that is theirs.
#[test]
fn a_table_that_is_not_printed_for_others_sake_is_read_chain_by_chain() {
    let host = Host::default();
    let mut running = Running::on(&host, "nft");
    running.start(&[nat(1)]);
    let theirs = "meta mark set ct mark";
    host.0.borrow_mut().hidden = Some("nat");
    let jump = |chain: &&str| NativeRule {
        handle: 6,
        text: format!("counter packets 0 bytes 0 jump {chain}"),
        is_printed: true,
        jump: Some((*chain).to_owned()),
        counters: Some(text::Counters::default()),
    };
    let parents = Table::Nat.parents().iter().map(|(parent, ours)| {
        let mut parent = told_by_kernel(parent, &[theirs]);
        parent.rules.splice(0..0, ours.iter().map(jump));
        parent
    });
    let parents: Vec<_> = parents.collect();
    let told = || {
        let ours = Table::Nat.chains().map(|chain| told_by_kernel(chain, &[]));
        let chains = parents.iter().cloned().chain(ours).collect();
        Box::new(Told(chains))
    };
    running.backend = host.backend().with(told());
    let of_ipv4 = |running: &mut Running| {
        let mut told = running.differences();
        told.retain(|told| !told.contains("ip6tables"));
        told
    };
    assert_eq!(of_ipv4(&mut running), Vec::<String>::new());
    // Ours are seen as they are.
    let strange = "-s 10.9.9.9/32 -j ACCEPT";
    host.put("iptables-nft", "nat", "PALISADE_PRT", 0, strange);
    assert_eq!(
        of_ipv4(&mut running),
        [format!(
            "- Foreign: chain `PALISADE_PRT` of iptables table `nat` (nft): {strange}"
        )]
    );
}

#[test]
fn what_stands_is_listed_as_it_is_saved() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    host.put(V4, "filter", "INPUT", 1, "-j DROP");
    let listing = running.backend.listing(&[&placement("legacy")]).unwrap();
    assert!(
        listing.starts_with("# iptables-legacy-save, our chains\n*"),
        "{listing}"
    );
    assert!(
        listing.contains("\n# ip6tables-legacy-save, our chains\n"),
        "{listing}"
    );
    assert!(!listing.contains("DROP"), "{listing}");
    assert_eq!(listing.matches("-j PALISADE_PRT").count(), 4, "{listing}");
    let standing = running
        .backend
        .standing(&[&running.records[0].clone()])
        .unwrap()
        .concat();
    assert_eq!(standing.len(), running.records[0].installed.len());
    assert!(
        standing
            .iter()
            .all(|s| !s.missing && s.counter.is_some() && s.purpose.is_some())
    );
    running.remove(&["net1"]);
    assert_eq!(
        running.backend.listing(&[&placement("legacy")]).unwrap(),
        ""
    );
}
