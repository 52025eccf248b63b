//! What libvirt's users have is read as libvirt means it, and the three formats say the same.
// What fails here is a test.
#![allow(clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use palisade_core::Network;
use palisade_core::network::{Forward, InterfaceName, UnmanagedMode};
use palisade_definition::{Source, parse};

fn read(text: &str) -> Vec<Network> {
    let source = Source::at(Path::new("good"));
    parse(&source, text.as_bytes()).unwrap_or_else(|error| panic!("{}\n{text}", error.report()))
}

fn one(text: &str) -> Network {
    let mut networks = read(text);
    assert_eq!(networks.len(), 1, "{text}");
    networks.remove(0)
}

/// Definitions of one network that mean the same, the first in TOML.
fn same(toml: &str, others: &[&str]) {
    let expected = one(toml);
    for other in others {
        assert_eq!(one(other), expected, "{other}");
    }
}

/// A network around what stands in `<network>`.
fn lab(inside: &str) -> String {
    format!("<network><name>lab</name><bridge name='virbr1'/>{inside}</network>")
}

/// As `virsh net-dumpxml` prints a running network.
#[test]
fn a_dump_of_virsh() {
    let dump = r#"<network connections='2'>
  <name>default</name>
  <uuid>9a05da11-e96b-47f3-8253-a3a482e445f5</uuid>
  <forward mode='nat'>
    <nat>
      <port start='1024' end='65535'/>
    </nat>
  </forward>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mac address='52:54:00:0a:cd:21'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>

"#;
    same(
        "name = 'default'\nbridge = 'virbr0'\nmode = 'nat'\nsubnets = ['192.168.122.1/24']\ndhcp = true",
        &[dump],
    );
}

/// As it lies in /etc/libvirt/qemu/networks, with everything that there is beside the firewall.
#[test]
fn all_that_libvirt_has() {
    let file = "\u{feff}<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?>\r\n\
<!--\r\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\r\n\
OVERWRITTEN AND LOST. Use:\r\n  virsh net-edit vagrant-libvirt\r\n-->\r\n\
<?editor keep?>\r\n\
<network ipv6='yes' trustGuestRxFilters='no' xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>\r\n\
  <name>vagrant-<!-- of mine -->lib<![CDATA[vir]]>&#116;</name>\r\n\
  <uuid>dcb95e22-9bc3-4d3e-8c24-4c2d3f5ab4c6</uuid>\r\n\
  <title>A &quot;title&quot; &amp; more</title>\r\n\
  <description>Text, <b>elements</b>, and an &lt;ip&gt;</description>\r\n\
  <metadata>\r\n\
    <app:net xmlns:app='http://example.com/app' app:id='1'><app:ip address='no'>x</app:ip></app:net>\r\n\
    <ip xmlns='http://example.com/app'>none of ours</ip>\r\n\
  </metadata>\r\n\
  <forward dev='eth0' mode='nat' managed='yes'>\r\n\
    <nat ipv6='yes'>\r\n\
      <address start='203.0.113.8' end='203.0.113.15'/>\r\n\
      <port start='500' end='1000'/>\r\n\
    </nat>\r\n\
    <driver name='vfio'/>\r\n\
    <interface dev='eth0' connections='1'/>\r\n\
  </forward>\r\n\
  <bridge name=\"virbr2\" zone='lab' stp='on' delay='0' macTableManager='kernel'/>\r\n\
  <mtu size='9000'/>\r\n\
  <mac address='52:54:00:11:22:33'/>\r\n\
  <domain name='example.com' localOnly='no' register='yes'/>\r\n\
  <dns enable='yes' forwardPlainNames='no'>\r\n\
    <forwarder domain='example.com' addr='8.8.4.4'/>\r\n\
    <txt name='example' value='a &gt; b'/>\r\n\
    <host ip='192.168.121.2'><hostname>myhost</hostname></host>\r\n\
  </dns>\r\n\
  <bandwidth><inbound average='1000' peak='5000' burst='5120'/></bandwidth>\r\n\
  <vlan trunk='yes'><tag id='42' nativeMode='untagged'/></vlan>\r\n\
  <virtualport type='openvswitch'><parameters interfaceid='x'/></virtualport>\r\n\
  <portgroup name='engineering' default='yes'><vlan><tag id='1'/></vlan></portgroup>\r\n\
  <port isolated='yes'/>\r\n\
  <ip address='192.168.121.1' netmask='255.255.255.0' localPtr='yes'>\r\n\
    <tftp root='/srv/tftp'/>\r\n\
    <dhcp>\r\n\
      <range start='192.168.121.1' end='192.168.121.254'><lease expiry='1' unit='hours'/></range>\r\n\
      <host mac='00:16:3e:77:e2:ed' name='a' ip='192.168.121.10'/>\r\n\
      <bootp file='pxelinux.0' server='192.168.121.1'/>\r\n\
    </dhcp>\r\n\
  </ip>\r\n\
  <ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'>\r\n\
    <dhcp><range start='2001:db8:ca2:2:1::10' end='2001:db8:ca2:2:1::ff'/></dhcp>\r\n\
  </ip>\r\n\
  <route family='ipv6' address='2001:db9:ca1:1::' prefix='64' gateway='2001:db8:ca2:2::2'/>\r\n\
  <dnsmasq:options><dnsmasq:option value='foo=bar'/></dnsmasq:options>\r\n\
  <future thing='yes'>of libvirt 23</future>\r\n\
</network>\r\n<!-- the end -->\r\n<?done?>\r\n";
    let toml = "\
name = 'vagrant-libvirt'
bridge = 'virbr2'
zone = 'lab'
mode = 'nat'
device = 'eth0'
subnets = ['192.168.121.1/24', '2001:db8:ca2:2::1/64']
addresses = '203.0.113.8-203.0.113.15'
ports = '500-1000'
nat_ipv6 = true
ipv6 = true
dhcp = true
tftp = true
mtu = 9000
isolated_ports = true
";
    let json = r#"
{"name": "vagrant\u002dlibvirt", "bridge": "virbr2", "zone": "lab", "mode": "nat", "device": "eth0",
 "subnets": ["192.168.121.0/24", "2001:db8:ca2:2::/64"],
 "addresses": {"start": "203.0.113.8", "end": "203.0.113.15"}, "ports": {"start": 500, "end": "1000"},
 "nat_ipv6": true, "ipv6": true, "dhcp": true, "tftp": true, "mtu": 9000, "isolated_ports": true}
"#;
    same(toml, &[file, json]);
}

#[test]
fn defaults_of_libvirt() {
    let nat = "name = 'lab'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.0.0.1/24']\n";
    let ip = "<ip address='10.0.0.1' prefix='24'/>";
    same(
        nat,
        &[
            &lab(&format!("<forward/>{ip}")),
            &lab(&format!("{ip}<forward></forward>")),
            &lab(&format!("<forward mode='nat'><nat/></forward>{ip}")),
            &lab(&format!(
                "<forward><nat ipv6='no'><port start='0' end='0'/></nat></forward>{ip}"
            )),
            &lab(
                "<forward/><ip address='10.0.0.200' family='ipv4' netmask='255.255.255.0'><dhcp/></ip>",
            ),
            &format!(
                "{nat}ports = '0-0'\nnat_ipv6 = false\nipv6 = false\ndhcp = false\ntftp = false"
            ),
            &format!("{nat}ports = 0"),
            r#"{"name": "lab", "bridge": "virbr1", "mode": "nat", "subnets": ["10.0.0.1/24"], "zone": null, "ports": null, "dhcp": null}"#,
        ],
    );
}

#[test]
fn an_isolated_network() {
    same(
        "name = 'lab'\nbridge = 'virbr1'",
        &[
            "name = 'lab'\nbridge = 'virbr1'\nmode = 'isolated'\nsubnets = []",
            &lab(""),
            &lab("<forward mode='none'/>"),
            "\n\n  <?xml version='1.0'?><network><bridge name='virbr1'></bridge><name>lab</name></network>",
            "# mine\n[[network]]\nname = \"lab\" # and\n\"bridge\" = 'virbr1'",
            "[{\"bridge\": \"virbr1\", \"name\": \"lab\"}]",
            "{\"network\": [{\"name\": \"lab\", \"bridge\": \"virbr1\"}]}",
        ],
    );
}

/// As XML has it: a line's end in an attribute is one space, one in a reference is itself.
#[test]
fn references_and_white_space_in_values() {
    let zones = [
        ("a\r\nb", "a b"),
        ("a\rb", "a b"),
        ("a\n\tb", "a  b"),
        ("a&#32;b&amp;&#x20AC;&lt;&apos;", "a b&€<'"),
    ];
    for (written, zone) in zones {
        let text = format!(
            "<network><name>a&amp;\u{2028}b</name><bridge zone='{written}' name='br0'/></network>"
        );
        let network = one(&text);
        assert_eq!(network.zone(), Some(&zone.parse().unwrap()), "{written:?}");
        assert_eq!(network.name().as_str(), "a&\u{2028}b");
    }
}

/// Classes for IPv4, 64 bits for IPv6.
#[test]
fn prefixes_that_are_not_written() {
    let cases = [
        ("10.1.2.3", "ipv4", "10.0.0.0/8"),
        ("127.1.2.3", "ipv4", "127.0.0.0/8"),
        ("128.1.2.3", "ipv4", "128.1.0.0/16"),
        ("191.255.2.3", "ipv4", "191.255.0.0/16"),
        ("192.168.2.3", "ipv4", "192.168.2.0/24"),
        ("223.1.2.3", "ipv4", "223.1.2.0/24"),
        ("fd00:1:2:3:4::1", "ipv6", "fd00:1:2:3::/64"),
    ];
    for (address, family, subnet) in cases {
        let network = one(&lab(&format!(
            "<ip family='{family}' address='{address}'/>"
        )));
        let found: Vec<String> = network.subnets().iter().map(ToString::to_string).collect();
        assert_eq!(found, [subnet], "{address}");
    }
}

#[test]
fn netmasks() {
    for (netmask, prefix) in [
        ("255.255.255.255", 32),
        ("255.255.254.0", 23),
        ("128.0.0.0", 1),
    ] {
        let network = one(&lab(&format!(
            "<ip address='10.0.0.1' netmask='{netmask}'/>"
        )));
        assert_eq!(network.subnets()[0].prefix(), prefix);
    }
}

/// The attribute, the element, or both alike.
#[test]
fn one_forward_device() {
    let ip = "<ip address='10.0.0.1' prefix='24'/>";
    same(
        "name = 'lab'\nbridge = 'virbr1'\nmode = 'route'\ndevice = 'eth0'\nsubnets = ['10.0.0.1/24']",
        &[
            &lab(&format!("<forward mode='route' dev='eth0'/>{ip}")),
            &lab(&format!(
                "<forward mode='route'><interface dev='eth0'/></forward>{ip}"
            )),
            &lab(&format!(
                "<forward mode='route' dev='eth0'><interface dev='eth0'/></forward>{ip}"
            )),
        ],
    );
}

#[test]
fn ranges_in_all_their_forms() {
    let nat = |fields: &str| {
        format!(
            "name = 'lab'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.0.0.1/24']\n{fields}"
        )
    };
    let xml = |inside: &str| {
        lab(&format!(
            "<forward><nat>{inside}</nat></forward><ip address='10.0.0.1' prefix='24'/>"
        ))
    };
    same(
        &nat("ports = '2000'"),
        &[
            &nat("ports = 2000"),
            &nat("ports = '2000-2000'"),
            &nat("ports = { start = 2000, end = 2000 }"),
            &nat("ports = 0x7D0"),
            &xml("<port start='2000' end='2000'/>"),
        ],
    );
    same(
        &nat("ports = '500-1000'"),
        &[
            &nat("ports = ' 500 - 1000 '"),
            &nat("ports.start = 500\nports.end = '1000'"),
            &nat("[ports]\nstart = 500\nend = 1_000"),
            &xml("<port end='1000' start='500'/>"),
        ],
    );
    same(
        &nat("addresses = '203.0.113.8'"),
        &[
            &nat("addresses = '203.0.113.8-203.0.113.8'"),
            &nat("addresses = { start = '203.0.113.8', end = '203.0.113.8' }"),
            &xml("<address start='203.0.113.8' end='203.0.113.8'/>"),
        ],
    );
}

/// As with libvirt, DHCP of any IPv4 `<ip>` counts, but TFTP only of the first IPv4 `<ip>` that has
/// DHCP or TFTP.
#[test]
fn dhcp_and_tftp_of_several_ip_elements() {
    let range = "<dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp>";
    let host = "<dhcp><host mac='52:54:00:00:00:01' ip='10.1.0.2'/></dhcp>";
    let tftp = "<tftp root='/srv'/>";
    let cases = [
        (["", "", ""], (false, false)),
        (["<dhcp/>", "<tftp/>", ""], (false, false)),
        ([range, "", ""], (true, false)),
        (["", host, ""], (true, false)),
        ([tftp, range, ""], (true, true)),
        ([range, tftp, ""], (true, false)),
        (["", &format!("{tftp}{host}"), ""], (true, true)),
        ([tftp, tftp, range], (false, true)),
        (["", "", range], (false, false)),
    ];
    for ([first, second, v6], (dhcp, tftp)) in cases {
        let network = one(&lab(&format!(
            "<ip address='10.0.0.1' prefix='24'>{first}</ip>\
             <ip family='ipv6' address='fd00::1'>{v6}</ip>\
             <ip address='10.1.0.1' prefix='24'>{second}</ip>"
        )));
        assert_eq!(
            (network.dhcp(), network.tftp()),
            (dhcp, tftp),
            "{first} {second} {v6}"
        );
        assert_eq!(network.subnets().len(), 3);
    }
}

/// Networks whose bridge is not ours: read, and without rules.
#[test]
fn modes_that_are_not_ours() {
    let cases = [
        (
            "<forward mode='bridge'/><bridge name='br0'/>",
            "bridge",
            Some("br0"),
        ),
        (
            "<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>",
            "bridge",
            None,
        ),
        (
            "<forward mode='private' dev='eth0'><interface dev='eth0'/></forward>",
            "private",
            None,
        ),
        ("<forward mode='vepa'/>", "vepa", None),
        (
            "<forward mode='passthrough'><pf dev='eth0'/></forward>",
            "passthrough",
            None,
        ),
        (
            "<forward mode='hostdev' managed='yes'><driver name='vfio'/><pf dev='eth0'/>\
             <address type='pci' domain='0' bus='4' slot='0' function='1'/>\
             <address type='pci' domain='0' bus='4' slot='0' function='2'/></forward>",
            "hostdev",
            None,
        ),
    ];
    for (inside, mode, bridge) in cases {
        let network = one(&format!("<network><name>lab</name>{inside}</network>"));
        assert_eq!(network.forward().mode(), mode);
        assert!(matches!(network.forward(), Forward::Unmanaged(_)));
        assert_eq!(network.bridge().map(InterfaceName::as_str), bridge);
        assert_eq!(network.ruled_bridge(), None);
    }
    same(
        "name = 'lab'\nmode = 'vepa'\ndevice = 'eth0'",
        &["<network><name>lab</name><forward mode='vepa' dev='eth0'/></network>"],
    );
    let Forward::Unmanaged(mode) = one("name = 'lab'\nmode = 'private'").forward().clone() else {
        panic!("another mode");
    };
    assert_eq!(mode, UnmanagedMode::Private);
}

#[test]
fn open_networks_keep_their_subnets() {
    same(
        "name = 'lab'\nbridge = 'virbr1'\nmode = 'open'\nsubnets = ['10.0.0.1/24']",
        &[&lab(
            "<forward mode='open'/><ip address='10.0.0.1' prefix='24'/>",
        )],
    );
}

#[test]
fn several_networks_stand_in_their_order() {
    let names = |text| -> Vec<String> { read(text).iter().map(|n| n.name().to_string()).collect() };
    let toml = "[[network]]\nname = 'b'\nbridge = 'virbr1'\n\n[[network]]\nname = 'a'\nbridge = 'virbr2'\n";
    assert_eq!(names(toml), ["b", "a"]);
    let json =
        r#"{"network": [{"name": "b", "bridge": "virbr1"}, {"name": "a", "bridge": "virbr2"}]}"#;
    assert_eq!(names(json), ["b", "a"]);
    for none in ["[]", "{\"network\": []}", "network = []"] {
        assert_eq!(read(none), [], "{none}");
    }
}

/// The size that is allowed is read, however little of it says anything.
#[test]
fn a_large_definition() {
    let mut text = lab("");
    text.push_str(&" ".repeat((1 << 20) - text.len()));
    assert_eq!(one(&text).name().as_str(), "lab");
    let many: String = (0..5000)
        .map(|i| format!("<ip address='10.{}.{}.1' prefix='24'/>", i / 256, i % 256))
        .collect();
    assert_eq!(one(&lab(&many)).subnets().len(), 5000);
}

/// What each of libvirt's own test files says.
const LIBVIRT: [(&str, &str); 7] = [
    (
        "isolated",
        "subnets = ['192.168.122.1/24', '192.168.128.1/24', '2001:db8:ca2:2::1/64']\ndhcp = true",
    ),
    (
        "nat-default",
        "mode = 'nat'\nsubnets = ['192.168.122.1/24']\ndhcp = true",
    ),
    (
        "nat-ipv6",
        "mode = 'nat'\nsubnets = ['192.168.122.1/24', '2001:db8:ca2:2::1/64']\ndhcp = true",
    ),
    (
        "nat-no-dhcp",
        "mode = 'nat'\nsubnets = ['192.168.122.1/24', '2001:db8:ca2:2::1/64']",
    ),
    (
        "nat-port-range",
        "mode = 'nat'\nports = '500-1000'\ndhcp = true\n\
         subnets = ['192.168.122.1/24', '192.168.128.1/24', '2001:db8:ca2:2::1/64']",
    ),
    (
        "nat-tftp",
        "mode = 'nat'\nsubnets = ['192.168.122.1/24']\ndhcp = true\ntftp = true",
    ),
    (
        "route-default",
        "mode = 'route'\nsubnets = ['192.168.122.1/24']\ndhcp = true",
    ),
];

/// libvirt's test data are not ours to copy: they are read where they lie.
#[test]
fn libvirts_own_test_files() {
    let directory = std::env::var_os("PALISADE_LIBVIRT_DATA")
        .map_or_else(|| PathBuf::from("/work/shared/libvirt"), PathBuf::from);
    if !directory.is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "no {}",
            directory.display()
        );
        eprintln!(
            "SKIPPED: no {}; set PALISADE_LIBVIRT_DATA",
            directory.display()
        );
        return;
    }
    for (name, fields) in LIBVIRT {
        let path = directory.join(name).with_extension("xml");
        let xml = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        same(
            &format!("name = 'default'\nbridge = 'virbr0'\n{fields}"),
            &[&xml],
        );
    }
    let files = fs::read_dir(&directory).unwrap().filter(|entry| {
        let path = entry.as_ref().unwrap().path();
        path.extension().is_some_and(|extension| extension == "xml")
    });
    assert_eq!(
        files.count(),
        LIBVIRT.len(),
        "a file that nothing is expected of"
    );
}

/// One source of a forward need not be a list.
#[test]
fn a_source_alone() {
    let toml = |from: &str| {
        format!(
            "name = 'lab'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.0.0.1/24']\n\
             forwards = [{{ protocol = 'udp', listen = 53, to = '10.0.0.10:53', from = {from} }}]"
        )
    };
    let json = r#"{"name": "lab", "bridge": "virbr1", "mode": "nat", "subnets": ["10.0.0.1/24"],
        "forwards": [{"protocol": "udp", "listen": 53, "to": "10.0.0.10:53", "from": "10.9.0.0/16"}]}"#;
    same(&toml("['10.9.0.0/16']"), &[&toml("'10.9.0.0/16'"), json]);
}

/// What libvirt has no word for is in its metadata, in palisade's namespace.
#[test]
fn fields_of_palisade_alone() {
    let toml = "name = 'lab'
bridge = 'virbr1'
mode = 'nat'
subnets = ['10.0.0.1/24', 'fd00::1/64']
forwards = [
  'tcp 8080 -> 10.0.0.10:80',
  { protocol = 'udp', listen = 53, to = '10.0.0.10:53', from = ['198.51.100.0/24', '203.0.113.99'] },
  { protocol = 'sctp', listen = '[2001:db8::7]:30000-30009', to = '[fd00::a]:1-10' },
]
mss_clamp = 1360
nat_between_networks = false
log = { prefix = 'lab: ', group = 5, rate = '3/minute' }
zone = 'auto'
";
    let own = |prefix: &str, namespace: &str| {
        format!(
            "<{prefix}forward{namespace} protocol='tcp' listen='8080' to='10.0.0.10:80'/>
             <{prefix}forward{namespace} protocol='udp' listen='53' to='10.0.0.10:53'
               from='198.51.100.0/24, 203.0.113.99/32'/>
             <{prefix}forward{namespace} protocol='sctp' listen='[2001:db8::7]:30000-30009'
               to='[fd00::a]:1-10'></{prefix}forward>
             <{prefix}mss_clamp{namespace} size='1360'/>
             <{prefix}nat_between_networks{namespace} enabled='no'/>
             <{prefix}log{namespace} prefix='lab: ' rate='3/minute' group='5'/>"
        )
    };
    let uri = "https://palisade.example/network/1";
    let metadata = [
        own("palisade:", &format!(" xmlns:palisade='{uri}'")),
        own("", &format!(" xmlns='{uri}'")),
        format!("<network xmlns='{uri}'>{}</network>", own("", "")),
        format!("<p:network xmlns:p='{uri}'>{}</p:network>", own("p:", "")),
    ];
    for metadata in metadata {
        let xml = format!(
            "<network><name>lab</name><bridge name='virbr1' zone='auto'/><forward/>
             <ip address='10.0.0.1' prefix='24'/><ip family='ipv6' address='fd00::1'/>
             <metadata><other xmlns='urn:x'><forward/></other>{metadata}</metadata></network>"
        );
        same(toml, &[&xml]);
    }
}

#[test]
fn open_networks_need_no_bridge() {
    same(
        "name = 'lab'\nmode = 'open'\nsubnets = ['10.0.0.1/24']\n",
        &[
            "<network><name>lab</name><forward mode='open'/><ip address='10.0.0.1' prefix='24'/></network>",
        ],
    );
}

/// The same text in each encoding that is read.
#[test]
fn encodings() {
    let text = |encoding: &str| {
        format!(
            "<?xml version='1.0' encoding='{encoding}'?>\n<network><name>größe</name>\
             <bridge name='virbr1'/></network>"
        )
    };
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    };
    let latin1: Vec<u8> = text("ISO-8859-1").chars().map(|c| c as u8).collect();
    let json = "{\"name\": \"größe\", \"bridge\": \"virbr1\"}";
    let expected = one(&text("UTF-8"));
    for bytes in [
        latin1,
        utf16(&text("UTF-16"), u16::to_le_bytes),
        utf16(&text("UTF-16"), u16::to_be_bytes),
        utf16(&text("UTF-8"), u16::to_le_bytes),
        utf16(json, u16::to_be_bytes),
    ] {
        let networks = parse(&Source::at(Path::new("lab")), &bytes).unwrap();
        assert_eq!(networks, std::slice::from_ref(&expected));
    }
}

#[test]
fn ten_mebibytes() {
    let mut text = "name = 'lab'\nbridge = 'virbr1'\n".to_owned();
    text.push_str(&"#".repeat((10 << 20) - text.len()));
    assert_eq!(one(&text).name().as_str(), "lab");
}
