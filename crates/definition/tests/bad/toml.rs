//! TOML.

use super::{Case, case};

/// TOML that is none, or describes no network.
pub(crate) fn toml() -> Vec<Case> {
    let key = vec!["a"; 79].join(".");
    let bomb = format!("x={}1{}", format!("{{{key}=").repeat(75), "}".repeat(75));
    let lab = |fields: &str| format!("name = \"lab\"\nbridge = \"virbr1\"\n{fields}\n");
    vec![
        case("no quotes", "name = lab\n"),
        case("a value is missing", "name = \n"),
        case(
            "a string is not closed",
            "name = \"lab\nbridge = \"virbr1\"\n",
        ),
        case("a line of words", "this is no network\n"),
        case("a field twice", lab("name = \"again\"")),
        case("a list is not closed", lab("subnets = [\"10.0.0.1/24\",")),
        case("no name", "bridge = \"virbr1\"\n"),
        case("no bridge", "name = \"lab\"\n"),
        case("a name that is a number", "name = 7\nbridge = \"virbr1\"\n"),
        case(
            "a name with a line's end",
            "name = \"la\\nb\"\nbridge = \"virbr1\"\n",
        ),
        case("a slip in a field", "name = \"lab\"\nbrige = \"virbr1\"\n"),
        case("libvirt's word for a field", lab("forward = \"nat\"")),
        case("a field from elsewhere", lab("colour = \"blue\"")),
        case("a subnet alone", lab("subnets = \"10.0.0.1/24\"")),
        case("a subnet without a prefix", lab("subnets = [\"10.0.0.1\"]")),
        case(
            "a subnet that is a number",
            lab("subnets = [\n  \"10.0.0.1/24\",\n  10,\n]"),
        ),
        case("a prefix too long", lab("subnets = [\"10.0.0.1/33\"]")),
        case("every address there is", lab("subnets = [\"fd00::1/0\"]")),
        case(
            "two subnets that overlap",
            lab("subnets = [\"fd00::1/48\", \"10.0.0.1/8\", \"fd00:0:0:1::1/64\"]"),
        ),
        case("an unknown mode", lab("mode = \"none\"")),
        case("a slip in the mode", lab("mode = \"isolate\"")),
        case("NAT without a subnet", lab("mode = \"nat\"")),
        case(
            "ports where routed",
            lab("mode = \"route\"\nsubnets = [\"10.0.0.1/24\"]\nports = \"1024-2000\""),
        ),
        case("ports without a mode", lab("ports = \"1024-2000\"")),
        case(
            "addresses where isolated",
            lab("addresses = \"203.0.113.1\""),
        ),
        case(
            "NAT of IPv6 where open",
            lab("mode = \"open\"\nnat_ipv6 = true"),
        ),
        case(
            "ports backwards",
            lab("mode = \"nat\"\nsubnets = [\"10.0.0.1/24\"]\nports = \"2000-1024\""),
        ),
        case("a port above all", lab("mode = \"nat\"\nports = 70000")),
        case(
            "a port below all",
            lab("mode = \"nat\"\nports = { start = -1, end = 2000 }"),
        ),
        case(
            "ports without an end",
            lab("mode = \"nat\"\nports = { start = 1024 }"),
        ),
        case(
            "ports with a slip",
            lab("mode = \"nat\"\n[ports]\nstart = 1024\nend = 2000\nsteps = 2"),
        ),
        case("ports in words", lab("mode = \"nat\"\nports = \"all\"")),
        case(
            "ports that are a list",
            lab("mode = \"nat\"\nports = [1024, 65535]"),
        ),
        case("ports with a point", lab("mode = \"nat\"\nports = 1024.5")),
        case(
            "addresses of IPv6",
            lab("mode = \"nat\"\naddresses = \"fd00::1\""),
        ),
        case(
            "addresses backwards",
            lab("mode = \"nat\"\naddresses = \"203.0.113.9-203.0.113.1\""),
        ),
        case("a device where isolated", lab("device = \"eth0\"")),
        case(
            "a wildcard for a device",
            lab("mode = \"nat\"\ndevice = \"eth*\""),
        ),
        case("a word for yes", lab("ipv6 = \"yes\"")),
        case("a date for yes", lab("dhcp = 2026-11-24")),
        case(
            "DHCP without IPv4",
            lab("subnets = [\"fd00::1/64\"]\ndhcp = true"),
        ),
        case("TFTP without a subnet", lab("tftp = true")),
        case(
            "a zone without a bridge",
            "name = \"lab\"\nmode = \"vepa\"\nzone = \"libvirt\"\n",
        ),
        case("a single table", "[network]\nname = \"lab\"\n"),
        case(
            "fields beside the list",
            "name = \"lab\"\n[[network]]\nname = \"other\"\nbridge = \"virbr1\"\n",
        ),
        case(
            "a list within a network",
            "[[network]]\nname = \"lab\"\nbridge = \"virbr1\"\n[[network.network]]\nname = \"inner\"\n",
        ),
        case(
            "the second of two is wrong",
            "[[network]]\nname = \"a\"\nbridge = \"virbr1\"\n\n[[network]]\nname = \"b\"\n",
        ),
        case(
            "a key of many parts",
            "name = \"lab\"\na.b.c.d.e.f.g.h.i = 1\n",
        ),
        case("keys of many parts within one another", bomb),
        case("lists within lists", format!("x = {}", "[".repeat(500_000))),
        case("a control character", "name = \"la\u{1b}b\"\n"),
        case(
            "text that turns around",
            "name = \"lab\" # \u{202e}nothing\nbridge = virbr1\n",
        ),
    ]
    .into_iter()
    .chain(fields_few_have())
    .collect()
}

/// Forwards and other fields that few networks have.
fn fields_few_have() -> Vec<Case> {
    let lab = |lines: &str| {
        format!("name = \"lab\"\nbridge = \"virbr1\"\nsubnets = [\"10.0.0.1/24\"]\n{lines}\n")
    };
    let forward = |forward: &str| lab(&format!("forwards = [{forward}]"));
    let table = |fields: &str| {
        forward(&format!(
            "{{ protocol = \"tcp\", listen = 80, to = \"10.0.0.2:80\", {fields} }}"
        ))
    };
    vec![
        case(
            "forwards that are no list",
            lab("forwards = \"tcp 80 -> 10.0.0.2:80\""),
        ),
        case("a forward that is a number", forward("80")),
        case("a forward without a target", forward("\"tcp 80\"")),
        case(
            "a forward of another protocol",
            forward("\"gre 80 -> 10.0.0.2:80\""),
        ),
        case("a forward to a port alone", forward("\"tcp 80 -> 80\"")),
        case(
            "ranges of different lengths",
            forward("\"tcp 80-89 -> 10.0.0.2:80\""),
        ),
        case(
            "a forward at 127.0.0.1",
            forward("\"tcp 127.0.0.1:80 -> 10.0.0.2:80\""),
        ),
        case(
            "a forward at every address",
            forward("\"tcp 0.0.0.0:80 -> 10.0.0.2:80\""),
        ),
        case(
            "a forward of two families",
            forward("\"tcp [2001:db8::1]:80 -> 10.0.0.2:80\""),
        ),
        case("IPv6 without brackets", forward("\"tcp 80 -> fd00::2:80\"")),
        case(
            "a forward out of the network",
            forward("\"tcp 80 -> 10.0.1.2:80\""),
        ),
        case(
            "a forward to the broadcast address",
            forward("\"tcp 80 -> 10.0.0.255:80\""),
        ),
        case(
            "two forwards of one port",
            forward("\n  \"tcp 80 -> 10.0.0.2:80\",\n  \"tcp 70-80 -> 10.0.0.3:70-80\",\n"),
        ),
        case(
            "too many ports",
            forward("\"udp 1-5000 -> 10.0.0.2:1-5000\""),
        ),
        case(
            "a table without a protocol",
            forward("{ listen = 80, to = \"10.0.0.2:80\" }"),
        ),
        case(
            "a port that is true",
            forward("{ protocol = \"tcp\", listen = true, to = \"10.0.0.2:80\" }"),
        ),
        case(
            "a port below 0",
            forward("{ protocol = \"tcp\", listen = -1, to = \"10.0.0.2:80\" }"),
        ),
        case("sources that are no text", table("from = 10")),
        case("no source", table("from = []")),
        case("every source", table("from = [\"0.0.0.0/0\"]")),
        case("a source that is none", table("from = [\"example.com\"]")),
        case(
            "sources that overlap",
            table("from = [\"10.9.0.0/16\", \"10.9.9.9\"]"),
        ),
        case("a field of a network in a forward", table("subnets = []")),
        case("a field of a forward in a network", lab("listen = 80")),
        case(
            "a field of the log in a network",
            lab("rate = \"1/second\""),
        ),
        case(
            "a slip in a forward",
            forward("{ protocol = \"tcp\", listn = 80 }"),
        ),
        case("a word of libvirt's", lab("macTableManager = \"kernel\"")),
        case("an address beside its prefix", lab("prefix = 24")),
        case("a rate that is none", lab("log = { rate = \"1/week\" }")),
        case("a prefix that breaks out", lab("log = { prefix = 'a\"b' }")),
        case("a group that is none", lab("log = { group = 65536 }")),
        case("a log that is a number", lab("log = 1")),
        case("segments of a text", lab("mss_clamp = \"pmtu\"")),
        case("segments too small", lab("mss_clamp = 87")),
        case("an MTU too large", lab("mtu = 65536")),
        case(
            "NAT between networks without NAT",
            lab("nat_between_networks = false"),
        ),
        case(
            "forwards without rules",
            lab("mode = \"open\"\nforwards = [\"tcp 80 -> 10.0.0.2:80\"]"),
        ),
        case(
            "segments without rules",
            "name = \"lab\"\nmode = \"vepa\"\nmss_clamp = true\n",
        ),
    ]
}
