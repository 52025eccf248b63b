//! Rules of other programs in words: as `nft` lists them.

use std::process::{Command, ExitCode};

use palisade_netlink::Socket;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::object::Family;
use palisade_tests::{Namespace, trials};

fn main() -> ExitCode {
    palisade_tests::run(trials![
        others_rules_read_as_nft_lists_them,
        what_iptables_adds_is_named
    ])
}

/// One a line, as it is written and as it is listed.
const RULES: &str = "\
meta mark 0x00000001
meta mark != 0x00000001 drop
meta mark & 0x000000ff == 0x00000001 accept
ct mark 0x00000002 accept
ct mark != 0x00000002 accept
ct direction original accept
ct direction reply accept
ct status confirmed accept
ct status dnat accept
ct status snat,dnat accept
ct expiration 30s accept
ct expiration 1m30s accept
ct helper \"ftp\" accept
ct zone 3 accept
ct l3proto ipv4 accept
ct protocol tcp accept
ct id 7 accept
limit rate 10/second accept
limit rate over 10/minute burst 7 packets drop
limit rate 1 mbytes/second accept
limit rate over 5 kbytes/hour burst 9 kbytes drop
meta nfproto ipv4 accept
meta nfproto ipv6 drop
ip saddr 10.0.0.0/8 accept
ip daddr 10.1.2.3 drop
ip saddr != 10.0.0.0/26 drop
ip saddr 10.0.0.0/8 ip daddr 10.1.2.3 drop
ip6 saddr fd00::/64 accept
ip6 daddr fd00::1 drop
ip saddr @s drop
ip saddr 10.0.0.1-10.0.0.9 drop
ip saddr 10.0.0.0/8 tcp dport 80 ct state new accept
ip protocol tcp accept
ip ttl 1 drop
ip6 nexthdr tcp accept
ip6 hoplimit 1 drop
tcp dport 80 accept
udp dport 53 accept
tcp sport != 80 accept
tcp dport 1000-2000 accept
tcp flags syn drop
th dport 53 accept
icmp type echo-request accept
icmpv6 type nd-neighbor-solicit accept
meta length 100 accept
meta protocol ip accept
meta pkttype broadcast drop
meta pkttype multicast drop
meta skuid 0 accept
meta skgid 0 accept
meta cpu 1 accept
meta iifkind \"veth\" accept
meta oifkind \"bridge\" accept
meta iiftype ether accept
iifgroup 5 accept
oifgroup 6 accept
meta priority 1:2 accept
meta l4proto tcp accept
ct state established,related accept
ct state new drop
ct state invalid drop
meta mark set 0x00000005
ct mark set 0x00000006
log prefix \"hi: \" accept
log
log level debug
notrack
quota 1 mbytes accept
quota over 5 kbytes drop
fib daddr type local accept
fib daddr type != local accept
fib saddr . iif oif missing drop
reject
reject with icmpx admin-prohibited
reject with icmpx no-route
meta l4proto tcp reject with tcp reset
reject with icmp host-unreachable
counter drop
ether saddr 02:00:00:00:00:01 drop
iifname \"a\" oifname \"b*\" return
";

/// Each rule alone in a table: its text here, beside the line that `nft` has for it.
fn others_rules_read_as_nft_lists_them() {
    let namespace = Namespace::new();
    let mut script = String::from("table inet f {\nset s { type ipv4_addr; }\n");
    for (number, rule) in RULES.lines().enumerate() {
        script += &format!("chain c{number} {{\n{rule}\n}}\n");
    }
    namespace.nft(&(script + "}\n"));
    let mut nft = Command::new("nft");
    let listed = namespace
        .answer(nft.args(["-s", "list", "table", "inet", "f"]), "")
        .stdout();
    let ours = texts(&namespace, Family::Inet, "f");
    assert_eq!(ours.len(), RULES.lines().count());
    assert!(ours.len() > 40, "{}", ours.len());
    for (number, (rule, text)) in RULES.lines().zip(&ours).enumerate() {
        let (_, chain) = listed
            .split_once(&format!("\tchain c{number} {{\n"))
            .expect("the chain");
        let (line, _) = chain.split_once("\n\t}").expect("its end");
        let line = line.trim();
        assert_eq!(text, line, "written as `{rule}`");
    }
}

/// The rules of a table, one behind the other.
fn texts(namespace: &Namespace, family: Family, table: &str) -> Vec<String> {
    let program = namespace.inside(|| {
        let mut socket = Socket::open().expect("a socket");
        let mut replies = Vec::new();
        let mut reader = Reader::new(&mut socket, &mut replies);
        let program = reader.program(family, table, Depth::Elements);
        program.expect("a dump").expect("the table")
    });
    let rules = program.chains.iter().flat_map(|chain| &chain.rules);
    rules.map(|rule| format!("{rule:#}")).collect()
}

/// What only xtables knows is named; the rest reads as ever.
fn what_iptables_adds_is_named() {
    let namespace = Namespace::new();
    for (line, text) in [
        (
            "-s 10.0.0.0/24 -p tcp --dport 80 -m comment --comment web -j ACCEPT",
            "ip saddr 10.0.0.0/24 tcp dport 80 xt match \"comment\" counter accept",
        ),
        (
            "-m addrtype --dst-type LOCAL -j DROP",
            "xt match \"addrtype\" counter drop",
        ),
        (
            "-m conntrack --ctstate NEW -j MARK --set-mark 2",
            "xt match \"conntrack\" counter xt target \"MARK\"",
        ),
        (
            "-m limit --limit 5/min -j REJECT",
            "limit rate 5/minute counter xt target \"REJECT\"",
        ),
        ("-j LOG --log-prefix hi", "counter xt target \"LOG\""),
    ] {
        let mut iptables = Command::new("iptables-nft");
        let arguments = format!("-A FORWARD {line}");
        namespace
            .answer(iptables.args(arguments.split(' ')), "")
            .stdout();
        let last = texts(&namespace, Family::Ip, "filter").pop();
        assert_eq!(last.as_deref(), Some(text), "{line}");
    }
}
