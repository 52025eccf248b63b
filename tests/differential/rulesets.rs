//! Random rules, as text for `nft`: all kinds of expressions that our layouts use, put together in
//! ways that they would not.

use palisade_nft::program::Program;
use palisade_tests::Chance;

use crate::packets::PORTS;

/// In which chains a rule may stand: what the kernel allows there differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// To the host, through it, or from it: there packets may be refused.
    Filter,
    /// Before and after routing.
    Routing,
    /// Translations on the way out.
    Nat,
}

impl Kind {
    /// How the names of chains that are jumped to begin.
    fn letter(self) -> char {
        match self {
            Self::Filter => 'f',
            Self::Routing => 'r',
            Self::Nat => 'n',
        }
    }
}

/// How many chains of each kind there are to jump to.
const DEEP: u64 = 3;
const DEVICES: [&str; 6] = ["in0", "in1", "out0", "out1", "lo", "none"];

/// Up to three tables.
pub(crate) fn text(chance: &mut Chance) -> String {
    let tables = 1 + chance.below(3);
    // What is translated before it is filtered would need another packet for each base chain.
    let has_nat = chance.below(2) == 0;
    (0..tables)
        .map(|number| table(chance, number, has_nat))
        .collect()
}

/// What takes these tables away.
pub(crate) fn without(tables: &[Program]) -> String {
    let delete = |program: &Program| {
        format!(
            "delete table {} {}\n",
            program.table.family, program.table.name
        )
    };
    tables.iter().map(delete).collect()
}

/// What all of a rule is about.
struct About {
    ports: bool,
    transport: &'static str,
    v6: bool,
    nfproto: bool,
}

struct Writer<'a> {
    chance: &'a mut Chance,
    family: &'static str,
}

fn table(chance: &mut Chance, number: u64, has_nat: bool) -> String {
    let family = *chance.one_of(&["ip", "ip", "ip6", "inet"]);
    let mut writer = Writer { chance, family };
    let mut text = format!("table {family} t{number} {{\n{}", writer.sets());
    let mut kinds = vec![Kind::Filter, Kind::Routing];
    if has_nat {
        kinds.push(Kind::Nat);
    }
    for &kind in &kinds {
        // Those that are jumped to come first, and jump only to those before them.
        for depth in 0..DEEP {
            let rules = writer.rules(kind, depth);
            text += &format!("chain {}{depth} {{\n{rules}}}\n", kind.letter());
        }
    }
    let mut bases = vec![
        (Kind::Filter, "filter hook forward"),
        (Kind::Filter, "filter hook input"),
        (Kind::Routing, "filter hook postrouting"),
    ];
    if has_nat {
        bases.push((Kind::Nat, "nat hook postrouting"));
    } else {
        bases.push((Kind::Routing, "filter hook prerouting"));
    }
    for (number, (kind, hook)) in bases.into_iter().enumerate() {
        if writer.chance.below(4) == 0 {
            continue;
        }
        let priority = match kind {
            Kind::Nat => *writer.chance.one_of(&[100, 90, 110]),
            // Behind conntrack.
            _ => *writer.chance.one_of(&[-150, -10, 0, 0, 10]),
        };
        let policy = match (kind, writer.chance.below(10)) {
            (Kind::Filter | Kind::Routing, 0) => "drop",
            _ => "accept",
        };
        let rules = writer.rules(kind, DEEP);
        text += &format!(
            "chain base{number} {{ type {hook} priority {priority}; policy {policy};\n{rules}}}\n"
        );
    }
    text + "}\n"
}

impl Writer<'_> {
    fn has_ipv4(&self) -> bool {
        self.family != "ip6"
    }

    /// Whether the next address is of IPv6.
    fn is_v6(&mut self) -> bool {
        match self.family {
            "ip" => false,
            "ip6" => true,
            _ => self.chance.below(2) == 0,
        }
    }

    fn sets(&mut self) -> String {
        let v6 = !self.has_ipv4();
        let kind = if v6 { "ipv6_addr" } else { "ipv4_addr" };
        let mut addresses = self.some(|writer| writer.net(v6).0);
        addresses.sort();
        addresses.dedup();
        let mut pairs = self.some(|writer| {
            let device = *writer.chance.one_of(&DEVICES);
            format!("\"{device}\" . {}", writer.net(v6).0)
        });
        pairs.sort();
        pairs.dedup();
        let mut devices = self.some(|writer| format!("\"{}\"", writer.chance.one_of(&DEVICES)));
        devices.sort();
        devices.dedup();
        let verdicts: Vec<String> = devices
            .iter()
            .map(|device| {
                let verdict = *self
                    .chance
                    .one_of(&["accept", "drop", "continue", "jump f0"]);
                format!("{device} : {verdict}")
            })
            .collect();
        format!(
            "set addresses {{ type {kind}; elements = {{ {} }} }}\n\
             set pairs {{ type ifname . {kind}; elements = {{ {} }} }}\n\
             set names {{ type ifname; elements = {{ {} }} }}\n\
             map verdicts {{ type ifname : verdict; elements = {{ {} }} }}\n",
            addresses.join(", "),
            pairs.join(", "),
            devices.join(", "),
            verdicts.join(", ")
        )
    }

    fn some<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..1 + self.chance.below(4)).map(|_| one(self)).collect()
    }

    /// Rules that jump to chains less deep than this.
    fn rules(&mut self, kind: Kind, depth: u64) -> String {
        let count = self.chance.below(5);
        (0..=count).map(|_| self.rule(kind, depth)).collect()
    }

    fn rule(&mut self, kind: Kind, depth: u64) -> String {
        let mut words: Vec<String> = Vec::new();
        // `nft` takes no rule that speaks of two protocols, or of two families.
        let about = About {
            ports: self.chance.below(2) == 0,
            transport: self.chance.one_of::<&'static str>(&["tcp", "udp"]),
            v6: self.is_v6(),
            nfproto: self.family == "inet" && self.chance.below(4) == 0,
        };
        for _ in 0..self.chance.below(4) {
            words.push(self.condition(&about));
        }
        // Behind routing the kernel takes none.
        if kind == Kind::Filter && self.chance.below(5) == 0 {
            words.push(self.way_back());
        }
        if self.chance.below(2) == 0 {
            words.push("counter".to_owned());
        }
        words.push(self.verdict(kind, depth, &words));
        format!("{}\n", words.join(" "))
    }

    fn condition(&mut self, about: &About) -> String {
        let not = *self.chance.one_of(&["", "", "", "!= "]);
        let v6 = about.v6;
        let ip = if v6 { "ip6" } else { "ip" };
        let end = *self.chance.one_of(&["saddr", "daddr"]);
        let way = *self.chance.one_of(&["iifname", "oifname"]);
        let device = *self
            .chance
            .one_of(&["in0", "in1", "out0", "out1", "in*", "out*", "lo"]);
        let port = *self.chance.one_of(&PORTS);
        let port_end = *self.chance.one_of(&["sport", "dport"]);
        // In tables that see both families, sets are of IPv4.
        let (of_sets, mask) = if self.has_ipv4() {
            (
                "ip",
                *self
                    .chance
                    .one_of(&["255.255.0.0", "255.255.255.0", "255.255.255.192"]),
            )
        } else {
            (
                "ip6",
                *self.chance.one_of(&["ffff::", "ffff:ffff:ffff:ffff::"]),
            )
        };
        // In tables that see both families, a rule about IPv6 asks no set.
        let asks_sets = !about.nfproto && v6 != self.has_ipv4();
        match self.chance.below(15) {
            2 | 3 if !about.nfproto => {
                let (address, prefix) = self.net(v6);
                format!("{ip} {end} {not}{address}/{prefix}")
            }
            4 if v6 && !about.nfproto => format!("ip6 {end} {not}fd01::1-fd02::42"),
            4 if !about.nfproto => format!("ip {end} {not}10.1.0.2-10.2.0.66"),
            5 if !about.ports => {
                let protocol = *self
                    .chance
                    .one_of(&["tcp", "udp", "icmp", "ipv6-icmp", "99"]);
                format!("meta l4proto {not}{protocol}")
            }
            5 | 6 if about.ports => format!("{} {port_end} {not}{port}", about.transport),
            7 if about.ports => format!("{} {port_end} {not}60-1500", about.transport),
            8 => {
                let states = [
                    "new",
                    "established,related",
                    "invalid",
                    "established",
                    "new,related",
                    "invalid,untracked",
                ];
                format!("ct state {}", self.chance.one_of(&states))
            }
            9 if asks_sets => {
                let not = *self.chance.one_of(&["", "!= "]);
                format!("{of_sets} {end} & {mask} {not}@addresses")
            }
            10 if asks_sets => format!("{way} . {of_sets} {end} & {mask} {not}@pairs"),
            11 if asks_sets => format!("{of_sets} {end} {not}@addresses"),
            12 => format!("{way} {not}@names"),
            13 if about.nfproto => {
                format!(
                    "meta nfproto {not}{}",
                    self.chance.one_of(&["ipv4", "ipv6"])
                )
            }
            14 if asks_sets => format!("{way} . {of_sets} {end} {not}@pairs"),
            _ => format!("{way} {not}\"{device}\""),
        }
    }

    /// Whether the host reaches the source where the packet comes from.
    fn way_back(&mut self) -> String {
        let mark = *self.chance.one_of(&["", ". mark "]);
        let is = *self.chance.one_of(&["exists", "missing"]);
        format!("fib saddr {mark}. iif oif {is}")
    }

    fn verdict(&mut self, kind: Kind, depth: u64, before: &[String]) -> String {
        let chain = |writer: &mut Self| format!("{}{}", kind.letter(), writer.chance.below(depth));
        match (self.chance.below(12), kind) {
            (0..=2, _) if depth > 0 => format!("jump {}", chain(self)),
            (3, _) if depth > 0 => format!("goto {}", chain(self)),
            (4, _) => "return".to_owned(),
            (5, Kind::Filter) => "reject".to_owned(),
            (5 | 6, Kind::Routing) => "counter".to_owned(),
            (6, Kind::Filter) if depth > 0 => "iifname vmap @verdicts".to_owned(),
            (5..=8, Kind::Nat) => self.translation(before),
            (7, Kind::Filter | Kind::Routing) => "drop".to_owned(),
            (8, Kind::Filter) => "reject".to_owned(),
            (9, _) => "continue".to_owned(),
            _ => "accept".to_owned(),
        }
    }

    fn translation(&mut self, before: &[String]) -> String {
        let has_ports = before
            .iter()
            .any(|word| word == "meta l4proto tcp" || word == "meta l4proto udp");
        let ports = if has_ports && self.chance.below(2) == 0 {
            " to :3000-4000"
        } else {
            ""
        };
        match (self.chance.below(3), self.family) {
            (0, "ip") => "snat to 203.0.113.7-203.0.113.9".to_owned(),
            (0, "ip6") => "snat to fd77::7".to_owned(),
            _ => format!("masquerade{ports}"),
        }
    }

    /// A subnet that some packets come from or go to.
    fn net(&mut self, v6: bool) -> (String, u8) {
        let network = *self.chance.one_of(&[1, 2, 4, 5, 9]);
        let subnet = *self.chance.one_of(&[0, 0, 1, 200]);
        if v6 {
            match self.chance.below(4) {
                0 => (format!("fd0{network}::"), 16),
                1 => (format!("fd0{network}:0:0:{subnet:x}::"), 64),
                2 => (format!("fd0{network}:0:0:{subnet:x}::40"), 122),
                _ => (format!("fd0{network}:0:0:{subnet:x}::1"), 128),
            }
        } else {
            match self.chance.below(4) {
                0 => (format!("10.{network}.0.0"), 16),
                1 => (format!("10.{network}.{subnet}.0"), 24),
                2 => (format!("10.{network}.{subnet}.64"), 26),
                _ => (format!("10.{network}.{subnet}.1"), 32),
            }
        }
    }
}
