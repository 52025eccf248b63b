//! Routes, rules of policy routing, addresses and ports.

use palisade_tests::{Definition, Trials, trials};

use super::outage::Outage;
use super::outage::Packets::{Tcp, Udp};
use super::site::{Route, SUBNET, Site};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        a_rule_leads_answers_into_a_tunnel,
        a_rule_makes_the_world_unreachable,
        no_way_outside,
        the_device_is_a_port,
        the_device_is_not_used,
        the_bridge_has_no_address,
        the_bridge_has_another_address,
        a_port_is_down,
        the_uplink_is_in_the_subnet,
    ])
}

/// A device of the host beside its uplink.
fn device(site: &Site, name: &str, address: &str) {
    site.host.ip(&format!(
        "link add {name} type veth peer name p-{name}\nlink set p-{name} up\nlink set {name} up\n\
         addr add {address} dev {name}"
    ));
}

fn bound_to(device: &str) -> Definition {
    Definition::nat("default", "virbr0", &[SUBNET])
        .forwarding(&format!("<forward mode='nat' dev='{device}'/>"))
}

fn a_rule_leads_answers_into_a_tunnel() {
    Outage {
        cause: &|site| {
            device(site, "tailscale0", "100.64.0.2/32");
            site.host
                .ip("route add default dev tailscale0 table 52\nrule add pref 5270 lookup 52");
        },
        lost: &[Udp(Route::Host, 53)],
        found: &["guest-route"],
        words: &[
            "tailscale0",
            "5270",
            "ip rule add to 192.168.122.0/24 lookup main pref 5200",
        ],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn a_rule_makes_the_world_unreachable() {
    Outage {
        cause: &|site| {
            site.host.ip("route add unreachable default table 200\n\
                 rule add from 192.168.122.0/24 lookup 200");
        },
        lost: &[Tcp(Route::Out, 443)],
        found: &["outside-route"],
        words: &["unreachable", "lookup 200"],
        ..Outage::default()
    }
    .is_found();
}

fn no_way_outside() {
    Outage {
        cause: &|site| site.host.ip("route del default"),
        lost: &[Tcp(Route::Out, 443)],
        found: &["outside-route"],
        severity: "warning",
        ..Outage::default()
    }
    .is_found();
}

fn the_device_is_a_port() {
    Outage {
        network: bound_to("enp1"),
        cause: &|site| {
            site.host.ip(
                "link add br0 type bridge\naddr flush dev enp1\nlink set enp1 master br0\n\
                 link set br0 up\naddr add 203.0.113.2/24 dev br0\nroute add default via 203.0.113.1",
            );
        },
        lost: &[Tcp(Route::Out, 443)],
        found: &["forward-device"],
        words: &["a port of `br0`", "name `br0`"],
        ..Outage::default()
    }
    .is_found();
}

/// With a rule that leads its guests there, it is right.
fn the_device_is_not_used() {
    Outage {
        network: bound_to("enp2"),
        cause: &|site| device(site, "enp2", "198.18.0.2/24"),
        lost: &[Tcp(Route::Out, 443)],
        found: &["forward-device"],
        words: &["enp2", "leads by `enp1`"],
        ..Outage::default()
    }
    .is_found();
    let site = Site::new();
    device(&site, "enp2", "198.18.0.2/24");
    site.host.ip(
        "route add default via 198.18.0.1 dev enp2 table 77\nrule add from 192.168.122.0/24 lookup 77",
    );
    let palisade = site.running(&bound_to("enp2"));
    crate::examined::assert_healthy(&site.host, &palisade);
}

fn the_bridge_has_no_address() {
    Outage {
        cause: &|site| site.host.ip("addr del 192.168.122.1/24 dev virbr0"),
        lost: &[Tcp(Route::Out, 443), Udp(Route::Host, 53)],
        found: &["bridge-address"],
        words: &["ip addr add 192.168.122.1/24 dev virbr0"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn the_bridge_has_another_address() {
    Outage {
        cause: &|site| {
            site.host
                .ip("addr del 192.168.122.1/24 dev virbr0\naddr add 10.9.9.1/24 dev virbr0");
        },
        lost: &[Tcp(Route::Out, 443)],
        found: &["bridge-address"],
        words: &["ip addr add 192.168.122.1/24 dev virbr0"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn a_port_is_down() {
    Outage {
        cause: &|site| site.host.ip("link set vnet10 down"),
        lost: &[Tcp(Route::Out, 443)],
        found: &["bridge"],
        severity: "warning",
        words: &["vnet10"],
        ..Outage::default()
    }
    .is_found_and_fixed();
}

fn the_uplink_is_in_the_subnet() {
    Outage {
        cause: &|site| site.host.ip("addr add 192.168.122.77/24 dev enp1"),
        found: &["subnet-collision"],
        words: &["enp1", "subnet"],
        ..Outage::default()
    }
    .is_found();
}
