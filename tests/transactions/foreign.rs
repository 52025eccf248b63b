//! What others put into our chains and beside them: it outlives every change, and only `repair`
//! takes away what stands where only ours belongs, and says so.

use std::process::Command;

use palisade_tests::{Namespace, Palisade, Trials, iptables};

use crate::kill::kill_in_transaction;
use palisade_tests::place::{Place, assert_clean, net, routed};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    use Place::{Flat, Legacy, Mapped, Nft};
    for [place, other] in [
        [Mapped, Legacy],
        [Flat, Mapped],
        [Legacy, Nft],
        [Nft, Mapped],
    ] {
        let name = format!("{place:?}: others' rules outlive changes, not `repair`");
        trials = trials.with(name, move || outlive(place, other));
    }
    trials
}

fn outlive(place: Place, other: Place) {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let chosen = place.palisade(&namespace).sharing(&palisade);
    chosen.apply(&[net(1), net(2)]).stdout();
    let foreign = Foreign::put(place, &namespace);
    foreign.assert_there("right after");
    palisade.apply(&[routed(1)]).stdout();
    foreign.assert_there("after a replacement");
    chosen.apply(&[net(3)]).stdout();
    palisade.ok(["remove", "net2"]);
    foreign.assert_there("after a removal");
    kill_in_transaction(&namespace, &palisade, &palisade.files([&net(1)]));
    palisade.ok(["recover"]);
    foreign.assert_there("after a recovery");

    let verified = palisade.answer(["--format", "json", "verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    let kinds: serde_json::Value = serde_json::from_str(&verified.stdout).expect("JSON");
    let differences = kinds["differences"].as_array().expect("an array");
    assert_eq!(differences.len(), foreign.inside.len(), "{verified}");
    assert!(
        differences.iter().all(|found| found["kind"] == "foreign"),
        "{verified}"
    );

    let told = palisade.ok(other.migration());
    assert!(told.contains(chain(place)), "it says what stays: {told}");
    foreign.assert_there("after a migration");
    // They are still where only palisade's rules belong, although no network has any there.
    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    let mut lines = verified.stdout.lines().take_while(|line| !line.is_empty());
    assert!(
        lines.all(|line| line.starts_with("foreign: ")),
        "{verified}"
    );
    palisade.ok(place.migration());
    foreign.assert_there("after a migration back");

    let told = palisade.ok(["repair"]);
    let told = told.matches("palisade did not put there").count();
    assert_eq!(told, foreign.inside.len());
    foreign.assert_only_beside();
    assert_clean(&palisade);
    palisade.ok(["remove", "--all"]);
    foreign.assert_only_beside();
    assert!(!place.standing(&namespace).contains("virbr"));
}

/// One that every packet from a guest meets.
fn chain(place: Place) -> &'static str {
    match place {
        Place::Mapped => "from_guest",
        Place::Flat => "guest_output",
        Place::Legacy | Place::Nft => "PALISADE_FWO",
    }
}

/// Rules of somebody else's, as they are listed.
struct Foreign<'a> {
    place: Place,
    namespace: &'a Namespace,
    inside: [&'static str; 2],
    beside: [&'static str; 2],
}

impl<'a> Foreign<'a> {
    /// At the head and at the end of a chain of ours, and in a chain of their own.
    fn put(place: Place, namespace: &'a Namespace) -> Self {
        let chain = chain(place);
        let [inside, beside] = match place.backend() {
            "nftables" => {
                namespace.nft(&format!(
                    "insert rule ip palisade {chain} iifname \"eth7\" drop\n\
                     add rule ip palisade {chain} iifname \"eth8\" accept\n\
                     table ip theirs {{ chain mine {{ type filter hook forward priority 0;\n\
                     iifname \"eth7\" accept\niifname \"eth9\" drop\n}}; }}\n"
                ));
                [
                    ["iifname \"eth7\" drop", "iifname \"eth8\" accept"],
                    ["iifname \"eth7\" accept", "iifname \"eth9\" drop"],
                ]
            }
            _ => {
                for rule in [
                    "-I PALISADE_FWO -i eth7 -j DROP",
                    "-A PALISADE_FWO -i eth8 -j ACCEPT",
                    "-N MINE",
                    "-A MINE -i eth9 -j DROP",
                    "-I FORWARD -j MINE",
                ] {
                    let mut program = Command::new(format!("iptables-{}", place.word()));
                    let program = program.args(rule.split(' '));
                    namespace.answer(program, "").stdout();
                }
                [
                    [
                        "-A PALISADE_FWO -i eth7 -j DROP",
                        "-A PALISADE_FWO -i eth8 -j ACCEPT",
                    ],
                    ["-A MINE -i eth9 -j DROP", "-A FORWARD -j MINE"],
                ]
            }
        };
        Self {
            place,
            namespace,
            inside,
            beside,
        }
    }

    fn listed(&self) -> String {
        match self.place.backend() {
            "nftables" => palisade_tests::Dump::ruleset(self.namespace).to_string(),
            _ => iptables::saved(self.namespace, self.place.word()).join("\n"),
        }
    }

    #[track_caller]
    fn assert_there(&self, when: &str) {
        let listed = self.listed();
        for rule in self.inside.iter().chain(&self.beside) {
            assert!(listed.contains(rule), "{when}: no {rule} in\n{listed}");
        }
    }

    #[track_caller]
    fn assert_only_beside(&self) {
        let listed = self.listed();
        for rule in self.inside {
            assert!(!listed.contains(rule), "{rule} is still in\n{listed}");
        }
        for rule in self.beside {
            assert!(listed.contains(rule), "no {rule} in\n{listed}");
        }
    }
}
