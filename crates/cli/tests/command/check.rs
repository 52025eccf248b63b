//! `check`: what is wrong with definitions, told with the place and the way out.

use serde_json::json;

use crate::palisade::{DEFAULT, Palisade, TWO};

#[test]
fn of_good_definitions() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.file("none.json", "[]");
    palisade.file(
        "others.json",
        r#"[
  {"name": "lan", "bridge": "br0", "mode": "bridge"},
  {"name": "passed", "mode": "hostdev"},
  {"name": "free", "bridge": "virbr9", "mode": "open", "subnets": ["10.9.0.1/16"]}
]"#,
    );
    insta::assert_snapshot!(palisade.transcripts(&[
        "check default.xml",
        "check default.xml two.toml",
        "check others.json",
        "check none.json",
    ]));
}

#[test]
fn of_bad_definitions() {
    let palisade = Palisade::new();
    palisade.file(
        "field.toml",
        "name = 'a'\nbridge = 'virbr1'\nsubnet = ['10.0.0.1/24']\n",
    );
    palisade.file("bridge.xml", "<network>\n  <name>a</name>\n</network>\n");
    palisade.file("blank.json", "\n");
    insta::assert_snapshot!(palisade.transcripts(&[
        "check field.toml",
        "check bridge.xml",
        "check blank.json",
        "check missing.xml",
        "check field.toml bridge.xml",
    ]));
}

/// Networks that are right by themselves, and exclude each other.
#[test]
fn of_networks_side_by_side() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let like = |name: &str, bridge: &str, subnet: &str| {
        format!("name = '{name}'\nbridge = '{bridge}'\nsubnets = ['{subnet}']\n")
    };
    palisade.file("name.toml", &like("default", "virbr8", "10.8.0.1/24"));
    palisade.file("bridge.toml", &like("other", "virbr0", "10.8.0.1/24"));
    palisade.file(
        "subnet.toml",
        &like("other", "virbr8", "192.168.122.129/25"),
    );
    insta::assert_snapshot!(palisade.transcripts(&[
        "check default.xml name.toml",
        "check default.xml bridge.toml",
        "check default.xml subnet.toml",
        "check --format json default.xml subnet.toml",
    ]));
}

#[test]
fn json_has_the_networks() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    assert_eq!(
        palisade.json("check --format json default.xml"),
        json!({ "networks": [{
            "name": "default",
            "bridge": "virbr0",
            "forward": {
                "mode": "nat",
                "ports": { "start": 1024, "end": 65535 },
                "ipv6": false,
            },
            "subnets": ["192.168.122.0/24"],
            "ipv6": false,
            "dhcp": false,
            "tftp": false,
        }], "notes": []})
    );
}

/// One object, on standard error, with all that is wrong.
#[test]
fn json_has_the_errors() {
    let palisade = Palisade::new();
    palisade.file("a.toml", "name = 'a'\nbridge = 'virbr1'\nsubnet = []\n");
    let mut command = palisade.command(&["check", "--format", "json", "a.toml", "missing.xml"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    let error = &told["error"];
    assert_eq!(error["file"], "a.toml");
    assert_eq!((&error["line"], &error["column"]), (&json!(3), &json!(1)));
    assert_eq!(error["message"], "unknown field `subnet`");
    assert_eq!(error["hint"], "did you mean `subnets`?");
    assert_eq!(error["others"][0]["file"], "missing.xml");
    assert_eq!(error["others"].as_array().map(Vec::len), Some(1));
}

#[test]
fn of_standard_input() {
    let palisade = Palisade::new();
    let told = [
        palisade.transcript_with("check -", DEFAULT),
        palisade.transcript_with("check -", TWO),
        palisade.transcript_with("check -", ""),
        palisade.transcript_with("check - -", TWO),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// A directory stands for its definitions, in the order of their names.
#[test]
fn of_directories() {
    let palisade = Palisade::new();
    palisade.file("networks/2.toml", TWO);
    palisade.file("networks/1.xml", DEFAULT);
    palisade.file("networks/.hidden.xml", "no definition");
    assert_eq!(
        palisade.output("check networks"),
        "ok: network default: nat on virbr0, 192.168.122.0/24\n\
         ok: network lab: route on virbr1, 10.20.0.0/25, fd00:20::/64\n\
         ok: network quiet: isolated on virbr2, 10.30.0.0/24\n"
    );
}

/// What a definition alone says of a network that is of little use.
#[test]
fn few_ports() {
    let palisade = Palisade::new();
    let few = DEFAULT.replace(
        "<forward mode='nat'/>",
        "<forward mode='nat'><nat><port start='40000' end='40003'/></nat></forward>",
    );
    palisade.file("few.xml", &few);
    palisade.file("enough.xml", &few.replace("end='40003'", "end='40999'"));
    let told = palisade.output("check few.xml");
    assert!(
        told.contains("note: network `default`: NAT has 4 ports"),
        "{told}"
    );
    assert!(!palisade.output("check enough.xml").contains("note:"));
    let told = palisade.json("check --format json few.xml");
    assert_eq!(told["notes"].as_array().map(Vec::len), Some(1), "{told}");
}
