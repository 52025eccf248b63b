//! What others do to our rules: each kind is seen, told rightly, and mended exactly.

use std::collections::BTreeMap;
use std::process::Command;

use palisade_tests::{Dump, Namespace, Palisade, Trials};
use serde_json::Value;

use crate::site::Site;
use palisade_tests::place::{Place, assert_clean, net, routed};

/// What somebody does, and what `verify` must tell of it.
struct Tampering {
    /// For `nft -f`, or arguments of `iptables`, one call a line. `{CHAIN|TEXT}` is the handle of
    /// the rule in that chain that says this.
    does: &'static str,
    kind: &'static str,
    /// Part of the object.
    object: &'static str,
    /// The network that it is about, if it is about one.
    network: Option<&'static str>,
}

const fn tampering(
    does: &'static str,
    kind: &'static str,
    object: &'static str,
    network: Option<&'static str>,
) -> Tampering {
    Tampering {
        does,
        kind,
        object,
        network,
    }
}

const NET1: Option<&str> = Some("net1");
const NET2: Option<&str> = Some("net2");

const MAPPED: &[Tampering] = &[
    tampering(
        "delete rule ip palisade guest_sends handle {guest_sends|jump admin_from_guest}",
        "missing",
        "chain `guest_sends`",
        None,
    ),
    tampering(
        "delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
        "missing",
        "set `out_24`",
        NET1,
    ),
    tampering(
        "delete element ip6 palisade in_64 { \"virbr2\" . fd00:2:: }",
        "missing",
        "set `in_64`",
        NET2,
    ),
    tampering(
        "add element ip palisade out_24 { \"virbr9\" . 10.9.0.0 }",
        "foreign",
        "set `out_24`",
        None,
    ),
    tampering(
        "flush set ip palisade cross",
        "missing",
        "set `cross`",
        NET2,
    ),
    tampering(
        "delete rule ip palisade to_guest handle {to_guest|@reply_24}",
        "missing",
        "chain `to_guest`",
        None,
    ),
    tampering(
        "insert rule ip palisade from_guest ip saddr 10.9.9.9 accept",
        "foreign",
        "chain `from_guest`",
        None,
    ),
    tampering(
        "flush chain ip palisade from_guest",
        "missing",
        "chain `from_guest`",
        None,
    ),
    tampering(
        "replace rule ip palisade from_guest handle {from_guest|@dropped_out} iifname @dropped_out \
         reject comment \"palisade: everything else from guests\"",
        "changed",
        "chain `from_guest`",
        None,
    ),
    tampering(
        "add chain ip palisade guests_forward { policy drop; }",
        "changed",
        "chain `guests_forward`",
        None,
    ),
    tampering(
        "delete table ip palisade",
        "missing",
        "table ip `palisade`",
        NET1,
    ),
    tampering("flush ruleset", "missing", "table ip6 `palisade`", NET2),
    tampering(
        "add table ip palisade { flags dormant; }",
        "changed",
        "table ip `palisade`",
        None,
    ),
    tampering(
        "add chain ip palisade mine\nadd rule ip palisade mine drop",
        "foreign",
        "chain `mine`",
        None,
    ),
    tampering(
        "add chain ip palisade mine",
        "foreign",
        "chain `mine`",
        None,
    ),
    tampering(
        "add element ip palisade bridges { \"virbr9\" comment \"ghost\" }",
        "foreign",
        "set `bridges`",
        None,
    ),
    tampering(
        "add element ip palisade bridges { \"virbr9\" }",
        "foreign",
        "set `bridges`",
        None,
    ),
    tampering(
        "add element ip palisade out_24 { \"virbr1\" . 10.9.0.0 comment \"ghost\" }",
        "foreign",
        "set `out_24`",
        None,
    ),
    tampering(
        "delete element ip palisade bridges { \"virbr1\" }\n\
         add element ip palisade bridges { \"virbr1\" comment \"ghost\" }",
        "changed",
        "set `bridges`",
        NET1,
    ),
    tampering(
        "delete element ip palisade bridges { \"virbr1\" }\n\
         add element ip palisade bridges { \"virbr1\" }",
        "changed",
        "set `bridges`",
        NET1,
    ),
    tampering(
        "add set ip palisade mine { type ipv4_addr; }",
        "foreign",
        "set `mine`",
        None,
    ),
    tampering(
        "rename chain ip palisade to_guest other",
        "missing",
        "chain `to_guest`",
        None,
    ),
    tampering(
        "rename chain ip palisade to_guest other",
        "foreign",
        "chain `other`",
        None,
    ),
    tampering(
        "flush chain ip palisade guests_forward\ndelete chain ip palisade guests_forward\n\
         add chain ip palisade guests_forward { type filter hook forward priority 10; }",
        "changed",
        "chain `guests_forward`",
        None,
    ),
    tampering(
        "flush chain ip palisade guests_postrouting\ndelete chain ip palisade guests_postrouting\n\
         add chain ip palisade guests_postrouting { type filter hook postrouting priority 100; }",
        "changed",
        "chain `guests_postrouting`",
        None,
    ),
    tampering(
        "delete rule ip palisade from_guest handle {from_guest|@dropped_out}\n\
         insert rule ip palisade from_guest iifname @dropped_out drop \
         comment \"palisade: everything else from guests\"",
        "order",
        "chain `from_guest`",
        None,
    ),
    tampering(
        "add rule ip palisade from_guest iifname @dropped_out drop \
         comment \"palisade: everything else from guests\"",
        "foreign",
        "chain `from_guest`",
        None,
    ),
    tampering(
        "insert rule ip palisade to_guest limit rate over 1/second accept",
        "unreadable",
        "chain `to_guest`",
        None,
    ),
    tampering(
        "insert rule ip palisade to_guest limit rate 1/second accept",
        "foreign",
        "chain `to_guest`",
        None,
    ),
];

const FLAT: &[Tampering] = &[
    tampering(
        "delete rule ip palisade guest_admin_from handle {guest_admin_from|net1: administrator from guests}",
        "missing",
        "chain `guest_admin_from`",
        NET1,
    ),
    tampering(
        "delete rule ip palisade guest_output handle {guest_output|net1: out}",
        "missing",
        "chain `guest_output`",
        NET1,
    ),
    tampering(
        "insert rule ip palisade guest_output ip saddr 10.9.9.9 accept",
        "foreign",
        "chain `guest_output`",
        None,
    ),
    tampering(
        "flush chain ip6 palisade guest_input",
        "missing",
        "chain `guest_input`",
        NET2,
    ),
    tampering(
        "flush chain ip palisade guest_nat",
        "missing",
        "chain `guest_nat`",
        NET1,
    ),
    tampering(
        "replace rule ip palisade guest_output handle {guest_output|net1: refuse out} \
         iifname \"virbr1\" counter accept comment \"net1: refuse out\"",
        "changed",
        "chain `guest_output`",
        NET1,
    ),
    tampering(
        "replace rule ip palisade guest_output handle {guest_output|net2: refuse out} \
         iifname \"virbr2\" counter reject comment \"mine\"",
        "missing",
        "chain `guest_output`",
        NET2,
    ),
    tampering(
        "add chain ip palisade forward { policy drop; }",
        "changed",
        "chain `forward`",
        None,
    ),
    tampering(
        "delete rule ip palisade forward handle {forward|guest_input}",
        "missing",
        "chain `forward`",
        None,
    ),
    tampering(
        "delete rule ip palisade forward handle {forward|guest_cross}\n\
         add rule ip palisade forward counter jump guest_cross \
         comment \"palisade: first, guest to guest\"",
        "order",
        "chain `forward`",
        None,
    ),
    tampering(
        "rename chain ip palisade guest_cross crossing",
        "missing",
        "chain `guest_cross`",
        None,
    ),
    tampering(
        "flush chain ip palisade guest_nat\ndelete chain ip palisade guest_nat\n\
         add chain ip palisade guest_nat { type nat hook postrouting priority 90; }",
        "changed",
        "chain `guest_nat`",
        None,
    ),
    tampering(
        "add rule ip palisade guest_cross iifname \"virbr1\" oifname \"virbr1\" counter accept \
         comment \"net1: guest to guest\"",
        "foreign",
        "chain `guest_cross`",
        None,
    ),
    tampering(
        "insert rule ip palisade guest_input limit rate over 1/second accept",
        "unreadable",
        "chain `guest_input`",
        None,
    ),
    tampering(
        "insert rule ip palisade guest_input limit rate 1/second accept",
        "foreign",
        "chain `guest_input`",
        None,
    ),
    tampering(
        "delete rule ip palisade guest_output handle {guest_output|net1: refuse out}\n\
         insert rule ip palisade guest_output iifname \"virbr1\" counter reject \
         comment \"net1: refuse out\"",
        "order",
        "chain `guest_output`",
        None,
    ),
    tampering(
        "add chain ip palisade mine\ninsert rule ip palisade forward jump mine",
        "foreign",
        "chain `forward`",
        None,
    ),
    tampering("flush ruleset", "missing", "table ip `palisade`", NET1),
];

const IPTABLES: &[Tampering] = &[
    tampering("-N PALISADE_FOO", "foreign", "chain `PALISADE_FOO`", None),
    tampering(
        "-t nat -N PALISADE_FOO\n-t nat -A PALISADE_FOO -j RETURN\n-t nat -A PALISADE_FOO -j ACCEPT",
        "foreign",
        "chain `PALISADE_FOO`",
        None,
    ),
    tampering(
        "-N PALISADE_FOO\n-I PALISADE_FWO -j PALISADE_FOO",
        "foreign",
        "chain `PALISADE_FOO`",
        None,
    ),
    tampering(
        "-I PALISADE_FWI -o virbr9 -m comment --comment ghost:\\srefuse\\sin -j REJECT",
        "foreign",
        "chain `PALISADE_FWI`",
        None,
    ),
    tampering("-D PALISADE_FWA 1", "missing", "chain `PALISADE_FWA`", NET2),
    tampering("-D PALISADE_FWX 1", "missing", "chain `PALISADE_FWX`", NET2),
    tampering(
        "-I PALISADE_FWO -s 10.9.9.9 -j ACCEPT",
        "foreign",
        "chain `PALISADE_FWO`",
        None,
    ),
    tampering("-F PALISADE_FWI", "missing", "chain `PALISADE_FWI`", NET1),
    tampering(
        "-R PALISADE_FWX 2 -i virbr1 -o virbr1 -m comment --comment net1:\\sguest\\sto\\sguest -j DROP",
        "changed",
        "chain `PALISADE_FWX`",
        NET1,
    ),
    tampering(
        "-D FORWARD -j PALISADE_FWI",
        "missing",
        "chain `FORWARD`",
        None,
    ),
    tampering(
        "-D FORWARD -j PALISADE_FWO\n-I FORWARD -j PALISADE_FWO",
        "order",
        "chain `FORWARD`",
        None,
    ),
    tampering(
        "-A FORWARD -j PALISADE_FWX",
        "order",
        "chain `FORWARD`",
        None,
    ),
    tampering(
        "-E PALISADE_FWX OTHER",
        "missing",
        "chain `PALISADE_FWX`",
        None,
    ),
    tampering(
        "-D PALISADE_FWX 2\n\
         -I PALISADE_FWX 1 -i virbr1 -o virbr1 -m comment --comment net1:\\sguest\\sto\\sguest -j ACCEPT",
        "order",
        "chain `PALISADE_FWX`",
        NET1,
    ),
    tampering(
        "-A PALISADE_FWX -i virbr1 -o virbr1 -m comment --comment net1:\\sguest\\sto\\sguest -j ACCEPT",
        "foreign",
        "chain `PALISADE_FWX`",
        None,
    ),
    tampering(
        "-t nat -F PALISADE_PRT",
        "missing",
        "chain `PALISADE_PRT`",
        NET1,
    ),
    tampering(
        "-t nat -D POSTROUTING -j PALISADE_PRT",
        "missing",
        "chain `POSTROUTING`",
        None,
    ),
    tampering(
        "-F PALISADE_INP\n-D INPUT -j PALISADE_INP\n-X PALISADE_INP",
        "missing",
        "chain `PALISADE_INP`",
        None,
    ),
    tampering("-F", "missing", "chain `OUTPUT`", None),
];

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let all = match place {
            Place::Mapped => MAPPED,
            Place::Flat => FLAT,
            Place::Legacy | Place::Nft => IPTABLES,
        };
        trials = trials.with(
            format!("{place:?}: {} kinds of tampering", all.len()),
            move || {
                all.iter().for_each(|tampering| tampered(place, tampering));
            },
        );
    }
    trials
}

fn tampered(place: Place, tampering: &Tampering) {
    let Tampering {
        does,
        kind,
        object,
        network,
    } = tampering;
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &routed(2)]).stdout();
    site.ask(1);
    let beside = "table inet beside {\n\tchain in {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n";
    if *does != "flush ruleset" {
        site.host.nft(beside);
    }
    let before = standing(place, &site.host);
    let others = others(&site.host);
    tamper(place, &site.host, does);

    let answer = palisade.answer(["--format", "json", "verify"]);
    assert_eq!(answer.code, Some(3), "{does}: {answer}");
    let told: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    let differences = told["differences"].as_array().expect("an array");
    let is_told = |found: &&Value| {
        let names = found["network"].as_str();
        let at = found["object"].as_str().expect("an object");
        found["kind"] == *kind && at.contains(object) && names == *network
    };
    let found = differences.iter().find(is_told);
    assert!(
        found.is_some(),
        "{does}: {kind}, {object}, {network:?}: {told:#}"
    );
    let counted = counters(&palisade);
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    assert_eq!(standing(place, &site.host), before, "after {does}");
    assert_eq!(
        self::others(&site.host),
        others,
        "others' tables after {does}"
    );
    // What stood keeps what it had counted.
    let after = counters(&palisade);
    for (what, count) in counted {
        assert!(
            after.get(&what).is_some_and(|after| *after >= count),
            "{does}: {what} {count} {after:?}"
        );
    }
}

fn tamper(place: Place, namespace: &Namespace, does: &str) {
    if let Place::Legacy | Place::Nft = place {
        for line in does.lines() {
            let words = line.split(' ').map(|word| word.replace("\\s", " "));
            let mut command = Command::new(format!("iptables-{}", place.word()));
            namespace.answer(command.args(words), "").stdout();
        }
        return;
    }
    let mut script = does.to_owned();
    while let Some((head, rest)) = script.split_once("{").filter(|(_, rest)| {
        rest.split('}')
            .next()
            .is_some_and(|inner| inner.contains('|'))
    }) {
        let (wanted, tail) = rest.split_once('}').expect("its end");
        let (chain, text) = wanted.split_once('|').expect("a chain and a text");
        let mut nft = Command::new("nft");
        nft.args(["-a", "list", "chain", "ip", "palisade", chain]);
        let listed = namespace.answer(&mut nft, "").stdout();
        let rule = listed
            .lines()
            .find(|line| line.contains(text) && line.contains("# handle"));
        let (_, handle) = rule
            .and_then(|rule| rule.rsplit_once(' '))
            .expect("its handle");
        script = format!("{head}{handle}{tail}");
    }
    namespace.nft(&script);
}

/// What stands of ours, without what was counted; elements in the order of their names.
fn standing(place: Place, namespace: &Namespace) -> Vec<String> {
    let standing = place.standing(namespace);
    if place != Place::Mapped {
        return standing.lines().map(str::to_owned).collect();
    }
    let bare = |line: &str| {
        let line = line.trim().trim_start_matches("elements = { ");
        line.trim_end_matches([' ', ',', '}']).to_owned()
    };
    let mut sets: Vec<Vec<String>> = Vec::new();
    for line in standing.lines() {
        match sets.last_mut() {
            // Rules keep their order, elements have none.
            Some(lines) if !line.starts_with("\tset ") && !line.starts_with("\tchain ") => {
                lines.push(bare(line));
            }
            _ => sets.push(vec![bare(line)]),
        }
    }
    for set in sets.iter_mut().filter(|set| set[0].starts_with("set ")) {
        set.sort();
    }
    sets.concat()
}

fn others(namespace: &Namespace) -> Option<String> {
    Dump::table(namespace, "inet", "beside").map(|table| table.as_str().to_owned())
}

/// Packets of IPv4 by network and purpose, as far as something counts.
fn counters(palisade: &Palisade<'_>) -> BTreeMap<String, u64> {
    let text = palisade.ok(["--format", "json", "counters"]);
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let mut found = BTreeMap::new();
    for one in all.as_array().expect("an array") {
        for counted in one["counters"].as_array().expect("an array") {
            let what = format!(
                "{} {} {}",
                one["network"], one["family"], counted["purpose"]
            );
            found.insert(what, counted["packets"].as_u64().expect("packets"));
        }
    }
    found
}
