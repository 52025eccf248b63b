//! XML about no network, or about one that contradicts itself.

use super::{Case, case, network};

/// XML that describes no network, or one that contradicts itself.
pub(crate) fn elements() -> Vec<Case> {
    let ip = |inside: &str| network(&format!("  <ip {inside}/>"));
    let forward =
        |inside: &str| network(&format!("{inside}\n  <ip address='10.0.0.1' prefix='24'/>"));
    let nat = |inside: &str| forward(&format!("  <forward><nat>{inside}</nat></forward>"));
    let bare = |inside: &str| format!("<network>\n  <name>lab</name>\n  {inside}\n</network>");
    vec![
        case(
            "a guest",
            "<domain type='kvm'>\n  <name>guest</name>\n</domain>",
        ),
        case(
            "libvirt's state",
            "<networkstatus><network/></networkstatus>",
        ),
        case("something else", "<html><body/></html>"),
        case(
            "a foreign namespace",
            "<network xmlns='http://example.com/net'>\n</network>",
        ),
        case(
            "no name",
            "<network>\n  <bridge name='virbr1'/>\n</network>",
        ),
        case(
            "an empty name",
            "<network>\n  <name/>\n  <bridge name='virbr1'/>\n</network>",
        ),
        case(
            "two names",
            "<network>\n  <name>a</name>\n  <name>b</name>\n</network>",
        ),
        case(
            "a name that is a path",
            "<network>\n  <name>../lab</name>\n</network>",
        ),
        case(
            "a name of two lines",
            "<network>\n  <name>\n    lab\n  </name>\n</network>",
        ),
        case(
            "a name that breaks out of quotes",
            "<network>\n  <name>a\"; drop</name>\n</network>",
        ),
        case(
            "a very long name",
            format!("<network><name>{}</name></network>", "x".repeat(100_000)),
        ),
        case(
            "an element in the name",
            "<network>\n  <name><b>lab</b></name>\n</network>",
        ),
        case("no bridge", bare("<ip address='10.0.0.1' prefix='24'/>")),
        case(
            "a bridge without a name",
            bare("<bridge stp='on' delay='0'/>"),
        ),
        case("a template for a bridge", bare("<bridge name='virbr%d'/>")),
        case(
            "a bridge with a long name",
            bare("<bridge name='virbr0123456789a'/>"),
        ),
        case("a wildcard for a bridge", bare("<bridge name='virbr+'/>")),
        case("two bridges", network("  <bridge name='virbr2'/>")),
        case(
            "a zone that is none",
            bare("<bridge name='virbr1' zone='a/b'/>"),
        ),
        case(
            "text among elements",
            network("  <forward mode='nat'/> here\n"),
        ),
        case("text in `<nat>`", nat("ports")),
        case("CDATA among elements", network("  <![CDATA[ <ip/> ]]>")),
        case("a slip in an element", network("  <foward mode='nat'/>")),
        case(
            "an element in capitals",
            network("  <IP address='10.0.0.1'/>"),
        ),
        case(
            "a slip in an attribute",
            forward("  <forward mdoe='route'/>"),
        ),
        case(
            "a slip in the netmask",
            ip("address='172.16.0.1' netmsk='255.255.255.0'"),
        ),
        case(
            "`ipv6` that is neither yes nor no",
            "<network ipv6='true'>\n  <name>lab</name>\n  <bridge name='virbr1'/>\n</network>",
        ),
        case("an unknown mode", forward("  <forward mode='masquerade'/>")),
        case("a slip in the mode", forward("  <forward mode='ruote'/>")),
        case(
            "isolated as a mode",
            forward("  <forward mode='isolated'/>"),
        ),
        case(
            "two `<forward>`",
            forward("  <forward mode='nat'/>\n  <forward mode='route'/>"),
        ),
        case("NAT without a subnet", network("  <forward mode='nat'/>")),
        case("NAT by default, without a subnet", network("  <forward/>")),
        case(
            "routing without a subnet",
            network("  <forward mode='route' dev='eth0'/>"),
        ),
        case(
            "`open` with a device",
            forward("  <forward mode='open' dev='eth0'/>"),
        ),
        case(
            "`open` with an interface",
            forward("  <forward mode='open'><interface dev='eth0'/></forward>"),
        ),
        case(
            "two devices that differ",
            forward("  <forward dev='eth0'>\n    <interface dev='eth1'/>\n  </forward>"),
        ),
        case(
            "two interfaces",
            forward(
                "  <forward>\n    <interface dev='eth0'/>\n    <interface dev='eth1'/>\n  </forward>",
            ),
        ),
        case(
            "an interface without a device",
            forward("  <forward><interface/></forward>"),
        ),
        case(
            "the bridge as forward device",
            forward("  <forward dev='virbr1'/>"),
        ),
        case("an empty device", forward("  <forward dev=''/>")),
        case(
            "`<nat>` where routed",
            forward("  <forward mode='route'>\n    <nat/>\n  </forward>"),
        ),
        case("two `<nat>`", forward("  <forward><nat/><nat/></forward>")),
        case(
            "two address ranges",
            nat("<address start='1.2.3.4' end='1.2.3.4'/><address start='1.2.3.5' end='1.2.3.5'/>"),
        ),
        case(
            "an address range without an end",
            nat("<address start='203.0.113.8'/>"),
        ),
        case(
            "an address range backwards",
            nat("<address start='203.0.113.9' end='203.0.113.8'/>"),
        ),
        case(
            "an address range of IPv6",
            nat("<address start='2001:db8::1' end='2001:db8::9'/>"),
        ),
        case(
            "an address range of nobody",
            nat("<address start='0.0.0.0' end='203.0.113.8'/>"),
        ),
        case("a port range without a start", nat("<port end='2000'/>")),
        case(
            "a port range backwards",
            nat("<port start='2000' end='1024'/>"),
        ),
        case("a port above all", nat("<port start='1024' end='65536'/>")),
        case(
            "a port with a sign",
            nat("<port start='+1024' end='2000'/>"),
        ),
        case("port 0 and more", nat("<port start='0' end='2000'/>")),
        case(
            "NAT of IPv6, perhaps",
            forward("  <forward><nat ipv6='on'/></forward>"),
        ),
        case("no address", ip("prefix='24'")),
        case("an address that is none", ip("address='192.168.1.256'")),
        case(
            "an address with leading zeros",
            ip("address='192.168.001.001'"),
        ),
        case(
            "an address with its prefix",
            ip("address='192.168.122.1/24'"),
        ),
        case(
            "IPv6 without its family",
            ip("address='2001:db8::1' prefix='64'"),
        ),
        case(
            "IPv6 of family ipv4",
            ip("family='ipv4' address='2001:db8::1'"),
        ),
        case(
            "IPv4 of family ipv6",
            ip("family='ipv6' address='10.0.0.1'"),
        ),
        case(
            "IPv6 that is none",
            ip("family='ipv6' address='2001:db8::1%eth0'"),
        ),
        case(
            "a family of its own",
            ip("family='inet' address='10.0.0.1'"),
        ),
        case(
            "prefix and netmask",
            ip("address='10.0.0.1' prefix='24' netmask='255.255.255.0'"),
        ),
        case(
            "a netmask with holes",
            ip("address='10.0.0.1' netmask='255.0.255.0'"),
        ),
        case(
            "a netmask that is a prefix",
            ip("address='10.0.0.1' netmask='/24'"),
        ),
        case(
            "a netmask of nothing",
            ip("address='10.0.0.1' netmask='0.0.0.0'"),
        ),
        case(
            "a netmask for IPv6",
            ip("family='ipv6' address='fd00::1' netmask='ffff::'"),
        ),
        case("a prefix too long", ip("address='10.0.0.1' prefix='33'")),
        case(
            "a prefix far too long",
            ip("address='10.0.0.1' prefix='300'"),
        ),
        case(
            "a prefix of IPv6 too long",
            ip("family='ipv6' address='fd00::1' prefix='129'"),
        ),
        case("a prefix of 0", ip("address='10.0.0.1' prefix='0'")),
        case("a prefix with a sign", ip("address='10.0.0.1' prefix='-1'")),
        case("an address without a class", ip("address='240.0.0.1'")),
        case("a multicast address", ip("address='224.0.0.1' prefix='24'")),
        case(
            "two subnets that overlap",
            network(
                "  <ip address='10.0.0.1' prefix='8'/>\n  <ip address='10.1.0.1' prefix='16'/>",
            ),
        ),
        case(
            "one subnet twice",
            network(
                "  <ip address='10.0.0.1' prefix='24'/>\n  <ip address='10.0.0.9' prefix='24'/>",
            ),
        ),
        case(
            "TFTP over IPv6",
            network("  <ip family='ipv6' address='fd00::1'>\n    <tftp root='/srv'/>\n  </ip>"),
        ),
        case(
            "two `<dhcp>`",
            network("  <ip address='10.0.0.1'><dhcp/><dhcp/></ip>"),
        ),
        case(
            "a slip in `<dhcp>`",
            network("  <ip address='10.0.0.1'><dhcp><rnage start='10.0.0.2'/></dhcp></ip>"),
        ),
        case(
            "a subnet on the host's bridge",
            network("  <forward mode='bridge'/>\n  <ip address='10.0.0.1'/>"),
        ),
        case(
            "a bridge for macvtap",
            network("  <forward mode='vepa' dev='eth0'/>"),
        ),
        case(
            "a bridge and a device",
            network("  <forward mode='bridge' dev='eth0'/>"),
        ),
        case(
            "a zone without a bridge",
            bare("<forward mode='private'/>\n  <bridge zone='lab'/>"),
        ),
    ]
    .into_iter()
    .chain(misplaced())
    .chain(of_palisade())
    .collect()
}

/// Words at the wrong place.
fn misplaced() -> Vec<Case> {
    let ip = "\n  <ip address='10.0.0.1' prefix='24'/>";
    let inside = |inside: &str| network(&format!("  {inside}{ip}"));
    vec![
        case(
            "`<nat>` beside `<forward>`",
            inside("<forward/><nat ipv6='yes'/>"),
        ),
        case("`<nat>` without `<forward>`", inside("<nat ipv6='yes'/>")),
        case(
            "`<forward>` in `<bridge>`",
            "<network>\n  <name>lab</name>\n  <bridge name='virbr1'><forward mode='route'/></bridge>\n</network>",
        ),
        case("a device as in TOML", inside("<forward device='enp9'/>")),
        case(
            "an address without `<nat>`",
            inside("<forward><address start='203.0.113.1' end='203.0.113.9'/></forward>"),
        ),
        case(
            "a port without `<nat>`",
            inside("<forward><port start='1' end='9'/></forward>"),
        ),
        case(
            "ports of NAT in `<network>`",
            inside("<forward/><port start='1' end='9'/>"),
        ),
        case("a zone as an element", inside("<zone>libvirt</zone>")),
        case("a name as an attribute", "<network name='lab'>\n</network>"),
        case("a mode of its own", inside("<mode>nat</mode>")),
        case("an MTU as an attribute", inside("<forward mtu='1400'/>")),
        case("isolation as in TOML", inside("<isolated_ports/>")),
        case(
            "forwards as in TOML",
            inside("<forwards>tcp 80 -> 10.0.0.2:80</forwards>"),
        ),
        case(
            "a range outside of `<dhcp>`",
            network(
                "  <ip address='10.0.0.1' prefix='24'>\n    <range start='10.0.0.2' end='10.0.0.9'/>\n  </ip>",
            ),
        ),
        case(
            "`<ip>` in `<dns>`",
            inside("<dns><ip address='10.0.0.1'/></dns>"),
        ),
    ]
}

/// palisade's own elements.
fn of_palisade() -> Vec<Case> {
    let ip = "  <ip address='10.0.0.1' prefix='24'/>";
    let uri = "https://palisade.example/network/1";
    let metadata = |inside: &str| {
        network(&format!(
            "{ip}\n  <metadata xmlns:palisade='{uri}'>\n    {inside}\n  </metadata>"
        ))
    };
    let forward = |attributes: &str| metadata(&format!("<palisade:forward {attributes}/>"));
    vec![
        case(
            "a forward outside of `<metadata>`",
            network(&format!(
                "{ip}\n  <palisade:forward xmlns:palisade='{uri}'/>"
            )),
        ),
        case(
            "a forward in no namespace",
            network(&format!(
                "{ip}\n  <metadata><forward protocol='tcp'/></metadata>"
            )),
        ),
        case(
            "a prefix that is not declared",
            network(&format!("{ip}\n  <metadata><palisade:forward/></metadata>")),
        ),
        case(
            "another version of the namespace",
            network(&format!(
                "{ip}\n  <metadata><f:forward xmlns:f='https://palisade.example/network/2'/></metadata>"
            )),
        ),
        case(
            "an unknown element of palisade's",
            metadata("<palisade:forwrad/>"),
        ),
        case(
            "a forward without a target",
            forward("protocol='tcp' listen='80'"),
        ),
        case(
            "a slip in a forward",
            forward("protocl='tcp' listen='80' to='10.0.0.2:80'"),
        ),
        case(
            "too much in a forward",
            forward("protocol='tcp' listen='80' to='10.0.0.2:80' x='y'"),
        ),
        case(
            "a forward to another network",
            forward("protocol='tcp' listen='80' to='10.0.1.2:80'"),
        ),
        case(
            "a forward to port 0",
            forward("protocol='tcp' listen='80' to='10.0.0.2:0'"),
        ),
        case(
            "sources of another family",
            forward("protocol='tcp' listen='80' to='10.0.0.2:80' from='fd00::/8'"),
        ),
        case("two logs", metadata("<palisade:log/><palisade:log/>")),
        case(
            "a rate that is none",
            metadata("<palisade:log rate='often'/>"),
        ),
        case(
            "a group that is none",
            metadata("<palisade:log group='65536'/>"),
        ),
        case(
            "segments of nothing",
            metadata("<palisade:mss_clamp size='0'/>"),
        ),
        case(
            "neither between networks nor not",
            metadata("<palisade:nat_between_networks/>"),
        ),
        case(
            "NAT between networks without NAT",
            metadata("<palisade:nat_between_networks enabled='no'/>"),
        ),
        case("an MTU that is none", network("  <mtu size='67'/>")),
        case(
            "ports that are neither isolated nor not",
            network("  <port isolated='true'/>"),
        ),
        case(
            "a log without rules",
            network(&format!(
                "  <forward mode='open'/>\n{ip}\n  <metadata><palisade:log xmlns:palisade='{uri}'/></metadata>"
            )),
        ),
    ]
}
