//! Rules that `iptables-nft-save` does not print as they are: nothing is believed whole because of
//! what it leaves out.

use std::process::Command;

use palisade_tests::{Namespace, Palisade, Trials, trials};
use serde_json::Value;

use palisade_tests::place::{Place, assert_clean, net, routed};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        a_narrowed_jump_is_told_and_comes_back,
        a_narrowed_rule_of_others_is_told_and_goes,
        what_keeps_a_table_from_being_printed_is_named,
        what_is_in_chains_of_others_is_theirs,
        what_a_map_of_others_leads_to_stays,
        what_looks_like_ours_to_the_programs_is_not_deleted_for_it,
    ])
}

fn nft(namespace: &Namespace, words: &[&str]) -> String {
    namespace
        .answer(Command::new("nft").args(words), "")
        .stdout()
}

/// The handle of the rule in a chain of the table `filter` that says this.
fn handle(namespace: &Namespace, chain: &str, of: &str) -> String {
    let listed = nft(namespace, &["-a", "list", "chain", "ip", "filter", chain]);
    let line = listed.lines().find(|line| line.contains(of)).expect("it");
    line.rsplit_once(' ').expect("its handle").1.to_owned()
}

fn saved(namespace: &Namespace) -> String {
    namespace
        .answer(&mut Command::new("iptables-nft-save"), "")
        .stdout()
}

#[track_caller]
fn verified(palisade: &Palisade<'_>) -> Value {
    let answer = palisade.answer(["--format", "json", "verify"]);
    assert_eq!(answer.code, Some(3), "{answer}");
    serde_json::from_str(&answer.stdout).expect("JSON")
}

fn a_narrowed_jump_is_told_and_comes_back() {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let before = saved(&namespace);
    let jump = handle(&namespace, "FORWARD", "jump PALISADE_FWO");
    namespace.nft(&format!(
        "replace rule ip filter FORWARD handle {jump} ip saddr {{ 1.2.3.4, 5.6.7.8 }} counter \
         jump PALISADE_FWO"
    ));
    let rules = |saved: &str| {
        let rules = saved.lines().filter(|line| line.starts_with("-A"));
        rules.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rules(&saved(&namespace)), rules(&before));
    let told = verified(&palisade);
    let found = &told["differences"][0];
    assert_eq!(found["kind"], "missing", "{told:#}");
    assert_eq!(found["detail"], "the jump `-j PALISADE_FWO`", "{told:#}");
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    let chain = nft(&namespace, &["list", "chain", "ip", "filter", "FORWARD"]);
    let whole = chain.lines().filter(|line| {
        let line = line.trim();
        line.starts_with("counter") && line.ends_with("jump PALISADE_FWO")
    });
    assert_eq!(whole.count(), 1, "{chain}");
}

fn a_narrowed_rule_of_others_is_told_and_goes() {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let before = saved(&namespace);
    namespace
        .nft("insert rule ip filter PALISADE_FWO ip saddr { 1.2.3.4, 5.6.7.8 } counter accept");
    let told = verified(&palisade);
    let found = &told["differences"][0];
    assert_eq!(found["kind"], "foreign", "{told:#}");
    let detail = found["detail"].as_str().expect("words");
    assert!(!detail.starts_with('-'), "{told:#}");
    assert!(detail.ends_with("accept"), "{told:#}");
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    let count = |saved: &str| saved.lines().filter(|line| line.starts_with("-A")).count();
    assert_eq!(count(&saved(&namespace)), count(&before));
}

fn what_keeps_a_table_from_being_printed_is_named() {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    namespace.nft("add rule ip filter PALISADE_FWO numgen random mod 2 0 drop");
    let told = verified(&palisade);
    let way_out = format!(
        "nft delete rule ip filter PALISADE_FWO handle {}",
        handle(&namespace, "PALISADE_FWO", "numgen")
    );
    let found = &told["differences"][0];
    assert!(found["detail"].to_string().contains(&way_out), "{told:#}");
    assert_eq!(told["consequence"]["kind"], "open", "{told:#}");
    let refused = palisade.answer(["repair"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains(&way_out), "{refused}");
    namespace.nft(way_out.trim_start_matches("nft "));
    assert_clean(&palisade);
}

/// Rules of others in chains of theirs that keep a table from being printed: they neither count nor
/// hinder, and stay as they are. One makes the programs leave the table out, the other makes them
/// break off.
fn what_is_in_chains_of_others_is_theirs() {
    for (mark, listed) in [("ct mark", "ct mark"), ("5", "0x00000005")] {
        is_theirs(mark, listed);
    }
}

fn is_theirs(mark: &str, listed: &str) {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let theirs = format!(
        "add chain ip filter SOME\n\
        add rule ip filter SOME meta mark set {mark}\n\
        add rule ip filter FORWARD counter jump SOME\n\
        add rule ip filter FORWARD meta mark set {mark}\n\
        add rule ip nat POSTROUTING meta mark set {mark}\n"
    );
    namespace.nft(&theirs);
    let foreign = || {
        let ruleset = nft(&namespace, &["-a", "list", "ruleset"]);
        let theirs = ruleset
            .lines()
            .filter(|line| ["SOME", listed].iter().any(|word| line.contains(word)));
        theirs.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = foreign();
    assert_eq!(before.len(), 5, "{before:#?}");
    let rules = palisade.ok(["show", "net1"]);
    assert!(rules.contains("PALISADE_FWO"), "{rules}");
    assert!(!rules.contains("mark"), "{rules}");
    palisade.ok(["counters"]);
    assert_clean(&palisade);

    // What is strange in ours is seen as ever, and mended.
    namespace.nft("insert rule ip filter PALISADE_FWO counter accept");
    let jump = handle(&namespace, "FORWARD", "jump PALISADE_FWI");
    namespace.nft(&format!("delete rule ip filter FORWARD handle {jump}"));
    let told = verified(&palisade);
    let differences = told["differences"].as_array().expect("an array");
    let details: Vec<&Value> = differences.iter().map(|found| &found["detail"]).collect();
    assert_eq!(
        details,
        ["the jump `-j PALISADE_FWI`", "-j ACCEPT"],
        "{told:#}"
    );
    assert_eq!(told["consequence"]["kind"], "packet", "{told:#}");
    palisade.ok(["repair"]);
    assert_clean(&palisade);

    palisade.apply([&net(2)]).stdout();
    palisade.apply([&routed(1)]).stdout();
    assert_clean(&palisade);
    palisade.ok(["remove", "net1"]);
    assert_clean(&palisade);
    palisade.ok(["remove", "--all"]);
    assert_eq!(foreign(), before);
    let left = nft(&namespace, &["list", "ruleset"]);
    assert!(!left.contains("PALISADE"), "{left}");
}

/// The programs delete the first rule that looks to them like the one that they are told: a narrowed
/// jump of somebody's, that they read as ours.
fn what_looks_like_ours_to_the_programs_is_not_deleted_for_it() {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    namespace.nft(
        "insert rule ip filter FORWARD ip saddr { 1.2.3.4, 5.6.7.8 } counter jump PALISADE_FWO",
    );
    let foreign = || {
        let listed = nft(
            &namespace,
            &["-a", "list", "chain", "ip", "filter", "FORWARD"],
        );
        let theirs = listed.lines().filter(|line| line.contains("saddr {"));
        theirs.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = foreign();
    assert_eq!(before.len(), 1, "{before:#?}");
    // Ours are no longer at the head.
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    assert_eq!(foreign(), before);
    // The chain serves somebody, so it stays, and what leads to it with it.
    let told = palisade.ok(["remove", "--all"]);
    assert!(told.contains("chain `PALISADE_FWO`"), "{told}");
    assert_eq!(foreign(), before);
}

/// Maps of verdicts that lead to chains of ours: the chains are kept for them, and all else goes.
fn what_a_map_of_others_leads_to_stays() {
    let namespace = Namespace::new();
    let palisade = Place::Nft.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    namespace.nft(
        "add map ip filter ways { type ifname : verdict; elements = { \"b\" : goto PALISADE_FWX } }\n\
         add rule ip filter FORWARD iifname vmap { \"a\" : jump PALISADE_FWI, \"c\" : accept }\n\
         add rule ip filter FORWARD iifname vmap @ways\n",
    );
    assert_clean(&palisade);
    let told = palisade.ok(["remove", "--all"]);
    for (chain, rule) in [
        (
            "PALISADE_FWX",
            "iifname vmap @ways { b : goto PALISADE_FWX }",
        ),
        ("PALISADE_FWI", "{ a : jump PALISADE_FWI }"),
    ] {
        let mut lines = told.lines();
        let line = lines.find(|line| line.contains(&format!("chain `{chain}`")));
        assert!(line.is_some_and(|line| line.contains(rule)), "{told}");
    }
    let left = saved(&namespace);
    let mut chains: Vec<&str> = left
        .lines()
        .filter(|line| line.starts_with(":PALISADE"))
        .collect();
    chains.sort_unstable();
    let stay = [":PALISADE_FWI - [0:0]", ":PALISADE_FWX - [0:0]"];
    assert_eq!(chains, stay, "{left}");
    assert!(!left.contains("virbr1"), "{left}");
}
