//! What is wrong with a host, or only unusual.

use palisade_tests::{Chance, Namespace};

/// Something that somebody did to the host.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// Commands of `ip`.
    Ip(&'static str),
    /// A setting below `net`, and its value.
    Setting(&'static str, &'static str),
    /// The content of a table of nftables of its own, of family inet.
    Nft(&'static str),
}

use Trouble::{Ip, Nft, Setting};

const ALL: [Trouble; 49] = [
    Ip("route add blackhole 198.51.100.10"),
    Ip("route add unreachable 198.51.100.10"),
    Ip("route add prohibit 198.51.100.0/24"),
    Ip("route add blackhole 198.51.100.0/25 metric 5"),
    Ip("route del default"),
    Ip("route replace default via 203.0.113.9"),
    Ip("route add 198.51.100.10 via 203.0.113.9"),
    Ip("route add 0.0.0.0/1 via 203.0.113.9\nroute add 128.0.0.0/1 via 203.0.113.9"),
    Ip(
        "route add default via 203.0.113.9 table 100\nrule add from 10.1.0.0/24 lookup 100 pref 100",
    ),
    Ip("route add default dev tail0 table 52\nrule add lookup 52 pref 5270"),
    Ip(
        "route add default dev tail0 table 52\nrule add lookup 52 pref 5270\n\
        rule add to 10.1.0.0/24 lookup main pref 5200",
    ),
    Ip("rule add iif virbr0 prohibit pref 101"),
    Ip("rule add to 10.1.0.0/24 unreachable pref 102"),
    Ip("rule add iif wan0 to 10.1.0.0/24 blackhole pref 103"),
    Ip("rule add from 10.1.0.6 blackhole pref 104"),
    Ip("rule add ipproto udp dport 5000-5010 unreachable pref 105"),
    Ip("rule add from 192.0.2.1 blackhole pref 106"),
    Ip("route add unreachable default table 200\nrule add from 10.1.0.0/24 lookup 200 pref 107"),
    Ip("addr del 10.1.0.1/24 dev virbr0"),
    Ip("addr del 192.0.2.1/24 dev wan0"),
    Ip("link set virbr0 down"),
    Ip("link set wan0 down"),
    Ip("link set wan1 down"),
    Ip("rule add fwmark 7 blackhole pref 108"),
    Ip("route add default via 203.0.113.9 table 101\nrule add fwmark 7 lookup 101 pref 109"),
    Ip("link set vnet1 down\nlink set vnet0 down"),
    Setting("bridge/bridge-nf-call-iptables", "0"),
    Setting("ipv4/conf/virbr0/rp_filter", "1"),
    Setting("ipv4/ip_forward", "0"),
    Setting("ipv4/conf/virbr0/forwarding", "0"),
    Setting("ipv4/conf/wan0/forwarding", "0"),
    Setting("ipv4/conf/all/rp_filter", "1"),
    Setting("ipv4/conf/wan0/rp_filter", "1"),
    Setting("ipv4/conf/wan1/rp_filter", "2"),
    Nft("chain c { type filter hook forward priority 10; policy drop;\niifname virbr0 accept; }"),
    Nft(
        "chain c { type filter hook forward priority 10; policy drop;\n\
         ct state established,related accept\niifname virbr0 accept; }",
    ),
    Nft("chain c { type filter hook input priority 0; policy drop;\niifname lo accept; }"),
    Nft("chain c { type filter hook output priority 0; policy drop;\noifname wan0 accept; }"),
    Nft("chain c { type filter hook prerouting priority raw;\nip saddr 10.1.0.6 drop; }"),
    Nft("chain c { type filter hook forward priority -10;\nip daddr 198.51.100.10 reject; }"),
    Nft("chain c { type filter hook forward priority 5;\nct state established drop; }"),
    Nft(
        "chain c { type nat hook prerouting priority dstnat;\nudp dport 5000-5012 dnat ip to 10.1.0.5; }",
    ),
    Nft(
        "chain c { type nat hook prerouting priority dstnat;\niifname virbr0 udp dport 5000-5015 redirect; }",
    ),
    Nft("chain c { type nat hook postrouting priority srcnat;\noifname wan1 masquerade; }"),
    Nft("chain c { type nat hook postrouting priority 90;\noifname wan0 snat ip to 192.0.2.1; }"),
    Nft(
        "chain c { type filter hook prerouting priority -300; policy drop;\n\
         fib saddr . iif oif exists accept; }",
    ),
    Nft("chain c { type filter hook prerouting priority mangle;\niifname wan1 drop; }"),
    Nft(
        "chain c { type filter hook postrouting priority 0;\noifname virbr0 udp dport 5003 drop; }",
    ),
    Nft(
        "chain c { type filter hook forward priority 0;\nlimit rate 1000/second accept\ncounter; }",
    ),
];

impl Trouble {
    /// A few of them, in some order.
    pub(crate) fn some(chance: &mut Chance) -> Vec<Self> {
        let count = chance.below(4);
        (0..count).map(|_| *chance.one_of(&ALL)).collect()
    }

    /// Does it to a host. What another trouble made impossible is left out.
    pub(crate) fn happens(self, host: &Namespace, number: usize) {
        match self {
            Ip(lines) => {
                let lines = lines.replace('\n', "; ip ");
                let mut command = std::process::Command::new("sh");
                host.answer(command.args(["-c", &format!("ip {lines}")]), "");
            }
            Setting(key, value) => host.sysctl(key, value),
            Nft(content) => host.nft(&format!("table inet t{number} {{\n{content}\n}}")),
        }
    }
}
