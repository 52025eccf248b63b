//! Networks of a set, and the addresses of their guests.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use palisade::Network;
use palisade::definition::{self, Source};
use palisade_core::evaluate::Nat;
use palisade_core::network::{Family, Forward, Subnet};
use palisade_tests::libvirt::Case;

use crate::means::Means;

/// A kind of network: one of libvirt's own cases, or one of ours.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// `<forward>` and `<ip>`; none for libvirt's cases, which are read.
    body: Option<&'static str>,
}

const fn of_libvirt(name: &'static str) -> Kind {
    Kind { name, body: None }
}

const fn ours(name: &'static str, body: &'static str) -> Kind {
    Kind {
        name,
        body: Some(body),
    }
}

/// All there are. Bridges and addresses are those of libvirt's cases, each network gets its own.
pub(crate) const KINDS: [Kind; 17] = [
    of_libvirt("nat-default"),
    of_libvirt("nat-ipv6"),
    of_libvirt("nat-no-dhcp"),
    of_libvirt("nat-port-range"),
    of_libvirt("nat-tftp"),
    of_libvirt("route-default"),
    of_libvirt("isolated"),
    ours(
        "nat-range",
        "<forward mode='nat' dev='wan1'><nat><address start='203.0.113.7' end='203.0.113.9'/>\
         <port start='20000' end='20100'/></nat></forward>\
         <ip address='192.168.122.1' prefix='26'/>",
    ),
    ours(
        "nat-addresses",
        "<forward mode='nat'><nat ipv6='yes'><address start='203.0.113.17' end='203.0.113.17'/>\
         </nat></forward><ip address='192.168.122.1' prefix='24'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>",
    ),
    ours(
        "nat-bound",
        "<forward mode='nat' dev='wan0'/><ip address='192.168.122.1' prefix='24'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>",
    ),
    ours(
        "nat-dual",
        "<forward mode='nat'><nat ipv6='yes'/></forward><ip address='192.168.122.1' prefix='24'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>",
    ),
    ours(
        "nat-twin",
        "<forward mode='nat'><nat ipv6='yes'><port start='40000' end='50000'/></nat></forward>\
         <ip address='192.168.122.1' prefix='25'/><ip address='192.168.128.1' prefix='26'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>\
         <ip family='ipv6' address='2001:db8:ca3:2::1' prefix='75'/>",
    ),
    ours(
        "route-dual",
        "<forward mode='route'/><ip address='192.168.122.1' prefix='25'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>",
    ),
    ours(
        "route-bound",
        "<forward mode='route' dev='wan1'/><ip address='192.168.122.1' prefix='24'/>",
    ),
    ours("quiet4", "<ip address='192.168.122.1' prefix='24'/>"),
    ours(
        "quiet-dual",
        "<ip address='192.168.122.1' prefix='24'/>\
         <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>",
    ),
    ours(
        "open",
        "<forward mode='open'/><ip address='192.168.122.1' prefix='24'/>",
    ),
];

impl Kind {
    pub(crate) fn named(name: &str) -> Self {
        let found = KINDS.into_iter().find(|kind| kind.name == name);
        found.unwrap_or_else(|| panic!("no kind of network is named {name}"))
    }
}

/// A network of a set.
pub(crate) struct Member {
    pub(crate) number: usize,
    pub(crate) xml: String,
    pub(crate) network: Network,
    /// The host's addresses on its bridge: one in each subnet, and one in each family that it has
    /// none of.
    pub(crate) gateways: Vec<IpNet>,
    /// libvirt's own commands for it, where we know them.
    pub(crate) case: Option<Case>,
}

impl Member {
    pub(crate) fn of(folder: &Path, kind: Kind, number: usize) -> Self {
        let case = kind.body.is_none().then(|| {
            let cases = Case::all(folder);
            let case = cases.into_iter().find(|case| case.name == kind.name);
            let case = case.unwrap_or_else(|| panic!("libvirt has no case {}", kind.name));
            case.numbered(number)
        });
        let xml = match (&case, kind.body) {
            (Some(case), _) => case.xml.clone(),
            (None, body) => xml(number, body.unwrap_or_default()),
        };
        let source = Source::at(Path::new("member.xml"));
        let networks = definition::parse(&source, xml.as_bytes());
        let network = networks.expect("a definition that is right").remove(0);
        Self {
            number,
            gateways: gateways(&network, number),
            network,
            xml,
            case,
        }
    }

    pub(crate) fn bridge(&self) -> String {
        format!("virbr{}", self.number)
    }

    /// The host's addresses of a family on the bridge.
    pub(crate) fn gateways_of(&self, family: Family) -> impl DoubleEndedIterator<Item = IpNet> {
        let is_of = move |gateway: &IpNet| gateway.addr().is_ipv4() == (family == Family::Ipv4);
        self.gateways.iter().copied().filter(is_of)
    }

    /// The host's address that a guest sends to: that of the first subnet for the first guest, that
    /// of the last one for the second.
    pub(crate) fn gateway_of(&self, which: usize, family: Family) -> IpNet {
        let mut gateways = self.gateways_of(family);
        let gateway = match which {
            0 => gateways.next(),
            _ => gateways.next_back(),
        };
        gateway.expect("an address of each family")
    }

    /// The addresses of a guest: one of IPv4, and one of IPv6, even where the network has none.
    pub(crate) fn guest(&self, which: usize) -> [IpAddr; 2] {
        Family::BOTH.map(|family| {
            let place = if which == 0 { 10 } else { 11 };
            nth(self.gateway_of(which, family), place)
        })
    }

    /// Addresses in the first subnets that nobody has.
    pub(crate) fn unused(&self) -> [IpAddr; 2] {
        Family::BOTH.map(|family| nth(self.gateway_of(0, family), 50))
    }

    /// How the definition has a packet of a new flow translated that leaves by this device.
    pub(crate) fn nat(
        &self,
        (source, destination): (IpAddr, IpAddr),
        out: &str,
        means: Means,
    ) -> Nat {
        let Forward::Nat(nat) = self.network.forward() else {
            return Nat::None;
        };
        let leaves = |subnet: &Subnet| {
            subnet.net().contains(&source) && !subnet.net().contains(&destination)
        };
        let is_kept = stays_on_link(destination)
            || (source.is_ipv6() && !nat.ipv6)
            || nat
                .device
                .as_ref()
                .is_some_and(|device| device.as_str() != out);
        if is_kept || !self.network.subnets().iter().any(leaves) {
            return Nat::None;
        }
        let ports = means.has_ports().then_some(nat.ports);
        match nat.addresses {
            Some(addresses) if source.is_ipv4() => Nat::Snat { addresses, ports },
            _ => Nat::Masquerade { ports },
        }
    }
}

/// What routers do not pass on: the broadcast of every link, 224.0.0.0/24 and ff02::/16.
fn stays_on_link(destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(to) => to.is_broadcast() || to.octets()[..3] == [224, 0, 0],
        IpAddr::V6(to) => to.segments()[0] == 0xff02,
    }
}

fn xml(number: usize, body: &str) -> String {
    let body = body
        .replace("192.168.122.", &format!("192.168.{}.", 20 + number))
        .replace("192.168.128.", &format!("192.168.{}.", 60 + number))
        .replace("2001:db8:ca2:2:", &format!("2001:db8:ca2:{}:", 20 + number))
        .replace("2001:db8:ca3:2:", &format!("2001:db8:ca3:{}:", 20 + number));
    format!("<network><name>network{number}</name><bridge name='virbr{number}'/>{body}</network>")
}

fn gateways(network: &Network, number: usize) -> Vec<IpNet> {
    let subnets = network.subnets().iter().map(|subnet| subnet.net());
    let first = |net: IpNet| IpNet::new(nth(net, 1), net.prefix_len()).expect("a prefix");
    let mut gateways: Vec<IpNet> = subnets.map(first).collect();
    let number = 20 + number;
    for instead in [
        format!("192.168.{number}.1/24"),
        format!("2001:db8:ca2:{number}::1/64"),
    ] {
        let instead: IpNet = instead.parse().expect("a subnet");
        let is_of = |net: &IpNet| net.addr().is_ipv4() == instead.addr().is_ipv4();
        if !gateways.iter().any(is_of) {
            gateways.push(instead);
        }
    }
    gateways
}

/// This many addresses behind the one that names the subnet.
fn nth(net: IpNet, place: u8) -> IpAddr {
    match net.network() {
        IpAddr::V4(first) => IpAddr::V4((u32::from(first) + u32::from(place)).into()),
        IpAddr::V6(first) => IpAddr::V6((u128::from(first) + u128::from(place)).into()),
    }
}
