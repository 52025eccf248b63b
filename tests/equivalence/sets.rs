//! The networks whose rules are compared.

use palisade_tests::Definition;

/// Sets of networks, in every mode and both families.
pub(crate) fn sets() -> Vec<Vec<Definition>> {
    let nat_ipv6 = "<forward mode='nat'><nat ipv6='yes'/></forward>";
    let bound = "<forward mode='nat' dev='eth0'><nat ipv6='yes'><address start='203.0.113.7' \
                 end='203.0.113.9'/><port start='20000' end='20100'/></nat></forward>";
    let one = "<forward mode='nat'><nat><address start='203.0.113.7' end='203.0.113.7'/></nat>\
               </forward>";
    let subnets = ["10.0.0.1/24", "fd00:0:0:1::1/64"];
    vec![
        vec![Definition::nat("default", "virbr0", &["192.168.122.1/24"]).with_dhcp()],
        vec![
            Definition::nat("nat6", "br0", &subnets)
                .forwarding(nat_ipv6)
                .with_dhcp(),
            Definition::isolated("quiet", "br1", &["10.0.1.1/24"]),
            Definition::route("routed", "br2", &["10.0.2.1/25", "fd00:0:0:2::1/64"]),
        ],
        vec![
            Definition::nat("bound", "br0", &subnets).forwarding(bound),
            Definition::nat("one", "br1", &["10.0.1.1/26", "fd00:0:0:3::1/64"]).forwarding(one),
            Definition::route("through", "br2", &["10.0.2.1/32"])
                .forwarding("<forward mode='route' dev='eth1'/>"),
            Definition::isolated("open", "br3", &["10.0.3.1/24"])
                .forwarding("<forward mode='open'/>"),
            Definition::isolated("six", "br4", &["fd00:0:0:4::1/64"]),
        ],
    ]
}
