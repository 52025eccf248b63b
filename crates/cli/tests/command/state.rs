//! `apply`, `list`, `show` and `remove` without rules: with nothing running, and with the backend
//! `none`, which records networks and installs nothing. That needs no rights.

use serde_json::json;

use crate::palisade::{DEFAULT, Palisade, TWO};

/// Moments, which no test can know, as they are written in RFC 3339 to the second.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        let digit_or_mark = |c: char| if c.is_ascii_digit() { '0' } else { c };
        word.chars()
            .map(digit_or_mark)
            .eq("0000-00-00T00:00:00Z".chars())
    };
    let words = text.split_inclusive(char::is_whitespace);
    let hidden = words.map(|word| match word.trim_end() {
        time if is_time(time) => word.replace(time, "TIME"),
        _ => word.to_owned(),
    });
    hidden.collect()
}

#[test]
fn nothing_runs() {
    let palisade = Palisade::new();
    insta::assert_snapshot!(palisade.transcripts(&[
        "list",
        "list --format json",
        "show default",
        "show --format json default",
        "show a/b",
        "remove default",
        "remove default lab --format json",
        "remove a/b",
        "remove --all",
        "remove --all --quiet",
    ]));
}

/// Reading makes nothing: a plain user may look where only root may write.
#[test]
fn looking_leaves_no_trace() {
    let palisade = Palisade::new();
    std::fs::create_dir(palisade.folder().join("none")).unwrap();
    for command in [
        "list",
        "verify",
        "repair",
        "repair default",
        "remove default",
        "remove --all",
        "sync --backend none none",
        "migrate --to nftables",
        "recover",
        "confirm",
    ] {
        palisade.transcript(command);
        assert!(!palisade.folder().join("state").exists(), "{command}");
    }
}

#[test]
fn a_life_without_rules() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.file("changed.xml", &DEFAULT.replace("virbr0", "virbr7"));
    insta::assert_snapshot!(palisade.transcripts(&[
        "apply --backend none default.xml two.toml",
        "apply default.xml",
        "apply changed.xml",
        "remove quiet nobody",
        "remove quiet quiet",
        "sync default.xml",
        "--format json sync default.xml",
        "--format json remove default",
        "list",
    ]));
}

#[test]
fn list_in_the_order_of_starting() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.output("--backend none apply two.toml default.xml");
    let list = palisade.json("list --format json");
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|network| network["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["lab", "quiet", "default"]);
    let mut lab = list[0].clone();
    let since = lab["since"].take();
    assert_eq!(
        lab,
        json!({
            "name": "lab",
            "bridge": "virbr1",
            "mode": "route",
            "state": "bridge missing",
            "subnets": ["10.20.0.0/25", "fd00:20::/64"],
            "blocked": [],
            "forwards": [],
            "backend": "none",
            "layout": null,
            "table": null,
            "established": "in-turn",
            "programs": null,
            "why": "chosen explicitly",
            "since": null,
            "bridge_state": "missing",
            "owner": "operator",
            "ports": [],
            "traffic": null,
        })
    );
    let since = since.as_str().unwrap();
    assert_eq!(since.len(), "2026-01-01T00:00:00Z".len(), "{since}");
}

/// Where there is no terminal, a line for each network, whatever its length.
#[test]
fn list_and_show_as_text() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.file(
        "uplink.json",
        r#"{"name": "uplink", "bridge": "virbr3", "mode": "nat", "device": "enp0s7",
            "subnets": ["10.40.0.1/26", "fd00:40::1/64"], "nat_ipv6": true,
            "ports": "20000-20100", "addresses": "203.0.113.7-203.0.113.9"}"#,
    );
    palisade.output("--backend none apply default.xml two.toml uplink.json");
    let told = ["list", "show default", "show uplink"].map(|line| palisade.transcript(line));
    insta::assert_snapshot!(without_times(&told.join("\n")));
}

/// An explicit choice is recorded; a later command without one leaves the network where it is.
#[test]
fn only_an_explicit_choice_moves() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("nftables.toml", "firewall_backend = 'nftables'\n");
    palisade.output("--backend none apply default.xml");
    for line in [
        "apply default.xml",
        "--config nftables.toml apply default.xml",
    ] {
        assert_eq!(palisade.output(line), "= default unchanged\n", "{line}");
    }
    assert_eq!(palisade.json("list --format json")[0]["backend"], "none");
}

#[test]
fn conflicts_with_what_runs() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.file(
        "same_bridge.xml",
        &DEFAULT.replace("default", "other").replace("122", "123"),
    );
    // Each takes the other's bridge: as a whole that is no conflict.
    palisade.file(
        "swapped.toml",
        &TWO.replace("virbr1", "x")
            .replace("virbr2", "virbr1")
            .replace('x', "virbr2"),
    );
    palisade.output("--backend none apply default.xml two.toml");
    insta::assert_snapshot!(palisade.transcripts(&[
        "--backend none apply same_bridge.xml",
        "--backend none apply swapped.toml",
    ]));
}

#[test]
fn places_that_are_not_there() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    for (line, what) in [
        (
            "--netns nobodys-namespace list",
            "cannot open network namespace /run/netns/nobodys-namespace: ",
        ),
        (
            "--netns ./nobodys-namespace list",
            "cannot open network namespace ./nobodys-namespace: no such file or directory\n",
        ),
        (
            "--backend none --state-dir default.xml apply default.xml",
            "cannot lock default.xml/netns-",
        ),
    ] {
        let told = palisade.transcript(line);
        assert!(told.contains(&format!("2> error: {what}")), "{told}");
        assert!(told.contains("2> hint: "), "{told}");
        assert!(!told.contains("os error"), "{told}");
        assert!(told.ends_with("exit code 1\n"), "{told}");
    }
}

/// Where no rules are installed, nobody is cut off.
#[test]
fn guests_that_cannot_be_blocked() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.output("--backend none apply default.xml");
    insta::assert_snapshot!(palisade.transcripts(&[
        "block default/192.168.122.11",
        "unblock default/192.168.122.11",
        "--format json unblock default/192.168.122.11",
        "block nobody/10.0.0.1",
        "block default",
        "block",
    ]));
}
