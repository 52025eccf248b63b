//! Beside libvirt: whoever applies a network that libvirt rules too is told, once, and nothing of
//! libvirt's is touched.

use std::process::{Command, ExitCode};

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials};

fn main() -> ExitCode {
    let trials = Trials::new()
        .with("libvirt's nftables, by name".to_owned(), || {
            told("table ip libvirt_network { chain guest_output { iifname \"virbr0\" reject; }; }");
        })
        .with("libvirt's nftables, by index".to_owned(), || {
            told("table ip libvirt_network { chain guest_output { iif \"virbr0\" reject; }; }");
        })
        .with("libvirt's chains of iptables-nft".to_owned(), || {
            told("table ip filter { chain LIBVIRT_FWO { iifname \"virbr0\" reject; }; }");
        })
        .with(
            "libvirt's chains in another namespace".to_owned(),
            elsewhere,
        )
        .with("another bridge of libvirt's".to_owned(), another_bridge);
    palisade_tests::run(trials)
}

fn definition() -> Definition {
    Definition::nat("default", "virbr0", &["192.168.122.1/24"])
}

fn told(libvirt: &str) {
    let namespace = Namespace::new();
    namespace.bridges(["virbr0"]);
    namespace.nft(libvirt);
    let before = Dump::ruleset(&namespace);
    let palisade = Palisade::new(&namespace);
    let told = palisade.apply([&definition()]).stdout();
    assert!(
        told.contains("libvirt has rules for bridge `virbr0` too"),
        "{told}"
    );
    // Nothing changes: nothing is said.
    let again = palisade.apply([&definition()]).stdout();
    assert!(!again.contains("libvirt"), "{again}");
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace), before);
}

/// The command is in one namespace, and what it looks at in another.
fn elsewhere() {
    let legacy = |namespace: &Namespace| {
        for call in ["-N LIBVIRT_FWO", "-A LIBVIRT_FWO -i virbr0 -j REJECT"] {
            let mut program = Command::new("iptables-legacy");
            namespace.answer(program.args(call.split(' ')), "").stdout();
        }
    };
    let by_index = |namespace: &Namespace| {
        namespace
            .nft("table ip libvirt_network { chain guest_output { iif \"virbr0\" reject; }; }");
    };
    let puts: [&dyn Fn(&Namespace); 2] = [&legacy, &by_index];
    for put in puts {
        let (here, there) = (Namespace::new(), Namespace::new());
        there.bridges(["virbr0"]);
        put(&there);
        let path = there.path();
        let palisade =
            Palisade::new(&here).with(["--netns", path.to_str().expect("a path in UTF-8")]);
        let told = palisade.apply([&definition()]).stdout();
        assert!(told.contains("bridge `virbr0` too"), "{told}");
    }
}

fn another_bridge() {
    let namespace = Namespace::new();
    namespace
        .nft("table ip libvirt_network { chain guest_output { iifname \"virbr01\" reject; }; }");
    let told = Palisade::new(&namespace).apply([&definition()]).stdout();
    assert!(!told.contains("libvirt"), "{told}");
}
