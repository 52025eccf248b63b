//! Other programs' rules that drop what guests send: Docker's, a hand-written table's.

use std::process::Command;

use palisade_tests::{Definition, Trials, iptables};

use crate::examined::{assert_healthy, examine};
use crate::lab::Lab;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for placed in [
        &["--layout", "mapped"][..],
        &["--layout", "flat"],
        &["--backend", "iptables", "--iptables", "legacy"],
        &["--backend", "iptables", "--iptables", "nft"],
    ] {
        let name = format!("a healthy host: {}", placed.join(" "));
        trials = trials.with(name, move || healthy(placed));
    }
    for programs in iptables::PROGRAMS {
        trials = trials.with(
            format!("docker drops what is forwarded: {programs}"),
            move || {
                docker(programs);
            },
        );
    }
    trials
        .with("a table drops what comes in", input_policy)
        .with("a rule drops what is forwarded", forward_rule)
        .with("a rule in words that are not understood", perhaps)
        .with("a rule for routed guests", routed)
        .with("rules for frames", frames)
        .with("in a namespace from outside", from_outside)
}

fn healthy(placed: &[&str]) {
    let lab = Lab::new();
    let palisade = lab.palisade(placed.iter().copied());
    assert!(lab.reaches_world());
    if placed.contains(&"mapped") {
        assert_healthy(&lab.host, &palisade);
        // Nobody drops anything either where others only accept and count.
        lab.host.nft(
            "table inet mine { chain forward { type filter hook forward priority 0\n policy accept\n \
             counter\n iifname \"docker0\" drop\n }\n }\n",
        );
    }
    assert_healthy(&lab.host, &palisade);
}

/// As Docker leaves a host.
fn docker(programs: &'static str) {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let program = format!("iptables-{programs}");
    for arguments in [
        "-N DOCKER-USER",
        "-N DOCKER-FORWARD",
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -j DOCKER-FORWARD",
        "-A DOCKER-FORWARD -i docker0 -j ACCEPT",
        "-P FORWARD DROP",
    ] {
        let mut command = Command::new(&program);
        lab.host
            .answer(command.args(arguments.split(' ')), "")
            .stdout();
    }
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    // Here bridged frames meet these rules too.
    examined.assert_only(&["forward-filter", "bridge-nf-call"]);
    let finding = examined.one("forward-filter", &["DOCKER-USER", "`default`"]);
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["program"], program);
    assert_eq!(evidence["table"], "filter");
    assert_eq!(evidence["chain"], "FORWARD");
    assert_eq!(evidence["policy"], "DROP");
    assert_eq!(finding["networks"][0], "default");
    for command in finding["fix"]["commands"].as_array().expect("commands") {
        let command = command.as_str().expect("a command");
        assert!(
            command.starts_with(&format!("{program} -I DOCKER-USER")),
            "{command}"
        );
    }
    examined.assert_mended();
    assert!(lab.reaches_world());
}

const STRICT: &str = "\
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        iifname \"lo\" accept
        ct state established,related accept
        tcp dport 22 accept
    }
}
";

fn input_policy() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    assert!(lab.reaches_host(53));
    lab.host.nft(STRICT);
    assert!(!lab.reaches_host(53), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["host-filter"]);
    let words = [
        "DHCP (udp 67)",
        "DNS (udp 53)",
        "DNS (tcp 53)",
        "DHCPv6 (udp 547)",
    ];
    let finding = examined.one("host-filter", &words);
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["table"], "inet filter");
    assert_eq!(evidence["chain"], "input");
    assert_eq!(evidence["policy"], "drop");
    examined.assert_mended();
    for port in [53, 67] {
        assert!(lab.reaches_host(port), "{port}");
    }
    // No more was opened than that.
    assert!(!lab.reaches_host(8080));
}

fn forward_rule() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.nft(
        "table ip edge { \
         set private { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.0/16 } }\n \
         chain through { type filter hook forward priority 10\n policy accept\n jump filters\n }\n \
         chain filters { oifname \"wan0\" ip saddr @private drop\n }\n }\n",
    );
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter"]);
    let finding = examined.one("forward-filter", &[]);
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["table"], "ip edge");
    assert_eq!(evidence["chain"], "filters");
    let rule = evidence["rule"].as_str().expect("a rule");
    assert!(rule.contains("@private") && rule.contains("drop"), "{rule}");
    examined.assert_mended();
    assert!(lab.reaches_world());
}

/// What a packet alone does not tell is no certainty.
fn perhaps() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.nft(
        "table inet odd { chain through { type filter hook forward priority 0\n policy accept\n \
         ip length 700 drop\n }\n }\n",
    );
    let examined = examine(&lab.host, &palisade);
    let finding = examined.one("forward-filter", &["may drop", "inet odd"]);
    assert_eq!(finding["severity"], "warning");
    examined.assert_mended();
}

fn routed() {
    let lab = Lab::new();
    let palisade = palisade_tests::Palisade::new(&lab.host);
    let lan = Definition::route("lan", "virbr0", &["192.168.122.1/24"]);
    palisade.apply(&[lan]).stdout();
    assert_healthy(&lab.host, &palisade);
    lab.host.nft(
        "table inet edge { chain through { type filter hook forward priority 0\n policy drop\n \
         ct state established,related accept\n iifname \"virbr0\" accept\n }\n }\n",
    );
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter"]);
    let finding = examined.one("forward-filter", &["what comes from outside to guests"]);
    assert_eq!(
        finding["fix"]["commands"].as_array().map(Vec::len),
        Some(1),
        "{finding:#}"
    );
    examined.assert_mended();
}

/// On bridges and devices.
fn frames() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.nft(
        "table bridge edge { chain in { type filter hook input priority 0\n policy drop\n \
         ether type arp accept\n udp dport 53 accept\n }\n }\n",
    );
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter", "host-filter"]);
    let finding = examined.one("forward-filter", &["what guests send to the outside"]);
    assert_eq!(finding["evidence"][0]["table"], "bridge edge");
    examined.one("host-filter", &["DHCP (udp 67)", "DNS (tcp 53)"]);
    examined.assert_mended();
    assert!(lab.reaches_world());

    lab.host.nft(
        "delete table bridge edge\n\
         table netdev edge { chain in { type filter hook ingress device vnet0 priority 0\n \
         meta l4proto { tcp, udp } th dport 443 drop\n }\n }\n",
    );
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter"]);
    let finding = examined.one("forward-filter", &["netdev edge"]);
    assert_eq!(finding["fix"]["commands"], serde_json::json!([]));
    lab.host.nft("delete table netdev edge");
    // Guests among themselves.
    lab.host.nft(
        "table bridge edge { chain through { type filter hook forward priority 0\n policy drop\n \
         }\n }\n",
    );
    lab.host.sysctl("bridge/bridge-nf-call-iptables", "0");
    lab.host.sysctl("bridge/bridge-nf-call-ip6tables", "0");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-filter"]);
    examined.one("forward-filter", &["do not reach each other"]);
    examined.assert_mended();
}

/// What it says can be done from where it was asked.
fn from_outside() {
    let lab = Lab::new();
    let outside = palisade_tests::Namespace::new();
    let path = lab.host.path();
    let path = path.to_str().expect("a path");
    let palisade = palisade_tests::Palisade::new(&outside).with(["--netns", path]);
    palisade.apply(&[crate::lab::default()]).stdout();
    assert_healthy(&outside, &palisade);
    lab.host.nft(STRICT);
    lab.host.sysctl("ipv4/ip_forward", "0");
    lab.host.sysctl("ipv6/conf/all/forwarding", "1");
    let examined = examine(&outside, &palisade);
    examined.assert_only(&["host-filter", "ipv4-forwarding"]);
    examined.assert_mended();
    assert!(lab.reaches_world());
    assert!(lab.reaches_host(53));
}
