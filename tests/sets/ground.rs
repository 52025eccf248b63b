//! The host with its bridges, two worlds and two guests on each bridge; and rules for them.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use palisade::Network;
use palisade::definition::{self, Directories};
use palisade_tests::{Namespace, Palisade, libvirt};

use crate::member::Member;

/// Whose rules packets meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Flat,
    Mapped,
    Legacy,
    Nft,
    Libvirt,
}

impl Rules {
    /// All of them; the others are compared with the first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Flat,
        Self::Mapped,
        Self::Legacy,
        Self::Nft,
        Self::Libvirt,
    ];
}

/// The host's own addresses where it meets the worlds, and theirs.
pub(crate) const WORLDS: [(&str, [&str; 2], [&str; 2]); 2] = [
    (
        "wan0",
        ["192.0.2.1", "2001:db8:a::1"],
        ["192.0.2.2", "2001:db8:a::2"],
    ),
    (
        "wan1",
        ["198.51.100.1", "2001:db8:b::1"],
        ["198.51.100.2", "2001:db8:b::2"],
    ),
];
/// Sources that first guests make up: nobody knows the way there.
pub(crate) const MADE_UP: [&str; 2] = ["172.31.0.9", "2001:db8:dead::9"];

pub(crate) struct Ground {
    pub(crate) host: Namespace,
    pub(crate) worlds: Vec<Namespace>,
    /// Two on each network.
    pub(crate) guests: Vec<[Namespace; 2]>,
}

impl Ground {
    pub(crate) fn new(members: &[Member]) -> Self {
        let host = Namespace::new();
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        for what in ["all", "default"] {
            host.sysctl(&format!("ipv4/conf/{what}/send_redirects"), "0");
        }
        host.sysctl("ipv4/icmp_ratelimit", "0");
        host.sysctl("ipv4/icmp_msgs_per_sec", "100000");
        host.sysctl("ipv4/icmp_msgs_burst", "100000");
        host.sysctl("ipv6/icmp/ratelimit", "0");
        let worlds = WORLDS.iter().map(|(device, here, there)| {
            let world = Namespace::new();
            host.cable(device, &world, "eth0");
            host.ip(&format!(
                "addr add {}/24 dev {device}\naddr add {}/64 dev {device}",
                here[0], here[1]
            ));
            world.ip(&format!(
                "addr add {}/24 dev eth0\naddr add {}/64 dev eth0\n\
                 route add default via {}\nroute add ::/0 via {}",
                there[0], there[1], here[0], here[1]
            ));
            world
        });
        Self {
            worlds: worlds.collect(),
            guests: members.iter().map(|member| guests(&host, member)).collect(),
            host,
        }
    }

    /// The networks of the members, as they are defined.
    pub(crate) fn networks(&self, members: &[Member]) -> Vec<Network> {
        let palisade = Palisade::new(&self.host);
        let files = palisade.texts(members.iter().map(|member| &member.xml));
        definition::read_all(&files, Directories::Read).expect("definitions that are right")
    }

    pub(crate) fn install(&self, folder: &Path, members: &[Member], rules: Rules) {
        let options: &[&str] = match rules {
            Rules::Flat => &["--layout", "flat"],
            Rules::Mapped => &["--layout", "mapped"],
            Rules::Legacy => &["--backend", "iptables", "--iptables", "legacy"],
            Rules::Nft => &["--backend", "iptables", "--iptables", "nft"],
            Rules::Libvirt => {
                libvirt::issue_base(folder, &self.host);
                for case in members.iter().filter_map(|member| member.case.as_ref()) {
                    case.issue(&self.host);
                }
                return;
            }
        };
        let palisade = Palisade::new(&self.host).with(options.iter().copied());
        let files = palisade.texts(members.iter().map(|member| &member.xml));
        palisade.on_files("apply", files).stdout();
    }

    pub(crate) fn take_away(&self, rules: Rules) {
        // The state goes with each installation: what stands goes without it.
        self.host.nft("flush ruleset");
        if rules == Rules::Legacy {
            for program in ["iptables-legacy-restore", "ip6tables-legacy-restore"] {
                let empty = ["filter", "nat", "mangle"].map(|table| format!("*{table}\nCOMMIT\n"));
                let answer = self
                    .host
                    .answer(&mut Command::new(program), &empty.concat());
                answer.stdout();
            }
        }
    }

    /// The interface behind which an address is; none if it is the host's own.
    pub(crate) fn way(&self, address: IpAddr) -> Option<String> {
        let text = address.to_string();
        for (device, here, _) in WORLDS {
            let net = |at: &str| at.rsplit_once(['.', ':']).map(|(net, _)| net.to_owned());
            if here.iter().any(|here| net(here) == net(&text)) {
                let is_own = here.contains(&text.as_str());
                return (!is_own).then(|| device.to_owned());
            }
        }
        let number = match address {
            IpAddr::V4(address) => usize::from(address.octets()[2]),
            // Its words are written in decimals.
            IpAddr::V6(address) => format!("{:x}", address.segments()[3]).parse().unwrap_or(0),
        };
        let is_own = text.ends_with(".1") || text.ends_with("::1");
        (!is_own).then(|| format!("virbr{}", number.saturating_sub(20)))
    }
}

fn guests(host: &Namespace, member: &Member) -> [Namespace; 2] {
    let bridge = member.bridge();
    host.bridges([bridge.as_str()]);
    let number = 20 + member.number;
    host.ip(&format!(
        "addr add fe80::1/64 dev {bridge}\naddr add 192.168.{number}.1/24 dev {bridge}\n\
         addr add 2001:db8:ca2:{number}::1/64 dev {bridge}"
    ));
    [0, 1].map(|which| {
        let guest = Namespace::new();
        let port = format!("{bridge}p{which}");
        guest.sysctl("ipv6/conf/default/accept_redirects", "0");
        host.cable(&port, &guest, "eth0");
        host.ip(&format!("link set {port} master {bridge}"));
        let [v4, v6] = member.guest(which);
        let made_up = match which {
            0 => format!("addr add {}/32 dev eth0\naddr add {}/128 dev eth0\n", MADE_UP[0], MADE_UP[1]),
            _ => String::new(),
        };
        // A guest knows no other on its link: what it sends to one goes through the host.
        guest.ip(&format!(
            "{made_up}addr add {v4}/32 dev eth0\naddr add {v6}/128 dev eth0\n\
             route add 192.168.{number}.1 dev eth0\nroute add default via 192.168.{number}.1 dev eth0\n\
             route add ::/0 via fe80::1 dev eth0"
        ));
        guest
    })
}
