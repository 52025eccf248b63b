//! The filter that recomputes checksums: where the kernel can, and where it cannot.

use std::process::Command;
use std::time::{Duration, Instant};

use palisade_tests::place::Place;
use palisade_tests::{Namespace, Palisade, Trials, trials};

use crate::site::{BRIDGE, actions, default, differences};

pub(crate) fn trials() -> Trials {
    trials![
        what_the_kernel_cannot_do_is_noted,
        the_filter_comes_and_goes_with_the_network,
        a_bridge_that_comes_later_gets_the_filter,
        what_others_hang_there_stays,
        only_nftables_and_dhcp_take_it,
        migration_takes_it_along,
    ]
}

/// What `tc` lists; lines without white space at their ends.
fn tc(host: &Namespace, words: &str) -> String {
    let mut tc = Command::new("tc");
    host.answer(tc.args(words.split_whitespace()), "").stdout()
}

fn filters(host: &Namespace) -> String {
    tc(host, "filter show dev virbr0 egress")
}

fn has_clsact(host: &Namespace) -> bool {
    tc(host, "qdisc show dev virbr0").contains("clsact")
}

/// A host with the bridge, and the network with DHCP on it; whether the kernel can recompute.
fn applied(host: &Namespace) -> (Palisade<'_>, bool) {
    host.bridges([BRIDGE]);
    let palisade = Palisade::new(host);
    palisade.apply([&default()]).stdout();
    let is_active = actions(&palisade)[0]["state"] == "active";
    (palisade, is_active)
}

fn what_the_kernel_cannot_do_is_noted() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    let palisade = Palisade::new(&host);
    let answer = palisade.apply([&default()]);
    let noted = "not in effect: checksums of DHCP answers recomputed on `virbr0`";
    let [action] = &actions(&palisade)[..] else {
        panic!("one action");
    };
    let is_omitted = action["state"] == "omitted";
    let said = format!("{}{}", answer.stdout, answer.stderr);
    assert_eq!(said.contains(noted), is_omitted, "{answer}");
    assert_eq!(action["omitted"].is_string(), is_omitted);
    assert_eq!(has_clsact(&host), !is_omitted);
    assert_eq!(differences(&palisade), 0);
    // It is tried again, and fails again.
    palisade.ok(["repair"]);
    assert_eq!(differences(&palisade), 0);
    palisade.ok(["remove", "default"]);
    assert!(!has_clsact(&host));
}

fn the_filter_comes_and_goes_with_the_network() {
    let host = Namespace::new();
    let (palisade, is_active) = applied(&host);
    if !is_active {
        return;
    }
    let installed = filters(&host);
    for part in ["flower", "ip_proto udp", "dst_port 68", "csum (iph, udp)"] {
        assert!(installed.contains(part), "{installed}");
    }
    for breaks in [
        "filter del dev virbr0 egress",
        "qdisc del dev virbr0 clsact",
    ] {
        tc(&host, breaks);
        assert_eq!(differences(&palisade), 1, "{breaks}");
        let planned = palisade.ok(["repair"]);
        assert!(planned.contains("default"), "{planned}");
        assert_eq!(differences(&palisade), 0);
        assert!(filters(&host).contains("csum (iph, udp)"));
    }
    palisade.ok(["remove", "default"]);
    assert!(!has_clsact(&host));
}

fn a_bridge_that_comes_later_gets_the_filter() {
    let host = Namespace::new();
    let palisade = Palisade::new(&host);
    palisade.apply([&default()]).stdout();
    let [action] = &actions(&palisade)[..] else {
        panic!("one action");
    };
    if action["state"] == "omitted" {
        return;
    }
    assert_eq!(action["state"], "waiting");
    assert_eq!(differences(&palisade), 0);
    host.bridges([BRIDGE]);
    assert_eq!(differences(&palisade), 1);
    let mut watch = palisade.command(["watch", "--heal"]);
    let mut watch = host.inside(|| watch.spawn().expect("start the watch"));
    let heals = || {
        let until = Instant::now() + Duration::from_secs(20);
        while !filters(&host).contains("csum (iph, udp)") {
            assert!(Instant::now() < until, "no filter");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    heals();
    host.ip(&format!("link del {BRIDGE}"));
    host.bridges([BRIDGE]);
    heals();
    watch.kill().expect("end the watch");
    watch.wait().expect("wait for its end");
    assert_eq!(differences(&palisade), 0);
    palisade.ok(["remove", "default"]);
    assert!(!has_clsact(&host));
}

fn what_others_hang_there_stays() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    tc(&host, "qdisc add dev virbr0 clsact");
    let (before, (palisade, is_active)) = (filters(&host), {
        let palisade = Palisade::new(&host);
        palisade.apply([&default()]).stdout();
        let is_active = actions(&palisade)[0]["state"] == "active";
        (palisade, is_active)
    });
    // An empty one of another program's stays.
    palisade.ok(["remove", "default"]);
    assert!(has_clsact(&host));
    assert_eq!(filters(&host), before);
    if !is_active {
        return;
    }
    tc(&host, "qdisc del dev virbr0 clsact");
    palisade.apply([&default()]).stdout();
    // One of palisade's stays for another program's filter.
    let other = "filter add dev virbr0 egress pref 7 protocol ip flower dst_ip 192.0.2.1 \
                 action csum ip4h";
    tc(&host, other);
    assert_eq!(differences(&palisade), 0);
    palisade.ok(["remove", "default"]);
    let left = filters(&host);
    assert!(
        left.contains("192.0.2.1") && !left.contains("dst_port 68"),
        "{left}"
    );
}

fn only_nftables_and_dhcp_take_it() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    let mut without = default();
    without.dhcp = false;
    let palisade = Palisade::new(&host);
    palisade.apply([&without]).stdout();
    assert_eq!(actions(&palisade), Vec::<serde_json::Value>::new());
    palisade.ok(["remove", "default"]);
    for place in Place::OF_IPTABLES {
        let palisade = place.palisade(&host);
        palisade.apply([&default()]).stdout();
        assert_eq!(actions(&palisade), Vec::<serde_json::Value>::new());
        palisade.ok(["remove", "default"]);
    }
    let none = Palisade::new(&host).with(["--backend", "none"]);
    none.apply([&default()]).stdout();
    assert_eq!(actions(&none), Vec::<serde_json::Value>::new());
}

fn migration_takes_it_along() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    let palisade = Palisade::new(&host);
    let mut apply = vec!["--backend".into(), "iptables".into(), "apply".into()];
    let files = palisade.files([&default()]);
    apply.extend(files.iter().map(|file| file.as_os_str().to_owned()));
    palisade.ok(apply);
    assert_eq!(actions(&palisade), Vec::<serde_json::Value>::new());
    palisade.ok(["migrate", "--to", "nftables"]);
    let [action] = &actions(&palisade)[..] else {
        panic!("one action");
    };
    let is_active = action["state"] == "active";
    assert!(is_active || action["omitted"].is_string(), "{action}");
    assert_eq!(has_clsact(&host), is_active);
    palisade.ok(["migrate", "--to", "iptables"]);
    assert_eq!(actions(&palisade), Vec::<serde_json::Value>::new());
    assert!(!has_clsact(&host));
}
