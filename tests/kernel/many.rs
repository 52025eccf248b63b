//! Many networks in one batch; and in a user namespace, where the kernel bounds the batch's buffer:
//! it works, or the error names the limit to raise, and nothing is half done.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials};

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for layout in ["flat", "mapped"] {
        for count in [1000, 5000] {
            let name = |what: &str| format!("{layout}: {count} networks, {what}");
            trials = trials
                .with(name("as root"), move || as_root(layout, count))
                .with(name("in a user namespace"), move || {
                    in_user_namespace(layout, count);
                });
        }
        let few = format!("{layout}: 10 networks, in a user namespace");
        trials = trials.with(few, move || assert!(in_user_namespace(layout, 10)));
    }
    palisade_tests::run(trials)
}

fn networks(count: usize) -> Vec<Definition> {
    let network = |i: usize| {
        let subnet = format!("10.{}.{}.1/24", i / 256, i % 256);
        Definition::nat(&format!("net{i}"), &format!("br{i}"), &[&subnet])
    };
    (0..count).map(network).collect()
}

fn as_root(layout: &str, count: usize) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&networks(count)).stdout();
    let listed = listed(&namespace);
    assert_eq!(subnets(&listed), count, "networks in the kernel");
    assert_eq!(palisade.running().len(), count);
    // One more beside them, and away again. In `flat` every change walks all rules: at 5,000 networks
    // that takes long and shows nothing that it does not show at 1,000.
    if layout == "mapped" || count == 1000 {
        let one = Definition::route("one", "brone", &["192.168.0.1/24"]);
        palisade.apply([&one]).stdout();
        assert_eq!(palisade.running().len(), count + 1);
        palisade.ok(["remove", "one"]);
        assert_eq!(self::listed(&namespace), listed);
    }
    palisade.ok(["remove", "--all"]);
    assert_eq!(self::listed(&namespace), "");
}

/// Whether they fitted.
fn in_user_namespace(layout: &str, count: usize) -> bool {
    // A network namespace of the initial user namespace, for `unshare` to start from.
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let mut apply = vec![std::ffi::OsString::from("apply")];
    apply.extend(palisade.files(&networks(count)).into_iter().map(Into::into));
    // What the namespace holds is gone with its last process: the same one looks.
    let script = "\"$@\"; code=$?; echo; echo ===; nft -s list ruleset || exit 99; exit $code";
    let prefix = ["unshare", "-Urn", "sh", "-c", script, "sh"];
    let answer = namespace.answer(&mut palisade.command_by(&prefix, apply), "");
    let (_, listed) = answer
        .stdout
        .split_once("===\n")
        .unwrap_or_else(|| panic!("{answer}"));
    match answer.code {
        Some(0) => {
            assert_eq!(subnets(listed), count, "networks in the kernel");
            true
        }
        Some(1) => {
            assert!(
                answer.stderr.contains("net.core.wmem_max"),
                "{}",
                answer.stderr
            );
            assert_eq!(listed, "", "something is half done");
            assert_no_record(&palisade);
            false
        }
        _ => panic!("{answer}"),
    }
}

/// No network is recorded as running, in any namespace.
fn assert_no_record(palisade: &Palisade<'_>) {
    let folders = std::fs::read_dir(palisade.state()).into_iter().flatten();
    for folder in folders {
        let networks = folder
            .expect("a namespace's folder")
            .path()
            .join("networks");
        let records = std::fs::read_dir(networks).into_iter().flatten();
        assert_eq!(records.count(), 0, "recorded as running");
    }
}

/// Without the marker of the last transaction.
fn listed(namespace: &Namespace) -> String {
    Dump::ruleset(namespace).to_string()
}

/// How many subnets are let out: each network has one.
fn subnets(listed: &str) -> usize {
    let flat = listed.matches("accept comment \"net").count();
    if listed.contains("chain guest_output {") {
        // Four accepts for each: out, in, from guest to guest, and from another network without NAT.
        assert_eq!(flat % 4, 0, "each network has four rules that accept");
        return flat / 4;
    }
    let (_, out) = listed
        .split_once("\tset out_24 {")
        .expect("a set of what is let out");
    let (elements, _) = out.split_once("\t}").expect("the end of the set");
    elements.matches("\" . 10.").count()
}
