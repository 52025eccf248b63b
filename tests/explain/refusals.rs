//! Who refuses a packet, in words: the same packet, refused by one after the other.

use palisade_tests::{Palisade, Trials};

use crate::running::networks;
use crate::site::routing_host;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("who_refuses_in_nftables", who_refuses_in_nftables)
        .with("who_refuses_in_iptables", who_refuses_in_iptables)
        .with("what_keeps_nat_away", what_keeps_nat_away)
}

/// The line behind a word.
fn line(palisade: &Palisade<'_>, packet: &str, word: &str) -> String {
    let line = format!("explain {packet}");
    let told = palisade.answer(line.split(' ')).stdout;
    let begin = format!("  {word:<9}");
    let found = told.lines().find_map(|line| line.strip_prefix(&begin));
    found.unwrap_or_else(|| panic!("{told}")).to_owned()
}

fn who_refuses_in_nftables() {
    let namespace = routing_host();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.apply(&networks()).stdout();
    let web = "--from default --to world --proto tcp --dport 80";
    let quiet = "--from quiet --to world";
    let own = "network `quiet`: everything else from the bridge is refused";
    let chain = |priority: &str| {
        format!(
            "table inet host {{\nchain c {{ type filter hook forward priority {priority};\n\
             drop\n}}\n}}"
        )
    };
    let drop = "inet host c: drop";
    for (script, web_why, quiet_why) in [
        (String::new(), "accepted by our tables".to_owned(), own.to_owned()),
        (
            "table inet host {\nchain c { type filter hook forward priority 10; policy accept; }\n}"
                .to_owned(),
            "accepted by our tables and others".to_owned(),
            own.to_owned(),
        ),
        (
            chain("10"),
            format!("our tables let it pass, and others refuse it: {drop}"),
            own.to_owned(),
        ),
        (
            chain("-10"),
            format!("others refuse it, before our tables, which would let it pass: {drop}"),
            format!("others refuse it, as our tables would: {drop}"),
        ),
    ] {
        namespace.nft(&script);
        assert_eq!(line(&palisade, web, "why"), web_why, "{script}");
        assert_eq!(line(&palisade, quiet, "why"), quiet_why, "{script}");
        namespace.nft("add table inet host\ndelete table inet host");
    }
    namespace.nft("insert rule ip palisade guest_output iifname virbr0 drop");
    assert_eq!(
        line(&palisade, web, "why"),
        "a rule in our chain that is not ours refuses it: ip palisade guest_output: iifname \"virbr0\" drop"
    );
}

fn who_refuses_in_iptables() {
    for variant in ["legacy", "nft"] {
        let namespace = routing_host();
        let palisade =
            Palisade::new(&namespace).with(["--backend", "iptables", "--iptables", variant]);
        palisade.apply(&networks()).stdout();
        let web = "--from default --to world --proto tcp --dport 80";
        let own = "network `quiet`: everything else from the bridge is refused";
        assert_eq!(line(&palisade, "--from quiet --to world", "why"), own);
        assert_eq!(line(&palisade, web, "why"), "accepted by our tables");
        let iptables = |words: &str| {
            let mut command = std::process::Command::new(format!("iptables-{variant}"));
            namespace
                .answer(command.args(words.split(' ')), "")
                .stdout();
        };
        iptables("-I FORWARD -i virbr0 -j DROP");
        let name = format!("iptables-{variant} filter");
        assert_eq!(
            line(&palisade, web, "why"),
            format!("others refuse it: {name} FORWARD: -i virbr0 -j DROP")
        );
        iptables("-D FORWARD -i virbr0 -j DROP");
        iptables("-I PALISADE_FWO -i virbr0 -j DROP");
        assert_eq!(
            line(&palisade, web, "why"),
            format!(
                "a rule in our chain that is not ours refuses it: {name} PALISADE_FWO: -i virbr0 -j DROP"
            )
        );
    }
}

/// Which exception it is, in words, wherever it stands.
fn what_keeps_nat_away() {
    let within = "--in virbr0 --out up0 --src 10.1.0.5 --dst 10.1.0.9 --proto udp";
    let multicast = "--in virbr0 --out up0 --src 10.1.0.5 --dst 224.0.0.5 --proto udp";
    let elsewhere = "--in virbr1 --out up0 --src 10.2.0.5 --dst 192.0.2.1 --proto udp";
    let multicast_why = "none: default: link-local multicast keeps its source: it is not routed";
    for (layout, within_why) in [
        (
            "mapped",
            "none: default: within 10.1.0.0/24, packets keep their source",
        ),
        ("flat", "none: no rule translates it"),
    ] {
        let namespace = routing_host();
        let palisade = Palisade::with_layout(&namespace, layout);
        palisade.apply(&networks()).stdout();
        assert_eq!(line(&palisade, within, "nat"), within_why);
        assert_eq!(line(&palisade, multicast, "nat"), multicast_why);
        assert_eq!(
            line(&palisade, elsewhere, "nat"),
            "none: no rule translates it"
        );
    }
}
