//! The host's settings, interfaces and routes.

use palisade_tests::{Definition, Palisade, Trials, trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::{Lab, SUBNETS};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        no_forwarding,
        an_interface_does_not_forward,
        ipv6_disabled_on_a_bridge,
        routers_are_not_heard,
        strict_sources,
        a_device_is_missing,
        a_bridge_is_missing_or_down,
        a_bridge_is_left,
        subnets_collide,
        an_address_collides,
        ipv6_is_unguarded,
    ])
}

fn no_forwarding() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.sysctl("ipv4/ip_forward", "0");
    lab.host.sysctl("ipv6/conf/all/forwarding", "0");
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["ipv4-forwarding", "ipv6-forwarding"]);
    examined.one(
        "ipv4-forwarding",
        &["/proc/sys/net/ipv4/ip_forward", "`default`"],
    );
    examined.one(
        "ipv6-forwarding",
        &["/proc/sys/net/ipv6/conf/all/forwarding"],
    );
    examined.assert_mended();
    assert!(lab.reaches_world());
}

fn an_interface_does_not_forward() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.sysctl("ipv4/conf/virbr0/forwarding", "0");
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["ipv4-forwarding"]);
    examined.one(
        "ipv4-forwarding",
        &["/proc/sys/net/ipv4/conf/virbr0/forwarding"],
    );
    examined.assert_mended();
    assert!(lab.reaches_world());
}

fn ipv6_disabled_on_a_bridge() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.sysctl("ipv6/conf/virbr0/disable_ipv6", "1");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["ipv6-disabled"]);
    examined.assert_mended();
}

/// The way outside by IPv6 comes from a router, which is not heard any more.
fn routers_are_not_heard() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.ip("route del ::/0\n\
         route add ::/0 via 2001:db8:a::2 proto ra");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["accept-ra"]);
    examined.one(
        "accept-ra",
        &["/proc/sys/net/ipv6/conf/wan0/accept_ra", "`wan0`"],
    );
    examined.assert_mended();
    lab.host.sysctl("ipv6/conf/wan0/accept_ra", "1");
    // Nobody gave the device IPv6 at all.
    lab.host
        .ip("route del ::/0\naddr del 2001:db8:a::1/64 dev wan0");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["accept-ra"]);
    examined.assert_mended();
}

fn strict_sources() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.sysctl("ipv4/conf/all/rp_filter", "1");
    // So are most hosts, and as long as the way back leads through the bridge it does no harm.
    assert_healthy(&lab.host, &palisade);
    lab.host.ip("route del 192.168.122.0/24 dev virbr0");
    assert!(!lab.reaches_host(53), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    let finding = examined.one("rp-filter", &["virbr0", "conf/all/rp_filter"]);
    assert_eq!(finding["severity"], "error");
    let finding = examined.one("guest-route", &["192.168.122.0/24"]);
    assert_eq!(finding["severity"], "error");
    examined.assert_mended();
    assert!(lab.reaches_host(53));
}

fn a_device_is_missing() {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host);
    let through = |device: &str| {
        Definition::nat("default", "virbr0", &SUBNETS[..1])
            .forwarding(&format!("<forward mode='nat' dev='{device}'/>"))
    };
    palisade.apply(&[through("ppp0")]).stdout();
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-device"]);
    let finding = examined.one("forward-device", &["ppp0", "not there"]);
    // No command knows which device is meant: the advice is how to see which there are.
    let advice = finding["fix"]["advice"].as_str().expect("advice");
    assert!(advice.contains("ip -brief link"), "{advice}");
    palisade.apply(&[through("wan0")]).stdout();
    assert_healthy(&lab.host, &palisade);
    lab.host.ip("link set wan0 down");
    let examined = examine(&lab.host, &palisade);
    examined.one("forward-device", &["wan0", "down"]);
    examined.mend();
    // The route went away with the link, and no command knows its router.
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["outside-route"]);
    lab.host.ip("route add default via 198.51.100.2");
    assert_healthy(&lab.host, &palisade);
}

fn a_bridge_is_missing_or_down() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.ip("link set virbr0 down");
    let examined = examine(&lab.host, &palisade);
    examined.one("bridge", &["virbr0", "down"]);
    examined.assert_mended();
    lab.host.ip("link del virbr0");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["bridge"]);
    examined.one("bridge", &["virbr0", "not there"]);
    examined.assert_mended();
}

/// A network that was removed leaves a bridge whose guests are forwarded without rules.
fn a_bridge_is_left() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    palisade.ok(["remove", "default"]);
    // Those of others, and one that leads outside, are not meant.
    lab.host.bridges(["docker0", "br-0123456789ab", "br0"]);
    lab.host.ip("link set wan0 master br0\n\
         addr add 198.51.100.9/24 dev br0\n\
         route replace default via 198.51.100.2 dev br0");
    assert_eq!(examine(&lab.host, &palisade).of("unruled-bridge").len(), 1);
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["unruled-bridge"]);
    examined.one("unruled-bridge", &["virbr0", "ipv4 and ipv6"]);
    examined.assert_mended();
}

fn subnets_collide() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.ip("route add 192.168.0.0/16 via 198.51.100.2\n\
         route add 192.168.122.128/25 dev wan0 table 77\n\
         route add fd00:122::/72 dev wan0\n\
         route add 192.168.123.0/24 dev wan0\n\
         route add blackhole 10.0.0.0/8");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["subnet-collision"]);
    let mut routes: Vec<(String, String)> = Vec::new();
    for finding in examined.of("subnet-collision") {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        routes.push((
            text(&finding["evidence"][0]["route"]),
            text(&finding["severity"]),
        ));
    }
    routes.sort();
    let expected = [
        ("192.168.0.0/16 via 198.51.100.2 dev wan0", "note"),
        ("fd00:122::/72 dev wan0", "error"),
    ];
    assert_eq!(
        routes,
        expected.map(|(route, severity)| (route.to_owned(), severity.to_owned()))
    );
    // No command gives a network another subnet, and the routes are not palisade's.
    assert!(examined.mends().is_empty());
}

fn an_address_collides() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.ip("addr add 192.168.122.10/32 dev wan0");
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["subnet-collision"]);
    examined.one("subnet-collision", &["192.168.122.10", "wan0", "subnet"]);
    assert!(examined.mends().is_empty());
}

fn ipv6_is_unguarded() {
    let lab = Lab::new();
    let only4 = [Definition::nat("only4", "virbr0", &SUBNETS[..1])];
    for (options, is_guarded) in [
        (&["--layout", "mapped"][..], true),
        (&["--layout", "flat"], false),
        (&["--backend", "iptables", "--iptables", "legacy"], false),
    ] {
        let palisade = Palisade::new(&lab.host).with(options.iter().copied());
        lab.host.sysctl("ipv6/conf/virbr0/disable_ipv6", "0");
        palisade.apply(&only4).stdout();
        if is_guarded {
            assert_healthy(&lab.host, &palisade);
        } else {
            let examined = examine(&lab.host, &palisade);
            examined.assert_only(&["ipv6-unguarded"]);
            examined.one(
                "ipv6-unguarded",
                &["virbr0", "/proc/sys/net/ipv6/conf/all/forwarding"],
            );
            examined.assert_mended();
        }
        palisade.ok(["remove", "--all"]);
    }
}
