//! Rules of other programs at the same hooks: where they can be decided, they count; where not,
//! that is said.

use std::process::Command;

use palisade_tests::{Namespace, Palisade, Trials};
use serde_json::{Value, json};

use crate::running::{explained, networks};
use crate::site::routing_host;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("a_drop_of_others_counts", a_drop_of_others_counts)
        .with(
            "a_destination_that_others_translate",
            a_destination_that_others_translate,
        )
        .with(
            "destinations_without_a_port_or_of_the_host",
            destinations_without_a_port_or_of_the_host,
        )
        .with(
            "sets_and_maps_of_others_are_asked",
            sets_and_maps_of_others_are_asked,
        )
        .with("what_is_not_known_is_told", what_is_not_known_is_told)
        .with("chains_of_iptables_nft", chains_of_iptables_nft)
        .with("chains_of_iptables_legacy", chains_of_iptables_legacy)
        .with(
            "iptables_nft_without_its_programs",
            iptables_nft_without_its_programs,
        )
        .with(
            "rules_of_ours_without_the_programs_that_made_them",
            rules_of_ours_without_the_programs_that_made_them,
        )
}

const WEB: &str = "--from default --to world --proto tcp --dport 80";

/// Networks that run, of which ours accepts `WEB`.
struct Site<'a> {
    namespace: &'a Namespace,
    palisade: Palisade<'a>,
}

impl<'a> Site<'a> {
    fn of(namespace: &'a Namespace) -> Self {
        let palisade = Palisade::new(namespace);
        palisade.apply(&networks()).stdout();
        Self {
            namespace,
            palisade,
        }
    }

    /// What is said with these rules of somebody else beside.
    fn beside(&self, family: &str, content: &str) -> Value {
        self.namespace
            .nft(&format!("table {family} host {{\n{content}\n}}"));
        let told = explained(&self.palisade, WEB);
        self.namespace.nft(&format!("delete table {family} host"));
        told
    }
}

fn last_rule(told: &Value) -> (String, String) {
    let path = told["path"].as_array().expect("a path");
    let last = path.last().expect("a rule");
    let text = |key: &str| last[key].as_str().expect("a text").to_owned();
    (text("table"), text("rule"))
}

fn a_drop_of_others_counts() {
    let namespace = routing_host();
    let site = Site::of(&namespace);
    let hook = "type filter hook forward priority filter";
    for (table, chain, rule) in [
        ("inet", format!("{hook}; policy drop;"), ""),
        ("ip", format!("{hook};"), "iifname \"virbr0\" drop"),
        (
            "inet",
            format!("{hook};"),
            "iifname \"vir*\" tcp dport 1-1024 drop",
        ),
        (
            "inet",
            format!("{hook};"),
            "meta nfproto ipv4 ip daddr 198.51.100.0/24 drop",
        ),
        (
            "inet",
            format!("{hook};"),
            "ip saddr != 10.9.0.0/16 ct state new drop",
        ),
        (
            "inet",
            "type filter hook prerouting priority raw;".to_owned(),
            "ct state new drop",
        ),
    ] {
        let told = site.beside(table, &format!("chain c {{ {chain}\n{rule}\n}}"));
        // Before conntrack there is no state.
        let is_raw = chain.contains("raw");
        let expected = if is_raw { "accept" } else { "drop" };
        assert_eq!(told["verdict"], expected, "{table} {rule}");
        assert_eq!(told["undecided"], json!([]), "{table} {rule}");
        if !is_raw {
            let rule = if rule.is_empty() { "policy drop" } else { rule };
            assert_eq!(last_rule(&told).0, format!("{table} host"), "{rule}");
            let ours = told["tables"].as_array().expect("tables");
            let ours = ours
                .iter()
                .find(|table| table["ours"] == true)
                .expect("ours");
            assert_eq!(ours["verdict"], "accept");
        }
    }
}

/// The source stays as it was, so that our rules for guests are decided.
fn a_destination_that_others_translate() {
    let namespace = routing_host();
    let site = Site::of(&namespace);
    let hook = "type nat hook prerouting priority dstnat;";
    let rule = "tcp dport 1-1024 dnat to 198.51.100.200:8080";
    let told = site.beside("ip", &format!("chain c {{ {hook}\n{rule}\n}}"));
    assert_eq!(told["verdict"], "accept", "{told}");
    assert_eq!(told["undecided"], json!([]), "{told}");
    assert_eq!(told["route"]["device"], "up0", "{told}");
    assert_eq!(told["dnat"]["to"], "198.51.100.200:8080", "{told}");
}

/// `dnat` to an address alone, and `redirect`, in nftables and both variants of iptables.
fn destinations_without_a_port_or_of_the_host() {
    let host = routing_host();
    let palisade = Palisade::new(&host);
    palisade.apply(&networks()).stdout();
    let from_world = "--from world --to host --proto tcp --dport 80";
    let (guest, own) = ("10.2.0.9:80", "203.0.113.2:3128");
    let told = |what: &str, to: &str, out: Value| {
        let told = explained(&palisade, from_world);
        assert_eq!(told["dnat"]["to"], to, "{what}: {told:#}");
        assert_eq!(told["nat"]["kind"], "dnat", "{what}: {told:#}");
        assert_eq!(told["undecided"], json!([]), "{what}: {told:#}");
        assert_eq!(told["verdict"], "accept", "{what}: {told:#}");
        let device = told["route"]["device"].clone();
        assert_eq!(device, out, "{what}: {told:#}");
    };
    for (rule, to, out) in [
        ("dnat to 10.2.0.9", guest, json!("virbr1")),
        ("tcp dport 80 redirect to :3128", own, Value::Null),
        ("redirect", "203.0.113.2:80", Value::Null),
    ] {
        host.nft(&format!(
            "table ip host {{\nchain c {{ type nat hook prerouting priority dstnat; {rule}; }}\n}}"
        ));
        told(rule, to, out);
        host.nft("delete table ip host");
    }
    for variant in ["nft", "legacy"] {
        for (rule, to, out) in [
            (
                "PREROUTING -i up0 -j DNAT --to-destination 10.2.0.9",
                guest,
                json!("virbr1"),
            ),
            (
                "PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128",
                own,
                Value::Null,
            ),
        ] {
            iptables(&host, variant, &[&format!("-t nat -A {rule}")]);
            told(rule, to, out);
            iptables(&host, variant, &[&format!("-t nat -D {rule}")]);
        }
    }
}

fn sets_and_maps_of_others_are_asked() {
    let namespace = routing_host();
    let site = Site::of(&namespace);
    for (sets, rule, verdict) in [
        (
            "set s { type ipv4_addr; flags interval; elements = { 198.51.100.0/25 } }",
            "ip daddr @s drop",
            "drop",
        ),
        (
            "set s { type ipv4_addr; flags interval; elements = { 198.51.100.128/25 } }",
            "ip daddr @s drop",
            "accept",
        ),
        (
            "set s { type ipv4_addr . inet_service; flags interval; elements = { 198.51.100.0/24 . 79-81 } }",
            "ip daddr . tcp dport @s drop",
            "drop",
        ),
        (
            "set s { type ipv4_addr . inet_service; flags interval; elements = { 198.51.100.0/24 . 81-90 } }",
            "ip daddr . tcp dport @s drop",
            "accept",
        ),
        ("", "tcp dport { 22, 80, 443 } drop", "drop"),
        ("", "tcp dport != { 22, 80, 443 } drop", "accept"),
        ("", "tcp dport { 22, 70-90 } drop", "drop"),
        (
            "",
            "ct state vmap { established : accept, new : drop }",
            "drop",
        ),
        (
            "",
            "iifname . oifname vmap { \"virbr0\" . \"up0\" : drop }",
            "drop",
        ),
        (
            "map m { type inet_service : verdict; elements = { 80 : jump d } }",
            "tcp dport vmap @m",
            "drop",
        ),
        (
            "",
            "meta l4proto { tcp, udp } th dport 80 counter drop",
            "drop",
        ),
        ("", "iif lo drop", "accept"),
    ] {
        let hook = "type filter hook forward priority 10;";
        let content = format!("{sets}\nchain d {{ drop; }}\nchain c {{ {hook}\n{rule}\n}}");
        let told = site.beside("inet", &content);
        assert_eq!(told["verdict"], verdict, "{rule}");
        let is_decided = told["undecided"] == json!([]);
        assert!(is_decided || rule.starts_with("iif "), "{rule}: {told:#}");
    }
}

fn what_is_not_known_is_told() {
    let namespace = routing_host();
    let site = Site::of(&namespace);
    for (rule, may) in [
        ("meta length 700 drop", "drop"),
        ("limit rate over 10/second drop", "drop"),
        ("ip ttl 1 reject", "reject"),
        ("tcp flags syn drop", "drop"),
        ("fib saddr type local drop", "drop"),
        (
            "update @seen { ip saddr limit rate over 1/second } drop",
            "drop",
        ),
        ("meta length 700 jump d", "drop"),
    ] {
        let hook = "type filter hook forward priority 10;";
        let told = site.beside(
            "inet",
            &format!(
                "set seen {{ type ipv4_addr; flags dynamic; }}\nchain d {{ drop; }}\n\
                 chain c {{ {hook}\n{rule}\n}}"
            ),
        );
        assert_eq!(told["verdict"], "unknown", "{rule}");
        let undecided = told["undecided"].as_array().expect("an array");
        let [doubt] = undecided.as_slice() else {
            panic!("{rule}: {undecided:?}");
        };
        assert_eq!(
            (&doubt["table"], &doubt["chain"]),
            (&json!("inet host"), &json!("c")),
            "{rule}"
        );
        assert!(doubt["may"].to_string().contains(may), "{rule}: {doubt}");
    }
    // A doubt that comes to the same end is none.
    let told = site.beside(
        "inet",
        "chain c { type filter hook forward priority 10; policy drop;\nmeta length 700 drop\n}",
    );
    assert_eq!(
        (&told["verdict"], &told["undecided"]),
        (&json!("drop"), &json!([]))
    );
}

fn iptables(namespace: &Namespace, variant: &str, lines: &[&str]) {
    for line in lines {
        let mut command = Command::new(format!("iptables-{variant}"));
        namespace.answer(command.args(line.split(' ')), "").stdout();
    }
}

/// As Docker leaves them.
const DOCKER: [&str; 4] = [
    "-N DOCKER-USER",
    "-A FORWARD -j DOCKER-USER",
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-P FORWARD DROP",
];

fn dropped_by_docker(variant: &str) {
    let namespace = routing_host();
    let palisade = Palisade::new(&namespace);
    palisade.apply(&networks()).stdout();
    iptables(&namespace, variant, &DOCKER);
    let told = explained(&palisade, WEB);
    assert_eq!(told["verdict"], "drop");
    assert_eq!(told["undecided"], json!([]), "{told:#}");
    let answer = explained(&palisade, "--from world --to default --ct established");
    assert_eq!(answer["verdict"], "accept", "{answer:#}");
    iptables(&namespace, variant, &["-A DOCKER-USER -i virbr0 -j ACCEPT"]);
    let told = explained(&palisade, WEB);
    assert_eq!(told["verdict"], "accept", "{told:#}");
    iptables(
        &namespace,
        variant,
        &["-I FORWARD -m length --length 700 -j DROP"],
    );
    let undecided = explained(&palisade, WEB)["undecided"].clone();
    assert!(undecided.to_string().contains("length"), "{undecided}");
}

fn chains_of_iptables_nft() {
    dropped_by_docker("nft");
}

fn chains_of_iptables_legacy() {
    dropped_by_docker("legacy");
}

/// The same rules where nobody can print them: nf_tables' own form is read.
fn iptables_nft_without_its_programs() {
    let namespace = routing_host();
    let palisade = Palisade::new(&namespace);
    palisade.apply(&networks()).stdout();
    iptables(&namespace, "nft", &DOCKER);
    let told = |packet: &str| without_programs(&namespace, &palisade, packet);
    let dropped = told(WEB);
    assert_eq!(dropped["verdict"], "drop");
    assert_eq!(dropped["undecided"], json!([]), "{dropped:#}");
    assert_eq!(
        last_rule(&dropped),
        ("ip filter".to_owned(), "policy drop".to_owned())
    );
    let answer = told("--from world --to default --ct established");
    assert_eq!(answer["verdict"], "accept", "{answer:#}");
    iptables(
        &namespace,
        "nft",
        &["-I FORWARD -m addrtype --dst-type LOCAL -j ACCEPT"],
    );
    let undecided = told(WEB)["undecided"].clone();
    assert!(undecided.to_string().contains("addrtype"), "{undecided}");
}

/// Our own are known by their comments.
fn rules_of_ours_without_the_programs_that_made_them() {
    let namespace = routing_host();
    let palisade = Palisade::new(&namespace).with(["--backend", "iptables", "--iptables", "nft"]);
    palisade.apply(&networks()).stdout();
    let told = without_programs(&namespace, &palisade, "--from quiet --to world");
    assert_eq!(told["verdict"], "reject");
    let last = told["path"].as_array().and_then(|path| path.last());
    assert_eq!(last.expect("a rule")["network"], "quiet", "{told:#}");
    let ours = told["tables"].as_array().expect("tables").iter();
    assert!(ours.clone().any(|table| table["ours"] == true), "{told:#}");
}

/// What is said where iptables' programs cannot be found.
fn without_programs(namespace: &Namespace, palisade: &Palisade<'_>, packet: &str) -> Value {
    let line = format!("--format json explain {packet}");
    let hide = "mount -t tmpfs none /usr/sbin && exec \"$@\"";
    let prefix = ["unshare", "-m", "sh", "-c", hide, "sh"];
    let mut command = palisade.command_by(&prefix, line.split(' '));
    let answer = namespace.answer(&mut command, "");
    serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer}"))
}
