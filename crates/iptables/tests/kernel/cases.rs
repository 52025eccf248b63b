//! What comes, goes, fails and is put back, in the kernel.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use palisade_core::backend::{Addition, Backend, Change, RunError};
use palisade_core::network::{AddressRange, Description, Family, Forward, Nat, Network, PortRange};
use palisade_definition::{Source, parse};
use palisade_iptables::backend::render;

use crate::host::{Fails, Host, Standing, lock};

fn network(name: &str, number: u8, forward: Forward) -> Network {
    Network::new(Description {
        subnets: vec![
            format!("10.0.{number}.0/24").parse().expect("a subnet"),
            format!("fd00:{number}::/64").parse().expect("a subnet"),
        ],
        dhcp: true,
        tftp: true,
        ..Description::new(
            name.parse().expect("a name"),
            Some(format!("virbr{number}").parse().expect("a bridge")),
            forward,
        )
    })
    .expect("a network")
}

fn nat(number: u8) -> Network {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    network(&format!("net{number}"), number, Forward::Nat(nat))
}

fn route(number: u8) -> Network {
    network(
        &format!("net{number}"),
        number,
        Forward::Route { device: None },
    )
}

/// Words that the programs might print otherwise than they are written here.
pub(crate) fn unusual_words(variant: &'static str) {
    let at = |n| std::net::Ipv4Addr::new(203, 0, 113, n);
    let range = |start, end| AddressRange::new(at(start), at(end)).expect("a range");
    let forward = |addresses, ports: (u16, u16)| {
        Forward::Nat(Nat {
            device: Some("eth0.7".parse().expect("a device")),
            addresses: Some(addresses),
            ports: PortRange::new(ports.0, ports.1).expect("a range"),
            ipv6: true,
            ..Nat::default()
        })
    };
    let mut host = Host::new(variant);
    let odd = |name: &str, number, bridge: &str, subnet: &str| {
        let description =
            Description::from(network(name, number, forward(range(3, 3), (500, 500))));
        Network::new(Description {
            bridge: Some(bridge.parse().expect("a bridge")),
            subnets: vec![
                format!("10.0.{number}.4/31").parse().expect("a subnet"),
                subnet.parse().expect("a subnet"),
            ],
            ..description
        })
        .expect("a network")
    };
    host.start(&[
        network("ranges", 1, forward(range(1, 2), (500, 1000))),
        odd("it's größe: 1 #", 2, "-t0", "::5:0/112"),
        odd("-t", 3, "a;b#c&d", "::ffff:0:0/97"),
        odd("! (x) |*", 4, "größe", "2001:db8::8/128"),
        odd(&"n".repeat(80), 5, "0123456789abcde", "fe80:1::/10"),
    ]);
    host.assert_whole();
    let whole = host.standing();
    host.iptables("iptables -F PALISADE_FWO");
    host.iptables("ip6tables -t nat -F PALISADE_PRT");
    host.restore();
    host.assert_whole();
    assert_eq!(host.standing(), whole);
    let names: Vec<String> = host
        .records
        .iter()
        .map(|record| record.network.name().to_string())
        .collect();
    host.remove(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(host.standing(), Standing::new());
}

/// A replace, and what others delete or move one after another.
pub(crate) fn replaced_and_restored(variant: &'static str) {
    let mut host = Host::new(variant);
    host.start(&[nat(1), nat(2), route(3)]);
    host.start(&[route(2)]);
    host.assert_whole();
    assert!(host.restore().steps.is_empty());
    let whole = host.standing();
    for break_it in [
        "iptables -D FORWARD -j PALISADE_FWI",
        "iptables -F FORWARD",
        "iptables -t nat -F",
        "iptables -D PALISADE_FWX 2",
        "ip6tables -D PALISADE_FWO 3",
        "ip6tables -F",
        "iptables -t mangle -F PALISADE_PRT",
        "iptables -I INPUT 2 -j PALISADE_INP",
    ] {
        host.iptables(break_it);
        let plan = host.restore();
        assert!(!plan.steps.is_empty(), "{break_it}");
        host.assert_whole();
        assert_eq!(host.standing(), whole, "{break_it}");
    }
    host.iptables("iptables -F");
    host.iptables("iptables -X");
    host.iptables("iptables -t nat -F");
    host.iptables("iptables -t nat -X");
    host.restore();
    host.assert_whole();
    assert_eq!(host.standing(), whole);
    host.remove(&["net1", "net2", "net3"]);
    assert_eq!(host.standing(), Standing::new());
}

/// What is rendered is what is installed, loaded beside what stands or instead of it.
pub(crate) fn rendered(variant: &'static str) {
    let networks = [nat(1), route(2), network("alone", 3, Forward::Isolated)];
    let mut host = Host::new(variant);
    host.start(&networks);
    for arguments in [&["--noflush"][..], &[]] {
        let loaded = Host::new(variant);
        for (family, word) in [(Family::Ipv4, "iptables"), (Family::Ipv6, "ip6tables")] {
            let program = format!("{word}-{variant}-restore");
            let words = [&[program.as_str()], arguments].concat();
            loaded.namespace.feed(&words, &render(&networks, family));
        }
        assert_eq!(loaded.standing(), host.standing());
    }
}

/// What a rule has counted outlives a replace by its like.
pub(crate) fn counters_kept(variant: &'static str) {
    let mut host = Host::new(variant);
    host.start(&[nat(1)]);
    let rule = "-i virbr1 -o virbr1 -m comment --comment \"net1: guest to guest\" -j ACCEPT";
    let counted =
        format!("*filter\n-D PALISADE_FWX {rule}\n[7:700] -I PALISADE_FWX {rule}\nCOMMIT\n");
    let restore = format!("iptables-{variant}-restore");
    host.namespace
        .feed(&[&restore, "--noflush", "--counters"], &counted);
    host.start(&[nat(1)]);
    let listed = host
        .backend
        .listing(&[&host.placement()])
        .expect("a listing");
    assert!(listed.contains("\n[7:700] -A PALISADE_FWX "), "{listed}");
    host.iptables("iptables -F PALISADE_FWX");
    host.restore();
    let listed = host
        .backend
        .listing(&[&host.placement()])
        .expect("a listing");
    assert!(listed.contains("\n[0:0] -A PALISADE_FWX "), "{listed}");
}

/// An administrator's rules inside and outside our chains outlive all that we do.
pub(crate) fn rules_of_others(variant: &'static str) {
    let mut host = Host::new(variant);
    host.iptables("iptables -A FORWARD -s 10.9.9.9 -j DROP");
    host.iptables("iptables -N DOCKER");
    host.iptables("iptables -A FORWARD -j DOCKER");
    let before = host.standing();
    host.start(&[nat(1), nat(2)]);
    host.iptables("iptables -I FORWARD -j DOCKER");
    host.iptables("iptables -I PALISADE_FWO 2 -s 10.9.9.9 -j DROP");
    let plan = host.restore();
    assert_eq!(plan.steps.len(), 1, "the jumps go back to the head");
    host.start(&[route(1)]);
    host.iptables("iptables -D FORWARD -j DOCKER");
    let plan = host.remove(&["net1", "net2"]);
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
    host.iptables("iptables -D PALISADE_FWO -s 10.9.9.9 -j DROP");
    host.iptables("iptables -D FORWARD -j PALISADE_FWO");
    host.iptables("iptables -X PALISADE_FWO");
    let sorted = |standing: Standing| {
        let mut lines: Vec<String> = standing.into_values().flatten().collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(host.standing()), sorted(before));
}

/// Each run of each change fails, before or after it did its work: all is as before.
pub(crate) fn every_failure_is_undone(variant: &'static str) {
    type Course = fn(&mut Host) -> Result<(), RunError>;
    let courses: [Course; 4] = [
        |host| host.reach(&[nat(3)], &[]).map(drop),
        |host| host.reach(&[route(1)], &[]).map(drop),
        |host| host.reach(&[], &["net1"]).map(drop),
        |host| host.reach(&[], &["net1", "net2"]).map(drop),
    ];
    for course in courses {
        for fails in [Fails::Before, Fails::After] {
            let mut host = Host::new(variant);
            host.start(&[nat(1), nat(2)]);
            host.iptables("iptables -I FORWARD -s 10.9.9.9 -j DROP");
            let before = host.standing();
            let mut failed = 0;
            loop {
                *host.fails.lock().expect("no test died") = fails(failed);
                if course(&mut host).is_ok() {
                    break;
                }
                assert_eq!(host.standing(), before, "{:?}", fails(failed));
                failed += 1;
            }
            assert!(failed >= 4, "{failed} runs");
        }
    }
}

/// Somebody changes the table between plan and run.
pub(crate) fn stale_plans(variant: &'static str) {
    let mut host = Host::new(variant);
    host.start(&[nat(1)]);
    let (record, placement) = (host.records[0].clone(), host.placement());
    let network = route(1);
    let change = Change {
        remove: vec![&record],
        add: vec![Addition {
            network: &network,
            placement: &placement,
            order: 1,
        }],
        ..Change::default()
    };
    let plan = host.backend.plan(&change).expect("a plan");
    host.iptables("iptables -t nat -D PALISADE_PRT 1");
    let error = host
        .backend
        .run(&plan.steps[0].payload, &lock())
        .expect_err("nothing fits");
    assert!(matches!(error, RunError::Stale), "{error}");
    let plan = host.backend.plan(&change).expect("a plan");
    for step in &plan.steps {
        host.backend
            .run(&step.payload, &lock())
            .expect("it fits now");
    }
}

/// The programs work, and trying that out leaves nothing.
pub(crate) fn probed(variant: &'static str) {
    let mut host = Host::new(variant);
    let programs = variant.parse().expect("programs");
    let without = host.backend.probe(programs).expect("they work");
    assert!(without.is_empty(), "{without:?}");
    assert_eq!(host.standing(), Standing::new());
}

/// Another program holds the lock for longer than we wait.
pub(crate) fn lock_held(variant: &'static str) {
    let mut host = Host::new(variant);
    host.start(&[nat(1)]);
    let before = host.standing();
    let held = fs::File::create(host.namespace.lock()).expect("the lock's file");
    held.lock().expect("the lock");
    let start = Instant::now();
    let error = host.reach(&[nat(2)], &[]);
    // Taking back what was begun finds nothing to do, and so needs no lock.
    let RunError::Failed(error) = error.expect_err("the lock is held") else {
        panic!("not a failure")
    };
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        error.to_string(),
        "iptables: iptables-legacy-restore: another program still held the xtables lock after \
         5 s; table `nat` was not changed"
    );
    assert_eq!(host.standing(), before);
    drop(held);
    host.start(&[nat(2)]);
    host.assert_whole();
}

/// The target CHECKSUM is missing: networks do without.
pub(crate) fn checksum_missing(variant: &'static str) {
    let libraries = tempfile::TempDir::new().expect("a folder");
    let installed = extensions().expect("the programs' extensions");
    for entry in fs::read_dir(installed).expect("list the extensions") {
        let path = entry.expect("list the extensions").path();
        let name = path.file_name().expect("a name");
        if name != "libxt_CHECKSUM.so" {
            std::os::unix::fs::symlink(&path, libraries.path().join(name)).expect("a link");
        }
    }
    let folder = libraries.path().to_string_lossy().into_owned();
    let mut host = Host::with(variant, &[("XTABLES_LIBDIR", &folder)]);
    host.start(&[nat(1)]);
    let standing = host.standing();
    assert_eq!(standing.get("ipv4 mangle"), None);
    assert!(standing.contains_key("ipv4 nat") && standing.contains_key("ipv4 filter"));
    assert!(host.restore().steps.is_empty());
    let records: Vec<_> = host.records.iter().collect();
    let found = host.backend.verify(&records, &records).expect("a look");
    assert!(found.is_empty(), "{found:#?}");
    host.remove(&["net1"]);
    assert_eq!(host.standing(), Standing::new());
}

/// As with libvirt, DHCP of any IPv4 `<ip>` brings the checksum rule, but TFTP only of the first
/// `<ip>` that has DHCP or TFTP.
pub(crate) fn services_of_several_ip_elements(variant: &'static str) {
    let read = |first: &str, second: &str| {
        let xml = format!(
            "<network><name>lab</name><bridge name='virbr7'/>\
             <ip address='10.0.7.1' prefix='24'>{first}</ip>\
             <ip address='10.0.8.1' prefix='24'>{second}</ip></network>"
        );
        let source = Source::at(Path::new("lab.xml"));
        parse(&source, xml.as_bytes()).expect("a network")
    };
    let dhcp = "<dhcp><range start='10.0.8.2' end='10.0.8.9'/></dhcp>";
    let tftp = "<tftp root='/srv'/>";
    let checksum = "-o virbr7 -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill";
    let boot = "-i virbr7 -p udp -m udp --dport 69 -j ACCEPT";
    for (first, second, boots) in [(tftp, dhcp, true), (dhcp, tftp, false)] {
        let mut host = Host::new(variant);
        host.start(&read(first, second));
        let standing = host.standing();
        let has = |table: &str, rule: &str| {
            let lines = standing.get(table).map_or(&[][..], Vec::as_slice);
            lines.iter().any(|line| line.ends_with(rule))
        };
        assert!(has("ipv4 mangle", checksum), "{standing:#?}");
        assert_eq!(has("ipv4 filter", boot), boots, "{standing:#?}");
    }
}

/// Where the programs look for their extensions.
pub(crate) fn extensions() -> Option<std::path::PathBuf> {
    let beside = fs::read_dir("/usr/lib").ok()?.flatten();
    let candidates = beside.map(|entry| entry.path().join("xtables"));
    let usual = Path::new("/usr/lib/xtables").to_owned();
    candidates
        .chain([usual])
        .find(|folder| folder.join("libxt_CHECKSUM.so").is_file())
}
