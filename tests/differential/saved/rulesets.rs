//! Random rules, as text for `iptables-restore`: what our backend uses, put together in ways that it
//! would not.

use palisade_core::network::Family;
use palisade_tests::Chance;

use crate::packets::PORTS;

/// How many chains of each table there are to jump to.
const DEEP: u64 = 3;

/// A table, and the kernel's chains in which rules stand.
const TABLES: [(&str, &[&str]); 4] = [
    ("raw", &["PREROUTING"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "POSTROUTING"]),
    ("filter", &["INPUT", "FORWARD"]),
    ("nat", &["POSTROUTING"]),
];

struct Writer<'a> {
    chance: &'a mut Chance,
    family: Family,
    /// How many rules there are: each one says its own number, so that no two are alike.
    rules: usize,
}

/// All four tables of a family.
pub(crate) fn text(chance: &mut Chance, family: Family) -> String {
    let mut writer = Writer {
        chance,
        family,
        rules: 0,
    };
    TABLES
        .iter()
        .map(|(table, chains)| writer.table(table, chains))
        .collect()
}

impl Writer<'_> {
    fn table(&mut self, table: &str, chains: &[&str]) -> String {
        let mut text = format!("*{table}\n");
        for chain in chains {
            let drops = table != "nat" && self.chance.below(12) == 0;
            let policy = if drops { "DROP" } else { "ACCEPT" };
            text += &format!(":{chain} {policy} [0:0]\n");
        }
        for depth in 0..DEEP {
            text += &format!(":user{depth} - [0:0]\n");
        }
        // Those that are jumped to jump only to those before them.
        for depth in 0..DEEP {
            text += &self.rules(table, &format!("user{depth}"), depth);
        }
        for chain in chains {
            text += &self.rules(table, chain, DEEP);
        }
        text + "COMMIT\n"
    }

    fn rules(&mut self, table: &str, chain: &str, depth: u64) -> String {
        let most = if table == "raw" { 2 } else { 5 };
        let count = self.chance.below(most);
        (0..=count)
            .map(|_| self.rule(table, chain, depth))
            .collect()
    }

    fn rule(&mut self, table: &str, chain: &str, depth: u64) -> String {
        let mut words = vec![format!("-A {chain}")];
        if self.chance.below(3) == 0 {
            words.push(self.addresses("-s"));
        }
        if self.chance.below(3) == 0 {
            words.push(self.addresses("-d"));
        }
        // The programs take `-o` where a packet has no such interface only in other chains.
        let has_in = chain != "POSTROUTING";
        let has_out = !matches!(chain, "PREROUTING" | "INPUT");
        if has_in && self.chance.below(4) == 0 {
            words.push(self.interface("-i", &["in0", "in1", "in+", "out+"]));
        }
        if has_out && self.chance.below(4) == 0 {
            words.push(self.interface("-o", &["in0", "out0", "out1", "out+"]));
        }
        let protocol = self.protocol(&mut words);
        if self.chance.below(4) == 0 {
            words.push(self.flow());
        }
        match self.chance.below(16) {
            // Nothing sets one: what is asked is not known to the evaluator, and does not hold. A rule of
            // `raw` may keep conntrack from packets, and then all that follows would be open.
            0 if table != "raw" => words.push("-m mark --mark 0x7".to_owned()),
            1 => words.push("-m addrtype --dst-type UNICAST".to_owned()),
            2 => words.push("-m addrtype ! --dst-type LOCAL,MULTICAST".to_owned()),
            3 if self.family == Family::Ipv6 => words.push("-m rt --rt-type 0".to_owned()),
            _ => {}
        }
        self.rules += 1;
        words.push(format!("-m comment --comment \"rule {}\"", self.rules));
        words.push(self.target(table, depth, protocol));
        words.join(" ") + "\n"
    }

    fn not(&mut self) -> &'static str {
        self.chance.one_of::<&'static str>(&["", "", "", "! "])
    }

    fn addresses(&mut self, option: &str) -> String {
        let not = self.not();
        let network = *self.chance.one_of(&[1, 2, 4, 5, 9]);
        let subnet = *self.chance.one_of(&[0, 0, 1, 200]);
        let wide = self.chance.below(4);
        let net = match (self.family, wide) {
            (Family::Ipv4, 0) => format!("10.{network}.0.0/16"),
            (Family::Ipv4, 1) => format!("10.{network}.{subnet}.0/24"),
            (Family::Ipv4, 2) => format!("10.{network}.{subnet}.64/26"),
            (Family::Ipv4, _) => format!("10.{network}.{subnet}.1/32"),
            (Family::Ipv6, 0) => format!("fd0{network}::/16"),
            (Family::Ipv6, 1) => format!("fd0{network}:0:0:{subnet:x}::/64"),
            (Family::Ipv6, 2) => format!("fd0{network}:0:0:{subnet:x}::40/122"),
            (Family::Ipv6, _) => format!("fd0{network}:0:0:{subnet:x}::1/128"),
        };
        format!("{not}{option} {net}")
    }

    fn interface(&mut self, option: &str, names: &[&str]) -> String {
        format!("{}{option} {}", self.not(), self.chance.one_of(names))
    }

    /// A protocol, perhaps with ports; which one, if it is not negated.
    fn protocol(&mut self, words: &mut Vec<String>) -> Option<&'static str> {
        if self.chance.below(2) == 0 {
            return None;
        }
        let protocol = match self.chance.below(6) {
            0 => "99",
            1 if self.family == Family::Ipv4 => "icmp",
            1 => "ipv6-icmp",
            2 | 3 => "tcp",
            _ => "udp",
        };
        let not = self.not();
        words.push(format!("{not}-p {protocol}"));
        if !not.is_empty() {
            return None;
        }
        if matches!(protocol, "tcp" | "udp") && self.chance.below(2) == 0 {
            words.push(self.ports(protocol));
        }
        Some(protocol)
    }

    fn ports(&mut self, protocol: &str) -> String {
        let not = self.not();
        let end = *self.chance.one_of(&["sport", "dport"]);
        let ports = [(); 2].map(|()| *self.chance.one_of(&PORTS));
        let (low, high) = (ports[0].min(ports[1]), ports[0].max(ports[1]));
        match self.chance.below(5) {
            0 => format!("-m multiport {not}--{end}s {low},{high}"),
            1 => format!("-m multiport {not}--ports {low}"),
            2 => format!("-m multiport {not}--{end}s 60:70,{high}"),
            3 if low != high => format!("-m {protocol} {not}--{end} {low}:{high}"),
            _ => format!("-m {protocol} {not}--{end} {low}"),
        }
    }

    fn flow(&mut self) -> String {
        let not = self.not();
        let states = [
            "NEW",
            "ESTABLISHED,RELATED",
            "INVALID",
            "ESTABLISHED",
            "INVALID,NEW",
        ];
        let states = *self.chance.one_of(&states);
        match self.chance.below(3) {
            0 => format!("-m state {not}--state {states}"),
            _ => format!("-m conntrack {not}--ctstate {states}"),
        }
    }

    fn target(&mut self, table: &str, depth: u64, protocol: Option<&str>) -> String {
        let chain = |writer: &mut Self| format!("user{}", writer.chance.below(depth));
        match (self.chance.below(12), table) {
            (0..=2, _) if depth > 0 => format!("-j {}", chain(self)),
            (3, _) if depth > 0 => format!("-g {}", chain(self)),
            (4 | 5, _) => "-j RETURN".to_owned(),
            (6 | 7, "nat") => self.translation(protocol),
            (6, "filter") => "-j REJECT".to_owned(),
            (6, "raw") => self.untracked(),
            (7, "filter" | "mangle" | "raw") => "-j DROP".to_owned(),
            // It goes on.
            (8, "mangle") => "-j MARK --set-xmark 0x10/0x10".to_owned(),
            (8, "filter") => "-j DROP".to_owned(),
            (9, _) => String::new(),
            _ => "-j ACCEPT".to_owned(),
        }
    }

    fn untracked(&mut self) -> String {
        let targets = ["-j CT --notrack", "-j ACCEPT", "-j ACCEPT"];
        (*self.chance.one_of(&targets)).to_owned()
    }

    fn translation(&mut self, protocol: Option<&str>) -> String {
        let has_ports = matches!(protocol, Some("tcp" | "udp")) && self.chance.below(2) == 0;
        if self.family == Family::Ipv4 && self.chance.below(3) == 0 {
            let ports = if has_ports { ":3000-4000" } else { "" };
            return format!("-j SNAT --to-source 203.0.113.7-203.0.113.9{ports}");
        }
        let ports = if has_ports {
            " --to-ports 3000-4000"
        } else {
            ""
        };
        format!("-j MASQUERADE{ports}")
    }
}
