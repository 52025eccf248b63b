//! Which flows a subnet's NAT rules would have translated. Pure.

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use palisade_core::network::{Family, Subnet};

use super::flow::Flow;

/// Flows that keep their source although their subnet is translated: those from some subnets to others.
#[derive(Debug, Clone, Default)]
pub struct KeptFlows {
    /// The subnets that keep their source.
    pub from: Vec<Subnet>,
    /// The subnets towards which they do.
    pub to: Vec<Subnet>,
}

/// Subnets whose source addresses are translated, and the addresses of the host.
///
/// A flow does not record its devices. Where a network's NAT is for one device only, flows through
/// other devices match too: the installed rules do not let its guests send there.
#[derive(Debug, Clone, Default)]
pub(super) struct NattedSubnets {
    subnets: HashSet<Subnet>,
    /// The lengths of their prefixes: an address is looked up once for each.
    prefixes: BTreeSet<(Family, u8)>,
    host: HashSet<IpAddr>,
    kept: KeptFlows,
}

impl NattedSubnets {
    /// These subnets, on a host with these addresses.
    pub(super) fn new(
        subnets: impl IntoIterator<Item = Subnet>,
        host: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let subnets: HashSet<Subnet> = subnets.into_iter().collect();
        let prefix = |subnet: &Subnet| (subnet.family(), subnet.prefix());
        Self {
            prefixes: subnets.iter().map(prefix).collect(),
            subnets,
            host: host.into_iter().collect(),
            kept: KeptFlows::default(),
        }
    }

    /// The same, but for these flows.
    pub(super) fn but_for(self, kept: KeptFlows) -> Self {
        Self { kept, ..self }
    }

    /// Whether a flow left one of the subnets with its own source address, which NAT rules would
    /// have translated.
    #[must_use]
    pub(super) fn is_untranslated(&self, flow: &Flow) -> bool {
        // Rules see a packet after its destination was translated.
        let target = flow.target();
        !flow.is_source_translated()
            && self
                .subnet_of(flow.original.addresses.source())
                .is_some_and(|subnet| !subnet.net().contains(&target))
            && !is_kept(target)
            && !self.kept.has(flow.original.addresses.source(), target)
            // Packets to the host itself are not forwarded.
            && !self.host.contains(&target)
    }

    fn subnet_of(&self, address: IpAddr) -> Option<Subnet> {
        self.prefixes
            .iter()
            .filter(|(family, _)| (*family == Family::Ipv4) == address.is_ipv4())
            .filter_map(|&(_, prefix)| Subnet::new(address, prefix).ok())
            .find(|subnet| self.subnets.contains(subnet))
    }
}

impl KeptFlows {
    fn has(&self, source: IpAddr, target: IpAddr) -> bool {
        let holds = |subnets: &[Subnet], address| {
            let mut subnets = subnets.iter();
            subnets.any(|subnet| subnet.net().contains(&address))
        };
        holds(&self.from, source) && holds(&self.to, target)
    }
}

/// Whether packets to this address keep their source: broadcasts and link-local multicast.
fn is_kept(target: IpAddr) -> bool {
    let is_multicast = |family: Family| family.link_local_multicast().contains(&target);
    target == Ipv4Addr::BROADCAST || Family::BOTH.into_iter().any(is_multicast)
}

#[cfg(test)]
mod tests {
    use super::super::flow::{Addresses, ProtocolKey, Tuple};
    use super::*;

    /// A flow from one address to another; where the answers come from and go to.
    fn flow([source, destination]: [&str; 2], [replier, receiver]: [&str; 2]) -> Flow {
        let tuple = |source: &str, destination: &str| Tuple {
            addresses: addresses(source, destination),
            protocol: 17,
            key: ProtocolKey::Nothing,
            zone: None,
        };
        Flow {
            original: tuple(source, destination),
            reply: tuple(replier, receiver),
            status: 0,
            id: 1,
            mark: 0,
            zone: None,
        }
    }

    fn addresses(source: &str, destination: &str) -> Addresses {
        match (source.parse().unwrap(), destination.parse().unwrap()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Addresses::V4 {
                source,
                destination,
            },
            (IpAddr::V6(source), IpAddr::V6(destination)) => Addresses::V6 {
                source,
                destination,
            },
            mixed => panic!("{mixed:?}"),
        }
    }

    fn untranslated(source: &str, destination: &str) -> Flow {
        flow([source, destination], [destination, source])
    }

    fn natted() -> NattedSubnets {
        let subnets = ["10.1.0.0/24", "10.1.128.0/17", "fd00:1::/64"];
        NattedSubnets::new(
            subnets.map(|subnet| subnet.parse().unwrap()),
            ["192.0.2.1", "10.1.0.1", "2001:db8::1"].map(|address| address.parse().unwrap()),
        )
    }

    #[test]
    fn exactly_what_left_untranslated() {
        let left = [
            ("10.1.0.10", "203.0.113.9"),
            ("10.1.200.1", "203.0.113.9"),
            // The host itself, from its address on the bridge.
            ("10.1.0.1", "203.0.113.9"),
            // Another of the subnets is elsewhere too.
            ("10.1.0.10", "10.1.200.1"),
            ("10.1.0.10", "224.0.1.1"),
            ("fd00:1::10", "2001:db8:2::2"),
        ];
        for (source, destination) in left {
            let flow = untranslated(source, destination);
            assert!(natted().is_untranslated(&flow), "{flow:?}");
        }
        let not = [
            // From others.
            ("10.1.1.10", "203.0.113.9"),
            ("10.1.127.255", "203.0.113.9"),
            ("192.0.2.1", "203.0.113.9"),
            ("fd00:2::10", "2001:db8:2::2"),
            // Inside, or in from elsewhere.
            ("10.1.0.10", "10.1.0.11"),
            ("10.1.0.10", "10.1.0.255"),
            ("203.0.113.9", "10.1.0.10"),
            // Never translated.
            ("10.1.0.10", "255.255.255.255"),
            ("10.1.0.10", "224.0.0.251"),
            ("fd00:1::10", "ff02::fb"),
            // To the host, which does not forward it.
            ("10.1.0.10", "192.0.2.1"),
            ("fd00:1::10", "2001:db8::1"),
        ];
        for (source, destination) in not {
            let flow = untranslated(source, destination);
            assert!(!natted().is_untranslated(&flow), "{flow:?}");
        }
        assert!(
            !NattedSubnets::default().is_untranslated(&untranslated("10.1.0.10", "203.0.113.9"))
        );
    }

    #[test]
    fn a_translated_source_is_left_alone() {
        let masqueraded = flow(["10.1.0.10", "203.0.113.9"], ["203.0.113.9", "192.0.2.1"]);
        assert!(!natted().is_untranslated(&masqueraded));
        // Its port alone was: somebody wanted it so.
        let mut ports = untranslated("10.1.0.10", "203.0.113.9");
        ports.status |= Flow::SOURCE_NAT;
        assert!(!natted().is_untranslated(&ports));
        // Other bits say nothing of it.
        ports.status = !Flow::SOURCE_NAT;
        assert!(natted().is_untranslated(&ports));
    }

    /// Port forwarding: rules see where packets really go.
    #[test]
    fn a_translated_destination_counts_as_what_it_became() {
        let back_in = flow(["10.1.0.10", "192.0.2.1"], ["10.1.0.11", "10.1.0.10"]);
        assert!(!natted().is_untranslated(&back_in));
        let out = flow(["10.1.0.10", "10.1.0.1"], ["203.0.113.9", "10.1.0.10"]);
        assert!(natted().is_untranslated(&out));
    }
}
