//! `apply` warns of what makes a network useless at once, and `doctor` is named.

use palisade::{Firewall, Options, Shortcoming, definition};
use palisade_tests::place::Place;
use palisade_tests::{Namespace, Trials};
use serde_json::Value;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.with("apply warns of useless networks", warns).with(
        "a daemon gets what makes networks useless as values",
        as_values,
    )
}

fn network(more: &str) -> String {
    format!("name = 'net1'\nbridge = 'virbr1'\nmode = 'nat'\n{more}")
}

/// The notes of applying a definition, which never fails for them.
#[track_caller]
fn notes(place: Place, host: &Namespace, texts: &[String]) -> Vec<String> {
    let palisade = place.palisade(host);
    let mut notes = Vec::new();
    for text in texts {
        let files = palisade.texts([text]);
        let file = files[0].to_str().expect("a path in UTF-8");
        let told = palisade.ok(["--format", "json", "apply", file]);
        let told: Value = serde_json::from_str(&told).expect("JSON");
        notes = told["notes"]
            .as_array()
            .expect("notes")
            .iter()
            .map(|note| note.as_str().expect("a text").to_owned())
            .collect();
        assert!(notes.iter().all(|note| note.contains("`palisade doctor`")));
        assert!(notes.iter().all(|note| !note.contains('\n')));
    }
    palisade.ok(["remove", "--all"]);
    notes
}

fn warns() {
    for place in Place::ALL {
        let usual = network("subnets = ['10.1.0.1/24']\n");
        let host = Namespace::new();
        let of = |texts: &[String]| notes(place, &host, texts);
        host.sysctl("ipv4/ip_forward", "1");
        let told = of(std::slice::from_ref(&usual));
        assert!(told[0].contains("there is no bridge `virbr1`"), "{told:?}");
        assert_eq!(told.len(), 1, "{told:?}");
        host.bridges(["virbr1"]);
        let told = of(std::slice::from_ref(&usual));
        assert!(told[0].contains("no address in 10.1.0.0/24"), "{told:?}");
        assert_eq!(told.len(), 1, "{told:?}");
        host.ip("addr add 10.1.0.1/24 dev virbr1");
        assert_eq!(of(std::slice::from_ref(&usual)), [""; 0]);

        let moved = network("subnets = ['10.2.0.1/24']\n");
        let told = of(&[usual.clone(), moved]);
        assert!(told[0].contains("no address in 10.2.0.0/24"), "{told:?}");
        assert!(
            told[1].contains("still has the address 10.1.0.1"),
            "{told:?}"
        );
        assert_eq!(told.len(), 2, "{told:?}");

        let few = network("subnets = ['10.1.0.1/24']\nports = '40000-40003'\n");
        let told = of(&[few]);
        assert!(told[0].contains("NAT has 4 ports"), "{told:?}");

        let world = Namespace::new();
        host.cable("wan0", &world, "eth0");
        host.ip("addr add 10.1.0.9/16 dev wan0");
        let told = of(std::slice::from_ref(&usual));
        assert!(
            told[0].contains("collides with the host's route to 10.1.0.0/16"),
            "{told:?}"
        );
        assert!(told[0].contains("`wan0`"), "{told:?}");
        host.ip("link del wan0");

        host.sysctl("ipv4/ip_forward", "0");
        let told = of(std::slice::from_ref(&usual));
        assert!(told[0].contains("forwards no ipv4 packets"), "{told:?}");
        assert_eq!(told.len(), 1, "{told:?}");
        let isolated = usual.replace("'nat'", "'isolated'");
        assert_eq!(of(&[isolated]), [""; 0]);
    }
}

fn as_values() {
    let host = Namespace::new();
    let folder = tempfile::tempdir().expect("make a folder");
    let options = Options {
        state_directory: Some(folder.path().join("state")),
        namespace: Some(host.path()),
        ..Options::default()
    };
    let text = network("subnets = ['10.1.0.1/24']\n");
    let source = definition::Source::at("net1.toml".as_ref());
    let networks = definition::parse(&source, text.as_bytes()).expect("a definition");
    let mut firewall = Firewall::open(&options).expect("open the firewall");
    let report = firewall.apply(&networks).expect("apply");
    let of = |is_it: fn(&Shortcoming) -> bool| {
        let mut notes = report.host_notes.iter();
        notes.any(|note| note.network.as_str() == "net1" && is_it(&note.shortcoming))
    };
    assert!(of(|it| matches!(it, Shortcoming::NoBridge { .. })));
    assert!(!of(|it| matches!(it, Shortcoming::NoAddress { .. })));
    assert!(of(|it| matches!(it, Shortcoming::NoForwarding { .. })));
    let unchanged = firewall.apply(&networks).expect("apply again");
    assert_eq!(unchanged.host_notes, []);
}
