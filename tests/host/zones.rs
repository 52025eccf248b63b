//! The zone of a bridge, in a real firewalld on a bus of its own.

use std::fs;
use std::time::{Duration, Instant};

use palisade_tests::{Definition, Dump, Firewalld, Namespace, Palisade, Trials};

use crate::site::{BRIDGE, actions, differences};

const ZONES: &str = "bridges are in their zones";

pub(crate) fn add_to(trials: Trials) -> Trials {
    let trials = trials.with("a zone without firewalld is an error", without_firewalld);
    match Firewalld::hindrance() {
        None => trials.with(ZONES, zones),
        Some(reason) => trials.without(ZONES, reason),
    }
}

/// The network `default`, with its bridge in this zone.
fn in_zone(zone: &str, mode: &str) -> String {
    let network = Definition::nat("default", BRIDGE, &["192.168.122.1/24"]);
    let network = network.forwarding(&format!("<forward mode='{mode}'/>"));
    let bridge = format!("<bridge name='{BRIDGE}'");
    network
        .xml()
        .replace(&bridge, &format!("{bridge} zone='{zone}'"))
}

/// As TOML, which knows `auto`.
fn in_zone_of_libvirt(mode: &str) -> String {
    format!(
        "name = \"default\"\nbridge = \"{BRIDGE}\"\nmode = \"{mode}\"\nzone = \"auto\"\n\
         subnets = [\"192.168.122.1/24\"]\n"
    )
}

#[track_caller]
fn apply(palisade: &Palisade<'_>, definition: &str) -> palisade_tests::Answer {
    let [xml] = &palisade.texts([definition])[..] else {
        panic!("one file");
    };
    let file = match definition.starts_with('<') {
        true => xml.clone(),
        false => {
            let toml = xml.with_extension("toml");
            fs::rename(xml, &toml).expect("rename a definition");
            toml
        }
    };
    palisade.on_files("apply", [file])
}

fn without_firewalld() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    let palisade = Palisade::new(&host).on_bus("unix:path=/nonexistent/bus".to_owned());
    let refusal = apply(&palisade, &in_zone("trusted", "nat")).refusal(1);
    assert!(refusal.contains("network `default`"), "{refusal}");
    assert!(refusal.contains("firewalld is not running"), "{refusal}");
    assert_eq!(palisade.running(), [""; 0]);
    assert!(Dump::table(&host, "ip", "palisade").is_none());
    // `auto` asks for nothing where there is nothing.
    apply(&palisade, &in_zone_of_libvirt("nat")).stdout();
    assert_eq!(actions(&palisade), Vec::<serde_json::Value>::new());
}

fn zones() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    let mut firewalld = Firewalld::start(&host);
    let palisade = Palisade::new(&host).on_bus(firewalld.bus());
    let query = format!("--get-zone-of-interface={BRIDGE}");
    let zone = |firewalld: &Firewalld| {
        let answer = firewalld.ask(&host, &[&query]);
        match answer.code {
            Some(0) => answer.stdout.trim().to_owned(),
            _ => String::new(),
        }
    };

    // One that is not there is known before anything changes.
    let refusal = apply(&palisade, &in_zone("nowhere", "nat")).refusal(1);
    assert!(
        refusal.contains("firewalld has no zone `nowhere`"),
        "{refusal}"
    );
    assert!(refusal.contains("trusted"), "{refusal}");
    assert_eq!(palisade.running(), [""; 0]);

    apply(&palisade, &in_zone("trusted", "nat")).stdout();
    assert_eq!(zone(&firewalld), "trusted");
    assert_eq!(actions(&palisade)[0]["zone"], "trusted");
    assert_eq!(actions(&palisade)[0]["state"], "active");
    assert_eq!(differences(&palisade), 0);

    // Another zone, and back where nobody confirms it.
    let file = &palisade.texts([in_zone("work", "nat")])[0];
    let file = file.to_str().expect("a path");
    let undone = palisade.answer(["apply", "--confirm", "1", file]);
    assert_eq!(undone.code, Some(1), "{undone}");
    assert_eq!(zone(&firewalld), "trusted");
    assert_eq!(differences(&palisade), 0);
    apply(&palisade, &in_zone("work", "nat")).stdout();
    assert_eq!(zone(&firewalld), "work");
    apply(&palisade, &in_zone("trusted", "nat")).stdout();
    assert_eq!(zone(&firewalld), "trusted");

    // What firewalld forgets when it reads its settings or starts again is put back.
    firewalld.ask(&host, &["--reload"]).stdout();
    assert_eq!(differences(&palisade), 1);
    palisade.ok(["repair"]);
    assert_eq!(zone(&firewalld), "trusted");
    firewalld.stop();
    assert_eq!(differences(&palisade), 0, "there is no zone to be in");
    firewalld.run(&host);
    assert_eq!(zone(&firewalld), "");
    assert_eq!(differences(&palisade), 1);
    palisade.ok(["repair"]);
    assert_eq!(zone(&firewalld), "trusted");
    assert_eq!(differences(&palisade), 0);

    let mut watch = palisade.command(["watch", "--heal"]);
    let mut watch = host.inside(|| watch.spawn().expect("start the watch"));
    let is_put_back = |firewalld: &Firewalld| {
        let until = Instant::now() + Duration::from_secs(20);
        while zone(firewalld) != "trusted" {
            assert!(Instant::now() < until, "it is not put back");
        }
    };
    firewalld.ask(&host, &["--reload"]).stdout();
    is_put_back(&firewalld);
    firewalld.stop();
    firewalld.run(&host);
    is_put_back(&firewalld);
    watch.kill().expect("end the watch");
    watch.wait().expect("wait for its end");

    palisade.ok(["remove", "default"]);
    assert_eq!(zone(&firewalld), "");

    // Where it was before, it is again; where others put it, it stays.
    firewalld
        .ask(&host, &["--zone=home", "--add-interface=virbr0"])
        .stdout();
    apply(&palisade, &in_zone("trusted", "nat")).stdout();
    palisade.ok(["remove", "default"]);
    assert_eq!(zone(&firewalld), "home");
    apply(&palisade, &in_zone("trusted", "nat")).stdout();
    firewalld
        .ask(&host, &["--zone=work", "--change-interface=virbr0"])
        .stdout();
    assert_eq!(differences(&palisade), 1);
    palisade.ok(["remove", "default"]);
    assert_eq!(zone(&firewalld), "work");
    firewalld
        .ask(&host, &["--zone=work", "--remove-interface=virbr0"])
        .stdout();

    // The zones of libvirt, where they exist.
    let settings = firewalld.settings();
    for name in ["libvirt", "libvirt-routed"] {
        let text = format!("<zone target=\"ACCEPT\"><short>{name}</short></zone>");
        fs::create_dir_all(settings.join("zones")).expect("make a folder");
        fs::write(settings.join(format!("zones/{name}.xml")), text).expect("write a zone");
    }
    firewalld.ask(&host, &["--reload"]).stdout();
    apply(&palisade, &in_zone_of_libvirt("nat")).stdout();
    assert_eq!(zone(&firewalld), "libvirt");
    apply(&palisade, &in_zone_of_libvirt("route")).stdout();
    assert_eq!(zone(&firewalld), "libvirt", "without the policy");
    let policy = "<policy target=\"ACCEPT\"><ingress-zone name=\"libvirt-routed\"/>\
                  <egress-zone name=\"ANY\"/></policy>";
    fs::create_dir_all(settings.join("policies")).expect("make a folder");
    let file = settings.join("policies/libvirt-routed-out.xml");
    fs::write(file, policy).expect("write a policy");
    firewalld.ask(&host, &["--reload"]).stdout();
    palisade.ok(["remove", "default"]);
    apply(&palisade, &in_zone_of_libvirt("route")).stdout();
    assert_eq!(zone(&firewalld), "libvirt-routed");
    palisade.ok(["remove", "default"]);
    assert_eq!(zone(&firewalld), "");
}
