//! The host with its bridges, two worlds and two guests on each bridge; and rules for them.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use ipnet::IpNet;
use palisade::{Firewall, Options};
use palisade_core::network::Family;
use palisade_tests::libvirt::{self, Backend};
use palisade_tests::{Namespace, Palisade};
use tempfile::TempDir;

use crate::member::Member;
use crate::questions::{Question, Who, made_up, stolen};
use crate::routing::{MulticastRouter, Way};
use crate::worlds::WORLDS;

/// Whose rules packets meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Nobodys,
    Flat,
    Mapped,
    Legacy,
    Nft,
    /// The layouts, with known flows accepted first.
    FlatFirst,
    MappedFirst,
    /// libvirt's own commands.
    Libvirt(Backend),
}

impl Rules {
    /// All of them. What is without rules comes first; the others are compared with `flat`.
    pub(crate) const ALL: [Self; 10] = [
        Self::Nobodys,
        Self::Flat,
        Self::Mapped,
        Self::Legacy,
        Self::Nft,
        Self::FlatFirst,
        Self::MappedFirst,
        Self::Libvirt(Backend::Nftables),
        Self::Libvirt(Backend::IptablesLegacy),
        Self::Libvirt(Backend::IptablesNft),
    ];
}

pub(crate) struct Ground {
    host: Namespace,
    worlds: Vec<Namespace>,
    /// Two on each network.
    guests: Vec<[Namespace; 2]>,
    /// The host's addresses, each with its device.
    addresses: Vec<(String, IpNet)>,
    router: MulticastRouter,
    state: TempDir,
}

impl Ground {
    pub(crate) fn new(members: &[Member]) -> Self {
        let host = host();
        let worlds = WORLDS.iter().map(|(device, here, there)| {
            let world = Namespace::new();
            host.cable(device, &world, "eth0");
            host.ip(&format!(
                "addr add {}/24 dev {device}\naddr add {}/64 dev {device} nodad",
                here[0], here[1]
            ));
            world.ip(&format!(
                "addr add {}/24 dev eth0\naddr add {}/64 dev eth0 nodad\n\
                 route add default via {}\nroute add ::/0 via {}",
                there[0], there[1], here[0], here[1]
            ));
            world
        });
        let worlds = worlds.collect();
        let guests = members.iter().map(|member| guests(&host, members, member));
        let guests = guests.collect();
        let bridges = members.iter().map(Member::bridge);
        let devices = WORLDS.iter().map(|(device, ..)| (*device).to_owned());
        let router = MulticastRouter::new(&host, devices.chain(bridges).collect());
        Self {
            host,
            worlds,
            guests,
            addresses: addresses(members),
            router,
            state: TempDir::new().expect("make a folder"),
        }
    }

    pub(crate) fn namespace(&self, who: Who) -> &Namespace {
        match who {
            Who::World(number) => &self.worlds[number],
            Who::Guest(network, which) => &self.guests[network][which],
            Who::Host => &self.host,
        }
    }

    /// Has the host forward what these questions say to groups behind it.
    pub(crate) fn forward_groups(&self, questions: &[Question]) {
        for question in questions.iter().filter(|q| q.destination.is_multicast()) {
            let (from, to) = (question.from.device(), question.to.device());
            if let (Some(from), Some(to)) = (&from, &to) {
                self.router.forward(Way {
                    source: question.source,
                    group: question.destination,
                    from,
                    to,
                });
            }
        }
    }

    /// Without any network of its own, it explains what others installed as well.
    pub(crate) fn firewall(&self) -> Firewall {
        let options = Options {
            state_directory: Some(self.state.path().to_owned()),
            namespace: Some(self.host.path()),
            ..Options::default()
        };
        Firewall::open(&options).expect("open the firewall")
    }

    pub(crate) fn install(&self, folder: &Path, members: &[Member], rules: Rules) {
        let options: &[&str] = match rules {
            Rules::Nobodys => return,
            Rules::Flat => &["--layout", "flat"],
            Rules::Mapped => &["--layout", "mapped"],
            Rules::Legacy => &["--backend", "iptables", "--iptables", "legacy"],
            Rules::Nft => &["--backend", "iptables", "--iptables", "nft"],
            Rules::FlatFirst => &["--layout", "flat", "--established", "first"],
            Rules::MappedFirst => &["--layout", "mapped", "--established", "first"],
            Rules::Libvirt(backend) => {
                libvirt::issue_base(folder, backend, &self.host);
                for case in members.iter().filter_map(|member| member.case.as_ref()) {
                    case.issue(backend, &self.host);
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
        let is_legacy = [Rules::Legacy, Rules::Libvirt(Backend::IptablesLegacy)].contains(&rules);
        if is_legacy {
            for program in ["iptables-legacy-restore", "ip6tables-legacy-restore"] {
                let empty = ["filter", "nat", "mangle"].map(|table| format!("*{table}\nCOMMIT\n"));
                let answer = self
                    .host
                    .answer(&mut Command::new(program), &empty.concat());
                answer.stdout();
            }
        }
    }

    /// The host's addresses that it masquerades with, by this device to this destination: on the
    /// same subnet if there is one, else any of them.
    pub(crate) fn addresses_towards(&self, device: &str, destination: IpAddr) -> Vec<IpAddr> {
        let is_its = |(of, net): &&(String, IpNet)| {
            of == device && net.addr().is_ipv4() == destination.is_ipv4()
        };
        let its: Vec<IpNet> = self
            .addresses
            .iter()
            .filter(is_its)
            .map(|(_, net)| *net)
            .collect();
        match its.iter().find(|net| net.contains(&destination)) {
            Some(near) => vec![near.addr()],
            None => its.iter().map(IpNet::addr).collect(),
        }
    }
}

/// It forwards everything, directed broadcasts too, and each refusal shall be heard.
fn host() -> Namespace {
    let host = Namespace::new();
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    for what in ["all", "default"] {
        host.sysctl(&format!("ipv4/conf/{what}/send_redirects"), "0");
        host.sysctl(&format!("ipv4/conf/{what}/bc_forwarding"), "1");
    }
    host.sysctl("ipv4/icmp_ratelimit", "0");
    host.sysctl("ipv4/icmp_msgs_per_sec", "100000");
    host.sysctl("ipv4/icmp_msgs_burst", "100000");
    host.sysctl("ipv6/icmp/ratelimit", "0");
    // Where bridges filter too, what is said to all on a link meets the rules as if it were forwarded
    // from the bridge to itself, and NAT takes that and what is routed for one flow.
    if Path::new("/proc/sys/net/bridge").exists() {
        for family in ["iptables", "ip6tables"] {
            host.sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
        }
    }
    host
}

fn addresses(members: &[Member]) -> Vec<(String, IpNet)> {
    let mut addresses = Vec::new();
    for (device, [v4, v6], _) in WORLDS {
        for net in [format!("{v4}/24"), format!("{v6}/64")] {
            addresses.push((device.to_owned(), net.parse().expect("an address")));
        }
    }
    for member in members {
        let gateways = member.gateways.iter();
        addresses.extend(gateways.map(|&gateway| (member.bridge(), gateway)));
    }
    addresses
}

/// A command that gives a device an address, which can be used at once.
fn added(address: IpNet, device: &str) -> String {
    let nodad = if address.addr().is_ipv6() {
        " nodad"
    } else {
        ""
    };
    format!("addr add {address} dev {device}{nodad}\n")
}

fn guests(host: &Namespace, members: &[Member], member: &Member) -> [Namespace; 2] {
    let bridge = member.bridge();
    host.bridges([bridge.as_str()]);
    let mut commands = format!("addr add fe80::1/64 dev {bridge}\n");
    for gateway in &member.gateways {
        commands += &added(*gateway, &bridge);
    }
    host.ip(&commands);
    [0, 1].map(|which| {
        let guest = Namespace::new();
        let port = format!("{bridge}p{which}");
        guest.sysctl("ipv6/conf/default/accept_redirects", "0");
        host.cable(&port, &guest, "eth0");
        host.ip(&format!("link set {port} master {bridge}"));
        let [v4, v6] = member.guest(which);
        let gateway = member.gateway_of(which, Family::Ipv4);
        // A guest knows no other on its link: what it sends to one goes through the host.
        let mut commands = format!(
            "addr add {v4}/32 broadcast {} dev eth0\naddr add {v6}/128 dev eth0 nodad\n\
             route add {via} dev eth0\nroute add default via {via} dev eth0\n\
             route add ::/0 via fe80::1 dev eth0\n",
            gateway.broadcast(),
            via = gateway.addr(),
        );
        // It takes no packet for another's that says to come from its own address: so the first
        // guests lie, the second ones listen.
        if which == 0 {
            let lies = stolen(members, member).into_iter().flatten();
            for lie in lies.chain(made_up(member)) {
                commands += &added(IpNet::from(lie), "eth0");
            }
        }
        guest.ip(&commands);
        guest
    })
}
