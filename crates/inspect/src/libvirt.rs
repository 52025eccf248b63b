//! libvirt's own rules for the same bridges: where both act, guests get the stricter of the two.

use ipnet::IpNet;
use palisade_core::network::{InterfaceName, Network};
use palisade_core::owner::Owner;
use palisade_iptables::text::Words;
use palisade_netlink::rtnetlink::Link;
use palisade_nft::object::{Family, MetaKey, Rule, Verdict};
use palisade_nft::statement::{Match, Origin, Statement, Test, statements};

/// The traffic that a rule is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matched {
    interfaces: Vec<String>,
    subnets: Vec<IpNet>,
    /// Whether it only calls another chain.
    pub(crate) is_jump: bool,
}

/// Notes on libvirt's rules for these bridges: one line for each bridge that it rules too.
pub(crate) fn notices(rules: &[Matched], bridges: &[InterfaceName]) -> Vec<String> {
    let bridges = bridges.iter().map(InterfaceName::as_str);
    let both = bridges.filter(|bridge| rules.iter().any(|rule| rule.names(bridge)));
    both.map(|bridge| {
        format!(
            "libvirt has rules for bridge `{bridge}` too, and both act: stop libvirt's network \
             (virsh net-destroy NAME), or leave the bridge to it"
        )
    })
    .collect()
}

/// Whether a chain of iptables is libvirt's.
pub(crate) fn is_its_chain(name: &str) -> bool {
    Owner::of_chain(name) == Owner::Libvirt
}

impl Matched {
    /// Of a rule in nf_tables, on a host with these interfaces: libvirt matches bridges by their
    /// numbers where it can.
    pub(crate) fn of_nftables(rule: &Rule, links: &[Link]) -> Self {
        let mut matched = Self::default();
        for statement in statements(&rule.expressions) {
            match statement {
                Statement::Match(test) => matched.add(&test, rule.family, links),
                Statement::Verdict(Verdict::Jump(_)) => matched.is_jump = true,
                _ => {}
            }
        }
        matched
    }

    fn add(&mut self, Match { fields, test }: &Match, family: Family, links: &[Link]) {
        let ([field], Test::Compare(_, value)) = (fields.as_slice(), test) else {
            return;
        };
        match field.origin {
            Origin::Meta(MetaKey::IIF | MetaKey::OIF) => {
                let index = value.as_slice().try_into().map(u32::from_ne_bytes).ok();
                let link = links.iter().find(|link| Some(link.index) == index);
                self.interfaces.extend(link.map(|link| link.name.clone()));
            }
            Origin::Meta(MetaKey::IIFNAME | MetaKey::OIFNAME) => {
                let name = value.split(|&byte| byte == 0).next().unwrap_or_default();
                let name = String::from_utf8_lossy(name);
                self.interfaces.push(name.into_owned());
            }
            _ => {
                let prefix = field.prefix(family, value);
                let subnet = prefix.and_then(|(_, first, len)| IpNet::new(first, len).ok());
                self.subnets.extend(subnet);
            }
        }
    }

    /// Of a rule in the words of iptables.
    pub(crate) fn of_iptables(words: &Words) -> Self {
        let behind = |options: [&str; 2]| options.map(|option| words.behind(option));
        let interfaces = behind(["-i", "-o"]).into_iter().flatten();
        let subnets = behind(["-s", "-d"]).into_iter().flatten();
        Self {
            interfaces: interfaces.map(str::to_owned).collect(),
            subnets: subnets.filter_map(|subnet| subnet.parse().ok()).collect(),
            is_jump: words.behind("-j").is_some_and(is_its_chain),
        }
    }

    /// Whether it is about the traffic of an interface.
    pub(crate) fn names(&self, interface: &str) -> bool {
        self.interfaces.iter().any(|name| name == interface)
    }

    /// Whether it is about the traffic of a network: of its bridge, or of one of its subnets.
    pub(crate) fn concerns(&self, network: &Network) -> bool {
        let bridge = network.bridge();
        let mut subnets = network.subnets().iter();
        bridge.is_some_and(|bridge| self.names(bridge.as_str()))
            || subnets.any(|subnet| self.subnets.contains(&subnet.net()))
    }
}

#[cfg(test)]
mod tests {
    use palisade_nft::object::{Comparison, Userdata};
    use palisade_nft::statement::{Field, expressions};

    use super::*;

    fn compare(origin: Origin, value: Vec<u8>) -> Statement {
        Statement::Match(Match {
            fields: vec![Field { origin, mask: None }],
            test: Test::Compare(Comparison::Equal, value),
        })
    }

    #[test]
    fn bridges_are_matched_by_number_and_by_name() {
        let link = Link {
            index: 7,
            name: "virbr0".to_owned(),
            kind: Some("bridge".to_owned()),
            is_up: true,
            ..Link::default()
        };
        let rule = |test| Rule {
            family: Family::Ip,
            table: "libvirt_network".to_owned(),
            chain: "guest_output".to_owned(),
            handle: Some(1),
            position: None,
            expressions: expressions(&[test]),
            userdata: Userdata::comment("virbr1"),
            extra: Vec::new(),
        };
        let mut name = b"virbr0".to_vec();
        name.resize(16, 0);
        let index = 7_u32.to_ne_bytes().to_vec();
        for test in [
            compare(Origin::Meta(MetaKey::IIF), index),
            compare(Origin::Meta(MetaKey::OIFNAME), name),
        ] {
            let matched = Matched::of_nftables(&rule(test), std::slice::from_ref(&link));
            assert!(matched.names("virbr0"), "{matched:?}");
            assert!(!matched.names("virbr1"), "{matched:?}");
        }
    }

    #[test]
    fn a_comment_names_no_bridge() {
        let words = "-s 10.1.0.0/16 -o virbr0 -m comment --comment";
        let words = words.split(' ').chain(["not -i virbr1 but another"]);
        let matched = Matched::of_iptables(&words.collect());
        assert!(matched.names("virbr0"));
        assert!(!matched.names("virbr1"));
        assert_eq!(matched.subnets, ["10.1.0.0/16".parse().unwrap()]);
    }
}
