//! Rules of others that change packets before they come to ours: what is said of them is what becomes
//! of real ones.

use std::net::IpAddr;
use std::process::Command;

use palisade_tests::Trials;
use palisade_tests::probe::{self, End, Protocol};
use serde_json::{Value, json};

use crate::running::explained;
use crate::site::{GUEST, HOST, Site, WORLD};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("what_nftables_does_not_track", what_nftables_does_not_track)
        .with("what_iptables_does_not_track", what_iptables_does_not_track)
        .with(
            "our_iptables_and_their_notrack",
            our_iptables_and_their_notrack,
        )
        .with("headers_that_others_write", headers_that_others_write)
        .with(
            "a_drop_before_ours_is_told_so",
            a_drop_before_ours_is_told_so,
        )
}

const ASKED: &str =
    "--in virbr0 --out wan0 --src 10.1.0.5 --dst 192.0.2.2 --proto udp --sport 4000 --dport 777";
const NOTRACK: &str = "-t raw -A PREROUTING -s 10.1.0.5 -j CT --notrack";

impl Site {
    /// Where a packet of the guest comes from, as the world sees it; none if it does not come.
    fn seen(&self) -> Option<IpAddr> {
        let end = |namespace, address: &str| End::new(namespace, address.parse().expect("one"));
        let from = end(&self.guest, GUEST).at(4000);
        let to = end(&self.world, WORLD).at(777);
        probe::ask(Protocol::Udp, &from, &to)
            .source()
            .map(|source| source.ip())
    }

    fn iptables(&self, program: &str, line: &str) {
        let mut command = Command::new(program);
        self.host.answer(command.args(line.split(' ')), "").stdout();
    }
}

/// The packet keeps its source, in truth and in what is said.
fn keeps_its_source(site: &Site, told: &Value) {
    assert_eq!(told["verdict"], "accept", "{told:#}");
    assert_eq!(told["nat"], Value::Null, "{told:#}");
    assert_eq!(told["undecided"], json!([]), "{told:#}");
    assert_eq!(site.seen(), GUEST.parse().ok());
}

/// The packet, which NAT would not see, does not leave with its private source, in truth and in what
/// is said.
fn gets_nowhere(site: &Site, told: &Value) {
    assert_eq!(told["verdict"], "drop", "{told:#}");
    assert_eq!(told["nat"], Value::Null, "{told:#}");
    assert_eq!(told["undecided"], json!([]), "{told:#}");
    assert_eq!(site.seen(), None);
}

fn what_nftables_does_not_track() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    assert_eq!(explained(&palisade, ASKED)["nat"]["kind"], "masquerade");
    assert_eq!(site.seen(), HOST.parse().ok());
    let raw = "type filter hook prerouting priority raw";
    site.host.nft(&format!(
        "table ip host {{ chain c {{ {raw};\nip saddr 10.1.0.5 notrack\n}}\n}}"
    ));
    gets_nowhere(&site, &explained(&palisade, ASKED));
}

fn what_iptables_does_not_track() {
    for program in ["iptables-legacy", "iptables-nft"] {
        let site = Site::new();
        let palisade = site.runs(&[]);
        site.iptables(program, NOTRACK);
        gets_nowhere(&site, &explained(&palisade, ASKED));
    }
}

fn our_iptables_and_their_notrack() {
    let site = Site::new();
    let palisade = site.runs(&["--backend", "iptables", "--iptables", "legacy"]);
    assert_eq!(explained(&palisade, ASKED)["nat"]["kind"], "masquerade");
    let raw = "type filter hook prerouting priority raw";
    site.host.nft(&format!(
        "table ip host {{ chain c {{ {raw};\nip saddr 10.1.0.5 notrack\n}}\n}}"
    ));
    keeps_its_source(&site, &explained(&palisade, ASKED));
}

fn headers_that_others_write() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    let chain =
        |priority: &str, rule: &str| format!("chain c {{ type filter hook {priority};\n{rule}\n}}");
    let closed = "chain closed { type filter hook forward priority 10;\nudp dport 777 drop\n}";
    let early = "prerouting priority -300";
    // A rule that writes, whether a drop of what goes to port 777 is met then.
    for (rule, is_dropped) in [
        ("ip dscp set cs1", true),
        ("ip ttl set 7", true),
        ("udp dport set 778", false),
        ("udp sport set 778", true),
    ] {
        let written = chain(early, rule);
        site.host
            .nft(&format!("table ip host {{ {written}\n{closed}\n}}"));
        let told = explained(&palisade, ASKED);
        let expected = if is_dropped { "drop" } else { "accept" };
        assert_eq!(told["verdict"], expected, "{rule}: {told:#}");
        assert_eq!(told["undecided"], json!([]), "{rule}: {told:#}");
        let counted = "udp dport 777 counter";
        let counting = format!("flush chain ip host closed\nadd rule ip host closed {counted}");
        site.host.nft(&counting);
        site.seen();
        let mut nft = Command::new("nft");
        let listed = site
            .host
            .answer(nft.args(["list", "table", "ip", "host"]), "");
        let listed = listed.stdout();
        let is_counted = !listed.contains(&format!("{counted} packets 0"));
        assert_eq!(is_counted, is_dropped, "{rule}: {listed}");
        site.host.nft("delete table ip host");
    }
    // What is not known to be written is in doubt, by name.
    let written = chain(early, "meta length 700 udp dport set 778");
    site.host
        .nft(&format!("table ip host {{ {written}\n{closed}\n}}"));
    let told = explained(&palisade, ASKED);
    let doubt = &told["undecided"][0];
    assert_eq!(doubt["chain"], "closed", "{told:#}");
    assert!(
        doubt["why"].to_string().contains("of ip host c changes it"),
        "{doubt}"
    );
}

fn a_drop_before_ours_is_told_so() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    site.iptables(
        "iptables-legacy",
        "-t raw -A PREROUTING -s 10.1.0.5 -j DROP",
    );
    let line = format!("explain {ASKED}");
    let answer = palisade.answer(line.split(' '));
    assert!(answer.stdout.contains("before our tables"), "{answer}");
    assert_eq!(site.seen(), None);
}
