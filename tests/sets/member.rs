//! Networks of a set, and the addresses of their guests.

use std::net::IpAddr;
use std::path::Path;

use palisade_tests::libvirt::Case;

/// A kind of network: one of libvirt's own cases, or one of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    name: &'static str,
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
pub(crate) const KINDS: [Kind; 15] = [
    of_libvirt("nat-default"),
    of_libvirt("nat-ipv6"),
    of_libvirt("nat-no-dhcp"),
    of_libvirt("nat-port-range"),
    of_libvirt("nat-tftp"),
    of_libvirt("route-default"),
    of_libvirt("isolated"),
    ours(
        "nat-range",
        "<forward mode='nat' dev='wan1'><nat><address start='203.0.113.7' end='203.0.113.7'/>\
         <port start='20000' end='40000'/></nat></forward>\
         <ip address='192.168.122.1' prefix='24'/>",
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
        "route-dual",
        "<forward mode='route'/><ip address='192.168.122.1' prefix='24'/>\
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
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) number: usize,
    pub(crate) xml: String,
    /// libvirt's own commands for it, where we know them.
    pub(crate) case: Option<Case>,
}

impl Member {
    pub(crate) fn of(folder: &Path, kind: Kind, number: usize) -> Self {
        let Some(body) = kind.body else {
            let cases = Case::all(folder);
            let case = cases.into_iter().find(|case| case.name == kind.name);
            let case = case.unwrap_or_else(|| panic!("libvirt has no case {}", kind.name));
            let case = case.numbered(number);
            return Self {
                number,
                xml: case.xml.clone(),
                case: Some(case),
            };
        };
        let body = body
            .replace("192.168.122.", &format!("192.168.{}.", 20 + number))
            .replace("2001:db8:ca2:2:", &format!("2001:db8:ca2:{}:", 20 + number));
        Self {
            number,
            xml: format!(
                "<network><name>network{number}</name><bridge name='virbr{number}'/>{body}</network>"
            ),
            case: None,
        }
    }

    pub(crate) fn bridge(&self) -> String {
        format!("virbr{}", self.number)
    }

    /// The addresses of a guest: one of IPv4, and one of IPv6, even where the network has none.
    pub(crate) fn guest(&self, which: usize) -> [IpAddr; 2] {
        let number = self.number;
        let [v4, v6] = [
            format!("192.168.{}.{}", 20 + number, 10 + which),
            format!("2001:db8:ca2:{}::{}", 20 + number, 10 + which),
        ];
        [v4, v6].map(|text| text.parse().expect("an address"))
    }
}
