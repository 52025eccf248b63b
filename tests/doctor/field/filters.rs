//! Other programs' rules.

use palisade_tests::{Definition, Trials, trials};

use super::outage::Outage;
use super::outage::Packets::{Tcp, Udp};
use super::site::{Route, Site, nat, routed};
use crate::examined::{assert_healthy, examine};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        the_rules_are_flushed,
        the_host_may_answer_by_the_uplink_alone,
        the_host_answers_connections_that_it_knows,
        the_web_alone_passes,
        a_boot_server_is_closed,
        neighbours_are_not_heard,
        a_raw_rule_for_a_routed_subnet,
        a_raw_rule_for_one_guest,
        a_prerouting_chain_for_a_routed_subnet,
        a_forwarded_port_is_dropped,
        nixos_drops_dns_behind_its_rpfilter,
        marks_that_nobody_sets,
        a_bridge_calls_the_rules_of_ip,
        a_bridge_of_the_lan_calls_the_rules_of_ip,
        guests_leave_with_a_foreign_source,
        nothing_is_tracked,
        a_masquerade_hides_who_comes,
        another_table_leads_to_a_guest,
        packets_are_too_big_and_nobody_says_so,
        source_ports_run_out,
        bridges_of_others_are_no_finding,
        odd_names_are_escaped_and_in_no_command,
        a_rule_for_the_port_of_one_guest,
    ])
}

fn the_rules_are_flushed() {
    Outage {
        cause: &|site| site.host.nft("flush ruleset"),
        found: &["own-rules"],
        words: &["missing", "palisade", "repair"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn the_host_may_answer_by_the_uplink_alone() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table inet vpn { chain output { type filter hook output priority 0; policy drop; \
                 oifname \"lo\" accept; oifname \"enp1\" accept; }; }",
            );
        },
        lost: &[Udp(Route::Host, 53), Tcp(Route::Host, 53)],
        found: &["host-filter"],
        words: &["inet vpn", "DHCP", "DNS"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

/// DHCP's answers begin a connection of their own.
fn the_host_answers_connections_that_it_knows() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table inet f { chain output { type filter hook output priority 0; policy drop; \
                 oifname \"lo\" accept; oifname \"enp1\" accept; ct state established,related accept; \
                 }; }",
            );
        },
        found: &["host-filter"],
        words: &["the host's answers to DHCP"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn the_web_alone_passes() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table inet f { chain c { type filter hook forward priority 0; policy drop; \
                 ct state established,related accept; iifname \"virbr0\" tcp dport { 80, 443 } accept; \
                 }; }",
            );
        },
        lost: &[Udp(Route::Out, 53)],
        found: &["forward-filter"],
        severity: "warning",
        words: &["DNS to the outside", "udp to the outside", "ping"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn a_boot_server_is_closed() {
    let mut network = nat();
    network.tftp = true;
    Outage {
        network,
        cause: &|site| {
            site.host.nft(
                "table inet f { chain input { type filter hook input priority 0; policy drop; \
                 ct state established accept; udp dport { 53, 67 } accept; tcp dport 53 accept; \
                 icmp type echo-request accept; }; }",
            );
        },
        lost: &[Udp(Route::Host, 69)],
        found: &["host-filter"],
        words: &["TFTP (udp 69)"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn neighbours_are_not_heard() {
    Outage {
        network: Definition::nat(
            "default",
            "virbr0",
            &["192.168.122.1/24", "fd00:122::1/64"],
        )
        .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>")
        .with_dhcp(),
        cause: &|site| {
            site.host.nft(
                "table inet f { chain input { type filter hook input priority 0; policy drop; \
                 ct state established accept; udp dport { 53, 67, 547 } accept; tcp dport 53 accept; \
                 icmp type echo-request accept; }; }",
            );
        },
        found: &["host-filter"],
        words: &["neighbour solicitations", "nd-router-solicit"],
        ..Outage::default()
    }
    .is_found_and_fixed_on(&|site| {
        site.host.sysctl("ipv6/conf/all/forwarding", "1");
        site.host.ip(
            "addr add fd00:122::1/64 dev virbr0\naddr add 2001:db8:a::1/64 dev enp1\n\
             route add ::/0 via 2001:db8:a::2",
        );
    });
}

fn a_raw_rule_for_a_routed_subnet() {
    for program in ["iptables-nft", "iptables-legacy"] {
        let line =
            format!("{program} -t raw -A PREROUTING -d 192.168.122.0/24 ! -i virbr0 -j DROP");
        let fix = format!("{program} -t raw -I PREROUTING -d 192.168.122.0/24 -i enp1 -j ACCEPT");
        Outage {
            network: routed(),
            cause: &|site| site.iptables(&[line.as_str()]),
            lost: &[Tcp(Route::In, 22), Tcp(Route::Out, 443)],
            found: &["forward-filter"],
            words: &[fix.as_str()],
            ..Outage::default()
        }
        .is_found_and_fixed();
    }
}

fn a_raw_rule_for_one_guest() {
    Outage {
        network: routed(),
        cause: &|site| {
            site.iptables(&[
                "iptables-nft -t raw -A PREROUTING -d 192.168.122.10/32 ! -i virbr0 -j DROP",
            ]);
        },
        lost: &[Tcp(Route::In, 22)],
        found: &["forward-filter"],
        words: &["(guest 192.168.122.10)", "-d 192.168.122.10/32 -i enp1"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn a_prerouting_chain_for_a_routed_subnet() {
    Outage {
        network: routed(),
        cause: &|site| {
            site.host.nft(
                "table ip r { chain p { type filter hook prerouting priority raw; \
                 iifname != \"virbr0\" ip daddr 192.168.122.0/24 drop; }; }",
            );
        },
        lost: &[Tcp(Route::In, 22)],
        found: &["forward-filter"],
        words: &["iifname enp1 ip daddr 192.168.122.0/24 accept"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

/// The same drop that keeps guests in keeps their forwards closed.
fn a_forwarded_port_is_dropped() {
    Outage {
        network: nat().with_forwards(&["tcp 8080 -> 192.168.122.10:80"]),
        cause: &|site| {
            site.host.nft(
                "table inet f { chain c { type filter hook forward priority 0; policy drop; \
                 ct state established,related accept; iifname \"virbr0\" accept; }; }",
            );
        },
        found: &["forward-filter"],
        words: &[
            "what forwards lead to guests",
            "192.168.122.10",
            "tcp dport 80",
        ],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn nixos_drops_dns_behind_its_rpfilter() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table inet nixos-fw { \
                 chain rpfilter { type filter hook prerouting priority mangle + 10; policy drop; \
                 meta nfproto ipv4 udp sport . udp dport { 68 . 67, 67 . 68 } accept; \
                 fib saddr . mark . iif oif exists accept; jump allow; }; chain allow { }; \
                 chain input { type filter hook input priority 0; policy drop; iifname lo accept; \
                 ct state vmap { invalid : drop, established : accept, related : accept, \
                 new : jump new, untracked : jump new }; }; \
                 chain new { tcp dport 22 accept; icmp type echo-request accept; }; }",
            );
        },
        lost: &[Udp(Route::Host, 53)],
        found: &["host-filter"],
        words: &["DHCP (udp 67)", "DNS (udp 53)", "policy"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn marks_that_nobody_sets() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table inet f { chain c { type filter hook forward priority 0; policy drop; \
                 ct status dnat accept; ct mark 1 accept; meta mark 2 accept; }; }",
            );
        },
        lost: &[Tcp(Route::Out, 443)],
        found: &["forward-filter"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn a_bridge_calls_the_rules_of_ip() {
    Outage {
        cause: &|site| {
            site.host.ip("link set virbr0 type bridge nf_call_iptables 1");
            site.iptables(&[
                "iptables-nft -P FORWARD DROP",
                "iptables-nft -A FORWARD -i virbr0 -o enp1 -j ACCEPT",
                "iptables-nft -A FORWARD -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            ]);
        },
        lost: &[Tcp(Route::Guests, 22)],
        found: &["bridge-nf-call"],
        words: &["nf_call_iptables 1"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn guests_leave_with_a_foreign_source() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table ip n { chain p { type nat hook postrouting priority 90; \
                 ip saddr 192.168.122.0/24 snat to 192.0.2.99; }; }",
            );
        },
        lost: &[Tcp(Route::Out, 443)],
        found: &["translation"],
        words: &["192.0.2.99"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn nothing_is_tracked() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table ip n { chain p { type filter hook prerouting priority raw; notrack; }; \
                 chain o { type filter hook output priority raw; notrack; }; }",
            );
        },
        lost: &[Udp(Route::Out, 53)],
        found: &["translation"],
        words: &["keeps conntrack from packets"],
        ..Outage::default()
    }
    .is_found();
}

fn a_masquerade_hides_who_comes() {
    Outage {
        network: routed(),
        cause: &|site| {
            site.host.nft(
                "table ip n { chain p { type nat hook postrouting priority srcnat; \
                 oifname \"virbr0\" masquerade; }; }",
            );
        },
        found: &["translation"],
        severity: "warning",
        words: &["oifname virbr0 accept"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn another_table_leads_to_a_guest() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table ip n { chain p { type nat hook prerouting priority dstnat; \
                 tcp dport 8080 dnat to 192.168.122.10:80; }; }",
            );
        },
        found: &["translation"],
        severity: "warning",
        words: &["192.168.122.10:80", "refuses"],
        ..Outage::default()
    }
    .is_found();
}

/// Docker's policy on a bridge of the local network, which is palisade's to know and not to rule.
fn a_bridge_of_the_lan_calls_the_rules_of_ip() {
    let site = Site::new();
    let palisade = palisade_tests::Palisade::new(&site.host);
    let file = palisade.texts([
        "<network><name>lan</name><forward mode='bridge'/><bridge name='virbr0'/></network>",
    ]);
    let file = file[0].to_str().expect("a path");
    palisade.ok(["apply", file]);
    site.host.sysctl("bridge/bridge-nf-call-iptables", "1");
    assert_healthy(&site.host, &palisade);
    site.iptables(&[
        "iptables-legacy -N DOCKER-USER",
        "iptables-legacy -A FORWARD -j DOCKER-USER",
        "iptables-legacy -P FORWARD DROP",
    ]);
    assert!(!site.tcp(Route::Guests, 22), "or there is nothing to find");
    let examined = examine(&site.host, &palisade);
    examined.assert_only(&["bridge-nf-call"]);
    examined.one(
        "bridge-nf-call",
        &["lan", "DOCKER-USER -i virbr0 -o virbr0"],
    );
    examined.assert_mended();
    assert!(site.tcp(Route::Guests, 22));
}

/// Nobody tells guests to send what the uplink carries.
fn packets_are_too_big_and_nobody_says_so() {
    let site = Site::new();
    let palisade = site.running(&nat());
    site.host.ip("link set enp1 mtu 1380");
    let examined = examine(&site.host, &palisade);
    examined.assert_only(&["path-mtu"]);
    let finding = examined.one("path-mtu", &["enp1", "1380", "mss_clamp"]);
    assert_eq!(finding["severity"], "note");
    for hook in ["forward", "output"] {
        site.host.nft(&format!(
            "table inet f {{ chain c {{ type filter hook {hook} priority 0; \
             oifname \"virbr0\" icmp type destination-unreachable drop; }}; }}"
        ));
        let examined = examine(&site.host, &palisade);
        let check = match hook {
            "forward" => "forward-filter",
            _ => "host-filter",
        };
        examined.assert_only(&["path-mtu", check]);
        let finding = examined.one(check, &["mss_clamp"]);
        assert_eq!(finding["severity"], "error", "{finding:#}");
        examined.mend();
        examine(&site.host, &palisade).assert_only(&["path-mtu"]);
        site.host.nft("delete table inet f");
    }
}

fn source_ports_run_out() {
    let site = Site::new();
    let network = nat()
        .forwarding("<forward mode='nat'><nat><port start='40000' end='40001'/></nat></forward>");
    let palisade = site.running(&network);
    assert_healthy(&site.host, &palisade);
    let world = super::site::WORLD;
    let server = site
        .world
        .inside(|| std::net::UdpSocket::bind((world, 53)).expect("a server"));
    for _ in 0..8 {
        let guest = site
            .guest
            .inside(|| std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket"));
        let _ = guest.send_to(b"question", (world, 53));
    }
    drop(server);
    let examined = examine(&site.host, &palisade);
    examined.assert_only(&["conntrack"]);
    examined.one("conntrack", &["insert_failed", "default"]);
}

/// A bridge of somebody else's is not left over.
fn bridges_of_others_are_no_finding() {
    let site = Site::new();
    let palisade = site.running(&nat());
    site.host.bridges(["lab0", "vmbr1"]);
    site.host.ip("addr add 10.77.0.1/24 dev lab0");
    assert_healthy(&site.host, &palisade);
}

/// What no terminal shows as it is, is in no command either.
fn odd_names_are_escaped_and_in_no_command() {
    let site = Site::new();
    let palisade = site.running(&nat());
    let name = "t';id>/tmp/x;'\u{1b}[31m\u{202e}";
    let json = serde_json::json!({"nftables": [
        {"add": {"table": {"family": "inet", "name": name}}},
        {"add": {"chain": {"family": "inet", "table": name, "name": "c\nx", "type": "filter",
                           "hook": "forward", "prio": 0, "policy": "drop"}}},
    ]});
    let mut nft = std::process::Command::new("nft");
    site.host
        .answer(nft.args(["-j", "-f", "-"]), &json.to_string())
        .stdout();
    let text = palisade.answer(["doctor"]).stdout;
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert!(
        text.contains("t';id>/tmp/x;'\\u{1b}[31m\\u{202e}"),
        "{text}"
    );
    let examined = examine(&site.host, &palisade);
    examined.assert_only(&["forward-filter"]);
    assert!(examined.mends().is_empty());
}

/// Rules of bridges name ports: one guest alone is cut off.
fn a_rule_for_the_port_of_one_guest() {
    Outage {
        cause: &|site| {
            site.host.nft(
                "table bridge f { chain c { type filter hook input priority 0; \
                 iifname \"vnet10\" ether type ip drop; }; }",
            );
        },
        lost: &[Tcp(Route::Out, 443), Udp(Route::Host, 53)],
        found: &["forward-filter", "host-filter"],
        words: &["at port `vnet10`", "iifname vnet10 accept"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}
