//! How packets are let through tables of iptables.

use palisade_core::evaluate::Hook;
use palisade_core::network::Family;
use palisade_core::owner::Owner;
use palisade_core::rules::Carries;

use crate::host_rules::group::{Change, Opening, Passage, StopPlace};
use crate::shell::word;

/// Docker's chain for the rules of others.
pub(super) const DOCKER_USER: &str = "DOCKER-USER";

/// The change that lets packets pass a chain of the kernel.
pub(super) fn allow(
    owner: &Owner,
    program: &str,
    stop: StopPlace<'_>,
    passage: &Passage<'_>,
) -> Option<Change> {
    // The programs refuse `-i` behind routing.
    let knows_input = !matches!(stop.hook, Hook::Postrouting | Hook::Output);
    let opening = Opening::of(stop, passage, knows_input)?;
    if *owner == Owner::Ufw {
        return ufw(stop, passage, opening);
    }
    // Docker inserts its jump above all others whenever it starts, and keeps the rules of this chain.
    let chain = match (owner, stop.table, stop.chain) {
        (Owner::Docker, "filter", "FORWARD") => DOCKER_USER,
        (.., chain) => chain,
    };
    let table = match stop.table {
        "filter" => String::new(),
        table => format!(" -t {}", word(table)),
    };
    let words: Vec<String> = words(&opening).iter().map(|it| word(it)).collect();
    let words = words.join(" ");
    Some(Change {
        commands: vec![format!("{program}{table} -I {} {words}", word(chain))],
        table: stop.table.to_owned(),
        chain: chain.to_owned(),
        opening,
    })
}

/// By ufw's own command, which puts the rule into its own chains.
fn ufw(stop: StopPlace<'_>, passage: &Passage<'_>, mut opening: Opening) -> Option<Change> {
    let bridge = word(passage.bridge.as_str());
    let (command, chain) = match (stop.hook, passage.packet.service()) {
        (Hook::Input, Some((protocol, port))) => (
            format!("ufw allow in on {bridge} to any port {port} proto {protocol}"),
            "user-input",
        ),
        (Hook::Forward, _) => {
            let side = if passage.packet.comes_in() {
                "out"
            } else {
                "in"
            };
            opening.is_of_known_flow = false;
            (
                format!("ufw route allow {side} on {bridge}"),
                "user-forward",
            )
        }
        (Hook::Output, _) => {
            opening.carries = None;
            (format!("ufw allow out on {bridge}"), "user-output")
        }
        _ => return None,
    };
    let owner = match opening.family {
        Family::Ipv4 => "ufw",
        Family::Ipv6 => "ufw6",
    };
    Some(Change {
        commands: vec![command],
        table: stop.table.to_owned(),
        chain: format!("{owner}-{chain}"),
        opening,
    })
}

/// The rule in the words of the programs.
pub(super) fn words(opening: &Opening) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut put = |option: &str, value: String| words.extend([option.to_owned(), value]);
    if let Some(source) = opening.source {
        put("-s", source.to_string());
    }
    if let Some(destination) = opening.destination {
        put("-d", destination.to_string());
    }
    if let [input] = opening.input.as_slice() {
        put("-i", input.clone());
    }
    if let [output] = opening.output.as_slice() {
        put("-o", output.clone());
    }
    match (opening.carries, opening.family) {
        (None, _) => {}
        (
            Some(Carries::Ports {
                protocol,
                destination,
                ..
            }),
            _,
        ) => {
            put("-p", protocol.to_string());
            put("--dport", destination.to_string());
        }
        (
            Some(Carries::Icmp {
                ipv4: (kind, _), ..
            }),
            Family::Ipv4,
        ) => {
            put("-p", "icmp".to_owned());
            put("--icmp-type", kind.to_string());
        }
        (
            Some(Carries::Icmp {
                ipv6: (kind, _), ..
            }),
            Family::Ipv6,
        ) => {
            put("-p", "ipv6-icmp".to_owned());
            put("--icmpv6-type", kind.to_string());
        }
    }
    if opening.is_of_known_flow {
        put("-m", "conntrack".to_owned());
        put("--ctstate", "RELATED,ESTABLISHED".to_owned());
    }
    put("-j", "ACCEPT".to_owned());
    words
}

/// How such a command is kept.
pub(super) fn advice(owner: &Owner) -> &'static str {
    match owner {
        Owner::Docker => {
            "Docker sets the policy of FORWARD to DROP, and leaves chain DOCKER-USER to others. A reboot \
             forgets the rule: add it again when Docker has started"
        }
        Owner::Ufw => "ufw keeps it in its own files, over a reboot",
        _ => "To keep it over a reboot: iptables-save, as netfilter-persistent does",
    }
}
