//! State directories that are deleted while a `watch` or a daemon has them open.

use std::fs;
use std::path::Path;

use palisade::definition::{Source, parse};
use palisade::{Choice, Firewall, Hint, Left, Network, Options, Reason};
use palisade_tests::place::{Place, assert_clean, net};
use palisade_tests::{Definition, Palisade, Trials};
use serde_json::{Value, json};

use crate::site::Site;
use crate::watching::{Watching, any};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in [Place::Mapped, Place::Legacy] {
        let name = format!("{place:?}: `watch --heal` tells that the state vanished");
        trials = trials.with(name, move || heals_again(place));
    }
    trials
        .with("`watch` tells once that the state vanished", told_once)
        .with("a daemon is told that its state vanished", daemon)
}

fn lose(palisade: &Palisade<'_>) {
    fs::remove_dir_all(palisade.state()).expect("remove the state");
}

#[track_caller]
fn assert_vanished(event: &Value) {
    assert_eq!(event["networks"], json!(["net1", "net2"]), "{event}");
    let message = event["message"].as_str().expect("a message");
    assert!(message.contains("is gone"), "{message}");
    let hint = event["hint"].as_str().expect("a hint");
    assert!(hint.contains("`palisade recover --adopt`"), "{hint}");
}

/// Nothing is put back that nobody remembers, and nothing removed.
fn heals_again(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let before = place.standing(&site.host);
    let watching = Watching::start(&site, &palisade, &["--heal"]);
    lose(&palisade);
    assert_vanished(&watching.next("vanished", any));
    assert_eq!(place.standing(&site.host), before);
    if place == Place::Mapped {
        palisade.apply([&net(1)]).stdout();
    }
    palisade.ok(["recover", "--adopt"]);
    assert_clean(&palisade);
    assert_eq!(place.standing(&site.host), before);
    // What is adopted is healed again.
    match place {
        Place::Legacy => {
            let flush = "iptables-legacy -F PALISADE_FWI";
            let mut command = std::process::Command::new("sh");
            site.host.answer(command.args(["-c", flush]), "").stdout();
        }
        _ => site.host.nft("flush set ip palisade bridges"),
    }
    let healed = watching.next("healed", any);
    assert!(
        healed["changes"]
            .as_array()
            .is_some_and(|it| !it.is_empty()),
        "{healed}"
    );
    assert_clean(&palisade);
}

fn told_once() {
    let site = Site::new();
    let palisade = Place::Flat.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let watching = Watching::start(&site, &palisade, &[]);
    lose(&palisade);
    assert_vanished(&watching.next("vanished", any));
    // What becomes of rules that no record names is told all the same.
    site.host.nft("flush chain ip palisade guest_output");
    watching.next("changed", any);
    // Another state begins: what is not in it is a difference.
    palisade.apply([&net(1)]).stdout();
    let is_of_net2 = |event: &Value| {
        let differences = event["differences"].as_array().expect("differences");
        differences
            .iter()
            .any(|it| it["detail"].as_str().is_some_and(|it| it.contains("net2")))
    };
    let passed = watching.until("differs", is_of_net2);
    let again = passed.iter().filter(|event| event["event"] == "vanished");
    assert_eq!(again.count(), 0, "{passed:#?}");
}

fn networks(definitions: &[&Definition]) -> Vec<Network> {
    let parse = |definition: &&Definition| {
        let source = Source::File("net.xml".into());
        parse(&source, definition.xml().as_bytes()).expect("a definition")
    };
    definitions.iter().flat_map(parse).collect()
}

fn open(site: &Site, state: &Path) -> Firewall {
    let options = Options {
        state_directory: Some(state.to_owned()),
        namespace: Some(site.host.path()),
        choice: Choice::default(),
        ..Options::default()
    };
    Firewall::open(&options).expect("open the firewall")
}

/// Never as if no network ran.
fn daemon() {
    let site = Site::new();
    let folder = tempfile::tempdir().expect("make a folder");
    let state = folder.path().join("state");
    let mut firewall = open(&site, &state);
    let [first, second] = [net(1), net(2)];
    let both = networks(&[&first, &second]);
    firewall.apply(&both).expect("apply");
    let before = Place::Mapped.standing(&site.host);
    let lose = || fs::remove_dir_all(&state).expect("remove the state");

    lose();
    let errors = [
        firewall.running().map(drop).unwrap_err(),
        firewall.verify(&[]).map(drop).unwrap_err(),
        firewall.repair(&[]).map(drop).unwrap_err(),
        firewall.remove_all().map(drop).unwrap_err(),
        firewall.apply(&both).map(drop).unwrap_err(),
        firewall.recover().map(drop).unwrap_err(),
    ];
    for error in errors {
        assert!(
            error
                .to_string()
                .contains("is gone, which this process has read"),
            "{error}"
        );
        assert!(error.hint().contains("recover --adopt"), "{}", error.hint());
    }
    assert_eq!(Place::Mapped.standing(&site.host), before);
    let adopted = firewall.adopt().expect("adopt");
    assert_eq!(adopted.networks.len(), 2, "{adopted:?}");
    assert_eq!(firewall.running().expect("networks").len(), 2);
    assert!(firewall.verify(&[]).expect("verify").is_empty());

    lose();
    let report = firewall.sync(&both).expect("sync");
    assert!(report.changes.is_empty(), "{report:?}");
    assert_eq!(report.unchanged.len(), 2);
    assert!(
        report.notes[0].starts_with("adopted networks"),
        "{report:?}"
    );
    assert_eq!(Place::Mapped.standing(&site.host), before);

    // What is no whole network is left.
    lose();
    site.host.nft("flush set ip palisade refused_in");
    let left: Vec<Left> = firewall.adopt().expect("adopt").left;
    assert!(
        left.iter().all(|left| left.reason == Reason::NotWhole),
        "{left:?}"
    );
    assert_eq!(left.len(), 2);
    firewall.sync(&both).expect("sync");
    assert_eq!(Place::Mapped.standing(&site.host), before);
    firewall.remove_all().expect("remove");
    assert!(firewall.verify(&[]).expect("verify").is_empty());
}
