//! What `verify`, `remove` and `repair` say of what is not as it should be: which, and from what to
//! what; and only what others did.

use std::process::Command;

use palisade_tests::{Dump, Namespace, Palisade, Trials, trials};

use palisade_tests::place::{Place, assert_clean, net, routed};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::OF_NFTABLES {
        let name = format!("{place:?}: objects of others are told, kept, and removed by repair");
        trials = trials.with(name, move || objects(place));
    }
    for place in Place::OF_IPTABLES {
        let name = format!("{place:?}: a renamed chain is told, and how to take it away");
        trials = trials.with(name, move || renamed(place));
    }
    trials.and(trials![
        what_of_a_chain_is_another,
        what_of_a_set_is_another,
        a_foreign_element_beside_markers,
        leftovers_are_not_foreign,
        what_only_a_map_leads_to_stays,
        watching_makes_no_state,
    ])
}

/// The lines of `verify`, which finds something.
#[track_caller]
fn verified(palisade: &Palisade<'_>) -> Vec<String> {
    let answer = palisade.answer(["verify"]);
    assert_eq!(answer.code, Some(3), "{answer}");
    let lines = answer.stdout.lines().map(str::to_owned);
    lines.take_while(|line| !line.is_empty()).collect()
}

#[track_caller]
fn assert_told(palisade: &Palisade<'_>, line: &str) {
    let told = verified(palisade);
    assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
}

fn what_of_a_chain_is_another() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    namespace.nft(
        "flush chain ip palisade guests_forward\ndelete chain ip palisade guests_forward\n\
         add chain ip palisade guests_forward { type filter hook input priority 10; policy drop; }",
    );
    assert_told(
        &palisade,
        "changed: chain `guests_forward` of table ip `palisade`: hook is input and should be \
         forward, priority is 10 and should be filter (0), policy is drop and should be accept",
    );
    palisade.ok(["repair"]);
    namespace.nft("add chain ip palisade guests_forward { policy drop; }");
    assert_told(
        &palisade,
        "changed: chain `guests_forward` of table ip `palisade`: policy is drop and should be accept",
    );
}

fn what_of_a_set_is_another() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    // Nothing can take a set away that rules ask.
    namespace.nft(
        "flush chain ip palisade from_guest\ndelete set ip palisade dropped_out\n\
         add set ip palisade dropped_out { type ipv4_addr; flags interval; }",
    );
    assert_told(
        &palisade,
        "changed: set `dropped_out` of table ip `palisade`: type is ipv4_addr and should be ifname, \
         flags are interval and should be none, its elements do not count and should",
    );
}

fn a_foreign_element_beside_markers() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    palisade.apply([&net(2)]).stdout();
    assert_clean(&palisade);
    namespace.nft("add element ip palisade transaction { \"eth7\" }");
    let told = verified(&palisade);
    assert_eq!(
        told,
        ["foreign: set `transaction` of table ip `palisade`: element \"eth7\""]
    );
    // What deletes anything sweeps markers, and those alone.
    palisade.ok(["remove", "net1"]);
    palisade.apply([&net(3), &routed(2)]).stdout();
    assert_eq!(verified(&palisade), told);
    let elements = || {
        let mut list = Command::new("nft");
        list.args(["list", "set", "ip", "palisade", "transaction"]);
        let listed = namespace.answer(&mut list, "").stdout();
        listed.split_once("elements").expect("some").1.to_owned()
    };
    assert_eq!(elements().matches('"').count(), 4, "{}", elements());
    let repaired = palisade.answer(["repair"]);
    let note = "removed what palisade did not put there: set `transaction` of table ip `palisade`: \
        element \"eth7\"";
    assert!(repaired.stdout.contains(note), "{repaired}");
    assert_clean(&palisade);

    namespace.nft("add element ip palisade transaction { \"eth7\" }");
    let removed = palisade.ok(["remove", "--all"]);
    let note = "stays, since it holds what palisade did not put there: set `transaction`: \"eth7\"";
    assert!(removed.contains(note), "{removed}");
    assert!(elements().contains("eth7"));
}

fn objects(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let script = "add counter ip palisade evilc\nadd quota ip palisade q { 25 mbytes; }\n\
                  add limit ip palisade slow { rate 1/second; }\n\
                  add ct helper ip palisade ftp { type \"ftp\" protocol tcp; }\n\
                  add map ip palisade mine { type ipv4_addr : mark; }";
    let all = [
        "counter `evilc`",
        "quota `q`",
        "limit `slow`",
        "ct helper `ftp`",
        "map `mine`",
    ];
    namespace.nft(script);
    let mut told = verified(&palisade);
    told.sort();
    let mut expected =
        all.map(|object| format!("foreign: {object} of table ip `palisade`: no network needs it"));
    expected.sort();
    assert_eq!(told, expected);

    let repaired = palisade.answer(["repair"]);
    let text = format!("{}{}", repaired.stdout, repaired.stderr);
    for object in all {
        let note = format!("removed what palisade did not put there: {object}");
        assert!(text.contains(&note), "{object}: {text}");
    }
    assert_clean(&palisade);
    assert!(!Dump::ruleset(&namespace).as_str().contains("evilc"));

    namespace.nft("add counter ip palisade evilc");
    let removed = palisade.answer(["remove", "--all"]);
    let text = format!("{}{}", removed.stdout, removed.stderr);
    assert!(text.contains("counter `evilc`"), "{text}");
    let left = Dump::ruleset(&namespace);
    assert!(left.as_str().contains("counter evilc"), "{left}");
}

fn watching_makes_no_state() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let command = palisade.command(["watch"]);
    let mut watch = Command::new("timeout");
    watch.args(["-s", "INT", "1"]).arg(command.get_program());
    watch.args(command.get_args());
    let told = namespace.answer(&mut watch, "");
    assert!(told.stderr.is_empty(), "{told}");
    let made = palisade.state().exists();
    assert!(!made, "{} was made", palisade.state().display());
}

/// A layout that stays for a foreign rule's sake, under networks of the other one.
fn leftovers_are_not_foreign() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    namespace.nft("insert rule ip palisade from_guest ip saddr 10.9.9.9 accept");
    palisade.ok(["remove", "--all"]);
    let palisade = Place::Flat.palisade(&namespace).sharing(&palisade);
    palisade.apply([&net(1)]).stdout();
    let told = verified(&palisade);
    assert_eq!(
        told,
        ["foreign: chain `from_guest` of table ip `palisade`: ip saddr 10.9.9.9 accept"]
    );
    let repaired = palisade.answer(["repair"]);
    let text = format!("{}{}", repaired.stdout, repaired.stderr);
    assert_eq!(text.matches("removed what").count(), 1, "{text}");
    assert!(text.contains("ip saddr 10.9.9.9 accept"), "{text}");
    assert_clean(&palisade);
    assert!(
        !Dump::ruleset(&namespace)
            .as_str()
            .contains("chain from_guest {")
    );
}

/// The same for the sake of a map that leads into the layout: the kernel deletes no chain of it.
fn what_only_a_map_leads_to_stays() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let flat = Place::Flat.palisade(&namespace).sharing(&palisade);
    flat.apply([&net(2)]).stdout();
    namespace.nft(
        "add chain ip palisade mine\n\
         add rule ip palisade mine iifname vmap { \"a\" : jump from_guest }\n\
         add map ip palisade ways { type ifname : verdict; elements = { \"b\" : goto to_guest } }",
    );
    let told = palisade.ok(["remove", "net1"]);
    let stays = "part of layout `mapped` in table ip `palisade` stays, since it holds what palisade \
        did not put there: chain `mine`: iifname vmap @__map0; map `__map0`; map `ways`";
    assert!(told.contains(stays), "{told}");
    let mut told = verified(&palisade);
    told.sort();
    let of = |what: &str| format!("foreign: {what} of table ip `palisade`: ");
    assert_eq!(
        told,
        [
            of("chain `mine`") + "iifname vmap @__map0",
            of("chain `mine`") + "no network needs it",
            of("map `__map0`") + "element \"a\" : jump from_guest",
            of("map `__map0`") + "no network needs it",
            of("map `ways`") + "element \"b\" : goto to_guest",
            of("map `ways`") + "no network needs it",
        ]
    );
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    assert!(
        !Dump::ruleset(&namespace)
            .as_str()
            .contains("chain from_guest {")
    );
}

/// The commands that are told really take it away.
fn renamed(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let run = |line: &str| {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        namespace.answer(command.args(words), "").stdout()
    };
    let program = format!("iptables-{}", place.word());
    run(&format!("{program} -w -E PALISADE_FWI OTHER"));
    let told = verified(&palisade);
    let renamed = "the chain; its rules are in `OTHER`: somebody renamed or copied it";
    assert!(told[0].ends_with(renamed), "{told:#?}");
    let repaired = palisade.ok(["repair"]);
    assert_clean(&palisade);
    let note = repaired.lines().find(|line| line.contains("`OTHER`"));
    let note = note.unwrap_or_else(|| panic!("{repaired}"));
    for command in note.split('`').filter(|part| part.starts_with(&program)) {
        run(command);
    }
    let left = run(&format!("{program} -w -S"));
    assert!(!left.contains("OTHER"), "{left}");
    let repaired = palisade.ok(["repair"]);
    assert!(!repaired.contains("OTHER"), "{repaired}");
    assert_clean(&palisade);
}
