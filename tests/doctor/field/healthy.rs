//! Hosts that other programs have arranged for themselves, and where nothing is wrong for guests.

use palisade_tests::{Trials, trials};

use super::site::{Route, Site, nat};
use crate::examined::assert_healthy;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        a_plain_host,
        a_tunnel_for_everything,
        two_uplinks_with_rules,
        nixos_with_the_ports_open,
        docker_that_lets_guests_pass,
        strict_sources_by_default,
    ])
}

/// Nothing is found once this was done, and guests reach the world.
#[track_caller]
fn healthy(arrange: impl Fn(&Site)) {
    let site = Site::new();
    let palisade = site.running(&nat());
    arrange(&site);
    assert_healthy(&site.host, &palisade);
}

fn a_plain_host() {
    healthy(|site| assert!(site.tcp(Route::Out, 443) && site.udp(Route::Host, 53)));
}

fn a_tunnel_for_everything() {
    healthy(|site| {
        site.host.ip(
            "link add vpn0 type veth peer name far0\nlink set far0 up\nlink set vpn0 up\n\
             addr add 10.8.0.2/24 dev vpn0\n\
             route add 0.0.0.0/1 dev vpn0\nroute add 128.0.0.0/1 dev vpn0",
        );
    });
}

fn two_uplinks_with_rules() {
    healthy(|site| {
        site.host.ip(
            "link add enp2 type veth peer name far0\nlink set far0 up\nlink set enp2 up\n\
             addr add 198.18.0.2/24 dev enp2\n\
             route add default via 198.18.0.1 dev enp2 table 102\n\
             rule add from 198.18.0.2 lookup 102 pref 102\n\
             route add default via 203.0.113.1 dev enp1 table 101\n\
             rule add from 203.0.113.2 lookup 101 pref 101",
        );
        assert!(site.tcp(Route::Out, 443));
    });
}

fn nixos_with_the_ports_open() {
    healthy(|site| {
        site.host.nft(
            "table inet nixos-fw { \
             chain rpfilter { type filter hook prerouting priority mangle + 10; policy drop; \
             meta nfproto ipv4 udp sport . udp dport { 68 . 67, 67 . 68 } accept; \
             fib saddr . mark . iif oif exists accept; }; \
             chain input { type filter hook input priority 0; policy drop; iifname lo accept; \
             ct state vmap { invalid : drop, established : accept, related : accept, \
             new : jump new, untracked : jump new }; }; \
             chain new { iifname virbr0 udp dport { 53, 67 } accept; iifname virbr0 tcp dport 53 accept; \
             icmp type echo-request accept; }; }",
        );
        assert!(site.tcp(Route::Out, 443) && site.udp(Route::Host, 53));
    });
}

fn docker_that_lets_guests_pass() {
    healthy(|site| {
        site.iptables(&[
            "iptables-nft -N DOCKER-USER",
            "iptables-nft -A FORWARD -j DOCKER-USER",
            "iptables-nft -P FORWARD DROP",
            "iptables-nft -A DOCKER-USER -i virbr0 -j ACCEPT",
            "iptables-nft -A DOCKER-USER -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "iptables-nft -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
            "iptables-nft -t raw -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP",
        ]);
        assert!(site.tcp(Route::Out, 443));
    });
}

fn strict_sources_by_default() {
    healthy(|site| {
        for of in ["all", "default", "virbr0", "enp1"] {
            site.host.sysctl(&format!("ipv4/conf/{of}/rp_filter"), "1");
        }
        assert!(site.tcp(Route::Out, 443));
    });
}
