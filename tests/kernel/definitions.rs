//! Definitions as users of libvirt have them, in a namespace with bridges of its own.

use std::process::{Command, ExitCode};

use palisade_tests::place::Place;
use palisade_tests::{Definition, Namespace, Palisade, trials};
use serde_json::Value;

fn main() -> ExitCode {
    palisade_tests::run(trials![
        bridges_are_found_by_their_addresses,
        open_networks_need_no_bridge,
        warnings_name_their_places,
        fields_are_recorded_and_shown,
        names_with_quotes,
    ])
}

/// A network without the name of its bridge.
const NAMELESS: &str = "<network>\n  <name>it's</name>\n  <forward/>\n  \
                        <ip address='10.24.10.1' prefix='24'/>\n  \
                        <ip family='ipv6' address='fd00:24::1'/>\n</network>\n";

fn bridge_of(palisade: &Palisade<'_>) -> Value {
    let running = palisade.ok(["--format", "json", "list"]);
    let running: Value = serde_json::from_str(&running).expect("list prints JSON");
    running[0]["bridge"].clone()
}

fn bridges_are_found_by_their_addresses() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let file = palisade.texts([NAMELESS]).remove(0);
    let file = file.to_str().expect("a path in UTF-8");
    let told = palisade.answer(["check", file]).refusal(1);
    assert!(
        told.contains("none was found by its address 10.24.10.1"),
        "{told}"
    );
    assert!(told.contains("--bridge 'it'\\''s'=BRIDGE"), "{told}");
    palisade.ok(["apply", file, "--bridge", "it's=virbr8"]);
    assert_eq!(bridge_of(&palisade), "virbr8");
    palisade.ok(["remove", "it's"]);

    // Neither a device with the address, nor a bridge with another one.
    namespace.ip("link add veth0 type veth peer name veth1\naddr add 10.24.10.1/24 dev veth0");
    namespace.ip("link add virbr8 type bridge\naddr add 10.24.10.2/24 dev virbr8");
    palisade.answer(["apply", file]).refusal(1);
    namespace.ip("link add virbr9 type bridge\naddr add fd00:24::1/64 dev virbr9");
    palisade.ok(["check", file]);
    palisade.ok(["apply", file]);
    assert_eq!(bridge_of(&palisade), "virbr9");
    // Two bridges with addresses of the network: only the user knows.
    namespace.ip("addr add 10.24.10.1/24 dev virbr8");
    palisade.answer(["apply", file]).refusal(1);
    palisade.ok(["apply", file, "--bridge", "it's=virbr9"]);
}

fn open_networks_need_no_bridge() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let open = "<network><name>o</name><forward mode='open'/><ip address='10.9.0.1' prefix='24'/></network>";
    palisade.on_files("apply", palisade.texts([open])).stdout();
    assert_eq!(bridge_of(&palisade), Value::Null);
    palisade.ok(["list"]);
    palisade.ok(["show", "o"]);
    palisade.ok(["verify"]);
    palisade.ok(["remove", "o"]);
}

fn warnings_name_their_places() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let text = "<network>\n  <name>a</name>\n  <bridge name='virbr1'/>\n  <ip address='10.24.10.1'/>\n  \
                <route address='10.50.0.0' prefix='16' gateway='10.24.10.2'/>\n  \
                <route family='ipv4' address='192.168.5.0' netmask='255.255.255.0' gateway='10.24.10.2'/>\n\
                </network>\n";
    let answer = palisade.on_files("check", palisade.texts([text]));
    let lines: Vec<&str> = answer.stderr.lines().collect();
    assert_eq!(answer.code, Some(0));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains(":4:16: ") && lines[0].contains("10.0.0.0/8 (class A)"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains(":6:3: ") && lines[1].contains("192.168.5.0/24"),
        "{lines:?}"
    );
    assert!(lines[1].contains("opens nothing"), "{lines:?}");
}

const FEW: &str = "name = 'lab'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.9.0.1/24']\n";

fn fields_are_recorded_and_shown() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let fields = "mtu = 1400\nmss_clamp = 1360\nisolated_ports = true\nnat_between_networks = false\nlog = true\n";
    let files = palisade.texts([format!("{FEW}{fields}")]);
    palisade.on_files("apply", &files).stdout();
    let shown = palisade.ok(["show", "lab"]);
    for part in [
        "1400 bytes",
        "to 1360 bytes",
        "to the kernel's log, at most 10/second",
        "keep their source",
        "isolated",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = palisade.ok(["--format", "json", "show", "lab"]);
    let json: Value = serde_json::from_str(&json).expect("show prints JSON");
    let definition = &json["definition"];
    assert_eq!(definition["mtu"], 1400);
    assert_eq!(definition["mss_clamp"], 1360);
    assert_eq!(definition["isolated_ports"], true);
    assert_eq!(definition["forward"]["between_networks"], false);
    // The record is the definition: nothing changes.
    let again = palisade.on_files("apply", &files).stdout();
    assert!(again.contains("unchanged"), "{again}");
    let without = palisade.texts([FEW]);
    assert_eq!(palisade.on_files("plan", &without).code, Some(3));
}

/// Quotes of one kind are in names; comments carry them in every backend.
fn names_with_quotes() {
    for place in Place::ALL {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        for name in ["it's", "'a' 'b'", "''"] {
            let network = Definition::nat(name, "virbr1", &["10.9.0.1/24", "fd00:9::1/64"]);
            palisade.apply([&network]).stdout();
            palisade.ok(["verify"]);
            palisade.ok(["remove", name]);
            let text = palisade.render([&network]);
            if text.starts_with("table") || text.contains("\ntable") {
                let mut nft = Command::new("nft");
                namespace
                    .answer(nft.args(["-c", "-f", "-"]), &text)
                    .stdout();
            }
        }
    }
}
