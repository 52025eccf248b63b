//! Parity with libvirt's iptables backend: what this backend leaves in the kernel is what libvirt's
//! own commands leave there, rule for rule in order, but for the chains' prefix, our comments, and the
//! place for the administrator's own rules.
//! A family's chains come with the first network that needs them; libvirt makes all of them always.
//!
//! The commands are read where they lie, beside the workspace: their licence and authors are others'.

use std::path::{Path, PathBuf};

use palisade_core::network::{Description, Family, Forward, Nat, Network, PortRange};

use crate::host::{Host, Standing, lines};
use crate::namespace::Namespace;

/// The folder of libvirt's cases: beside the workspace, or beside the folder of its worktrees.
pub(crate) fn folder() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../../../shared/libvirt", "../../../../shared/libvirt"];
    let mut found = places.map(|place| here.join(place)).into_iter();
    found
        .find(|folder| folder.is_dir())
        .ok_or_else(|| "libvirt's cases are not at ../shared/libvirt".to_owned())
}

/// A network of libvirt's, and the file of its commands.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    network: fn(&Subnets) -> Description,
}

/// Where a network is: at its place in libvirt's case, or moved beside it.
struct Subnets {
    name: &'static str,
    bridge: &'static str,
    v4: [&'static str; 2],
    v6: &'static str,
}

const THERE: Subnets = Subnets {
    name: "default",
    bridge: "virbr0",
    v4: ["192.168.122.1/24", "192.168.128.1/24"],
    v6: "2001:db8:ca2:2::1/64",
};

const MOVED: Subnets = Subnets {
    name: "moved",
    bridge: "virbr9",
    v4: ["192.168.222.1/24", "192.168.228.1/24"],
    v6: "2001:db8:ca2:9::1/64",
};

fn moved(text: &str) -> String {
    text.replace("virbr0", "virbr9")
        .replace("192.168.122.", "192.168.222.")
        .replace("192.168.128.", "192.168.228.")
        .replace("2001:db8:ca2:2:", "2001:db8:ca2:9:")
}

fn network(at: &Subnets, forward: Forward, subnets: &[&str]) -> Description {
    Description {
        subnets: subnets
            .iter()
            .map(|subnet| subnet.parse().expect("a subnet"))
            .collect(),
        dhcp: true,
        ..Description::new(
            at.name.parse().expect("a name"),
            Some(at.bridge.parse().expect("a bridge")),
            forward,
        )
    }
}

fn nat() -> Forward {
    Forward::Nat(Nat::default())
}

/// The networks of the definitions beside the commands.
pub(crate) const CASES: [Case; 7] = [
    Case {
        name: "nat-default",
        network: |at| network(at, nat(), &at.v4[..1]),
    },
    Case {
        name: "nat-ipv6",
        network: |at| network(at, nat(), &[at.v4[0], at.v6]),
    },
    Case {
        name: "nat-no-dhcp",
        network: |at| Description {
            dhcp: false,
            ..network(at, nat(), &[at.v4[0], at.v6])
        },
    },
    Case {
        name: "nat-tftp",
        network: |at| Description {
            tftp: true,
            ..network(at, nat(), &at.v4[..1])
        },
    },
    Case {
        name: "nat-port-range",
        network: |at| {
            let ports = PortRange::new(500, 1000).expect("a range");
            let nat = Nat {
                ports,
                ..Nat::default()
            };
            network(at, Forward::Nat(nat), &[at.v4[0], at.v4[1], at.v6])
        },
    },
    Case {
        name: "route-default",
        network: |at| network(at, Forward::Route { device: None }, &at.v4[..1]),
    },
    Case {
        name: "isolated",
        network: |at| network(at, Forward::Isolated, &[at.v4[0], at.v4[1], at.v6]),
    },
];

impl Case {
    fn there(&self) -> Network {
        Network::new((self.network)(&THERE)).expect("a network")
    }

    fn moved(&self) -> Network {
        Network::new((self.network)(&MOVED)).expect("a network")
    }
}

/// Alone, beside another, removed, and started again after that.
pub(crate) fn as_libvirt(case: &Case, variant: &'static str) {
    let mut ours = Host::new(variant);
    let file = format!("{}-linux.iptables", case.name);
    let read = |name: &str| {
        let path = folder().expect("the folder").join(name);
        std::fs::read_to_string(path).expect("read the commands")
    };
    let (base, there) = (read("base.iptables"), read(&file));
    let moved = moved(&there);
    ours.start(&[case.there()]);
    assert_same(&ours, &libvirt(variant, &[&base, &there]));
    ours.start(&[case.moved()]);
    assert_same(&ours, &libvirt(variant, &[&base, &there, &moved]));
    ours.remove(&["default"]);
    assert_same(&ours, &libvirt(variant, &[&base, &moved]));
    ours.start(&[case.there()]);
    ours.assert_whole();
    assert_same(&ours, &libvirt(variant, &[&base, &moved, &there]));
    ours.remove(&["default", "moved"]);
    assert_eq!(ours.standing(), Standing::new());
    ours.start(&[case.there(), case.moved()]);
    assert_same(&ours, &libvirt(variant, &[&base, &there, &moved]));
}

#[track_caller]
fn assert_same(ours: &Host, theirs: &Standing) {
    let mut found = ours.standing();
    // Beyond libvirt: forwards, the administrator's place, networks that are reached without NAT, and
    // blocked guests.
    let is_admins = |line: &String| {
        ["PRE", "PRA", "FWA", "FWB", "ADMIN_", "BTW", "MSS", "BLK"]
            .iter()
            .any(|name| line.contains(&format!("PALISADE_{name}")))
    };
    for lines in found.values_mut() {
        lines.retain(|line| !is_admins(line));
    }
    for family in Family::BOTH {
        let of_family = |standing: &Standing| -> Standing {
            let mut its = standing.clone();
            its.retain(|place, _| place.starts_with(&family.to_string()));
            its
        };
        let (found, expected) = (of_family(&found), of_family(theirs));
        let is_empty = expected.values().flatten().all(|line| {
            // Chains, and jumps to them.
            !line.starts_with("-A PALISADE_")
        });
        if is_empty {
            assert_eq!(found, Standing::new(), "no network needs {family}");
        } else {
            assert_eq!(found, expected);
        }
    }
}

/// What libvirt's commands leave, with our prefix instead of its own.
fn libvirt(variant: &str, files: &[&str]) -> Standing {
    let namespace = Namespace::new();
    // One shell for all: each of them is a process already.
    let mut script = String::from("set -e\n");
    for file in files {
        for command in commands(file) {
            let (program, words) = command.split_first().expect("no command is empty");
            let quoted = words.iter().map(|word| format!("'{word}'"));
            let quoted = quoted.collect::<Vec<_>>().join(" ");
            script += &format!("{program}-{variant} {quoted} >/dev/null\n");
        }
    }
    namespace.feed(&["sh"], &script);
    let mut standing = Standing::new();
    for (family, word) in [(Family::Ipv4, "iptables"), (Family::Ipv6, "ip6tables")] {
        let saved = namespace.run(&[&format!("{word}-{variant}-save")]);
        for table in palisade_iptables::text::parse(&saved).expect("what is saved") {
            let lines = lines(&table, |word| word.replace("LIBVIRT_", "PALISADE_"));
            if !lines.is_empty() {
                standing.insert(format!("{family} {}", table.name), lines);
            }
        }
    }
    standing
}

/// One word or option a line, with a backslash behind all but a command's last.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    for line in text.lines() {
        let (line, ends) = match line.strip_suffix(" \\") {
            Some(line) => (line, false),
            None => (line, true),
        };
        let words = line
            .split(' ')
            .map(|word| word.trim_matches('\'').to_owned());
        commands.last_mut().expect("there is one").extend(words);
        if ends {
            commands.push(Vec::new());
        }
    }
    assert_eq!(commands.pop(), Some(Vec::new()), "the last command ends");
    commands
}
