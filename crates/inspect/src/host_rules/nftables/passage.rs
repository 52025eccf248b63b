//! How packets are let through tables of nf_tables.

use palisade_core::evaluate::{Hook, HookLayer};
use palisade_core::network::{Family as IpFamily, InterfaceName};
use palisade_core::owner::Owner;
use palisade_core::rules::Carries;
use palisade_nft::object::{Comparison, Family, Rule, Table, Userdata, Verdict};
use palisade_nft::statement::{
    self, Direction, End, Statement, address, expressions, icmp, known_flow, port, protocol,
};

use crate::host_rules::group::{Change, Opening, Passage, StopPlace};
use crate::shell::{nft_name, word};

/// Where firewalld looks for zones.
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];

/// The change that lets packets pass a base chain of a table.
pub(super) fn allow(
    owner: &Owner,
    table: &Table,
    stop: StopPlace<'_>,
    passage: &Passage<'_>,
) -> Option<Change> {
    // Whose packets a device carries, no name of an interface says.
    if stop.layer == HookLayer::Device {
        return None;
    }
    let knows_input = match stop.layer {
        HookLayer::Bridge => !matches!(stop.hook, Hook::Output | Hook::Postrouting),
        _ => stop.hook != Hook::Output,
    };
    let opening = Opening::of(stop, passage, knows_input)?;
    let change = |commands, opening| Change {
        commands,
        table: stop.table.to_owned(),
        chain: stop.chain.to_owned(),
        opening,
    };
    if *owner == Owner::Firewalld {
        let commands = firewalld(passage)?;
        let opening = Opening {
            carries: None,
            is_of_known_flow: false,
            ..opening
        };
        return Some(change(commands, opening));
    }
    let place = format!(
        "{} {} {}",
        table.family,
        nft_name(&table.name)?,
        nft_name(stop.chain)?
    );
    let words = words(&opening, table.family);
    let command = if words.contains(['"', '{', '\'']) {
        format!("nft {}", word(&format!("insert rule {place} {words}")))
    } else {
        format!("nft insert rule {place} {words}")
    };
    Some(change(vec![command], opening))
}

/// firewalld asks a policy between zones whether what others send to a zone passes.
fn firewalld(passage: &Passage<'_>) -> Option<Vec<String>> {
    let bridge = word(passage.bridge.as_str());
    let packet = &passage.packet;
    if packet.is_from_host() {
        return None;
    }
    if packet.comes_in() && !packet.is_of_known_flow() {
        const POLICY: &str = "to-guests";
        let policy = |option: &str| format!("firewall-cmd --permanent --policy={POLICY} {option}");
        return Some(vec![
            format!("firewall-cmd --permanent --zone=trusted --add-interface={bridge}"),
            format!("firewall-cmd --permanent --new-policy={POLICY}"),
            policy("--add-ingress-zone=ANY"),
            policy("--add-egress-zone=trusted"),
            policy("--set-target=ACCEPT"),
            "firewall-cmd --reload".to_owned(),
        ]);
    }
    let zone = zone();
    Some(vec![format!(
        "firewall-cmd --zone={zone} --add-interface={bridge}"
    )])
}

/// The rule in the words of nft.
fn words(opening: &Opening, family: Family) -> String {
    let mut words: Vec<String> = Vec::new();
    let sides = [("iifname", &opening.input), ("oifname", &opening.output)];
    for (side, names) in sides {
        let named: Vec<String> = names.iter().map(|name| interface(name)).collect();
        match named.as_slice() {
            [] => {}
            [name] => words.push(format!("{side} {name}")),
            names => words.push(format!("{side} {{ {} }}", names.join(", "))),
        }
    }
    let ip = match opening.family {
        IpFamily::Ipv4 => "ip",
        IpFamily::Ipv6 => "ip6",
    };
    if let Some(source) = opening.source {
        words.push(format!("{ip} saddr {source}"));
    }
    if let Some(destination) = opening.destination {
        words.push(format!("{ip} daddr {destination}"));
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
        ) => words.push(format!("{protocol} dport {destination}")),
        (
            Some(Carries::Icmp {
                ipv4: (kind, _), ..
            }),
            IpFamily::Ipv4,
        ) => {
            words.push(format!("icmp type {}", icmp_name(kind)));
        }
        (
            Some(Carries::Icmp {
                ipv6: (kind, _), ..
            }),
            IpFamily::Ipv6,
        ) => {
            words.push(format!("icmpv6 type {}", icmpv6_name(kind)));
        }
    }
    if opening.is_of_known_flow && family != Family::Bridge {
        words.push("ct state established,related".to_owned());
    }
    words.push("accept".to_owned());
    words.join(" ")
}

/// The name of an interface as a value, which nft takes in quotes where it would read it as a word of
/// its own.
fn interface(name: &str) -> String {
    nft_name(name).map_or_else(|| format!("\"{name}\""), str::to_owned)
}

fn icmp_name(kind: u8) -> String {
    match kind {
        0 => "echo-reply".to_owned(),
        8 => "echo-request".to_owned(),
        other => other.to_string(),
    }
}

fn icmpv6_name(kind: u8) -> String {
    let name = match kind {
        128 => "echo-request",
        129 => "echo-reply",
        133 => "nd-router-solicit",
        134 => "nd-router-advert",
        135 => "nd-neighbor-solicit",
        136 => "nd-neighbor-advert",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// The rule as the kernel has it. Of several interfaces any will do.
pub(super) fn rule(table: &Table, change: &Change) -> Rule {
    let opening = &change.opening;
    let mut statements: Vec<Statement> = Vec::new();
    let sides = [
        (Direction::In, &opening.input),
        (Direction::Out, &opening.output),
    ];
    for (direction, names) in sides {
        if let [name] = names.as_slice()
            && let Ok(name) = name.parse::<InterfaceName>()
        {
            statements.push(statement::interface(direction, &name));
        }
    }
    let ends = [
        (End::Source, opening.source),
        (End::Destination, opening.destination),
    ];
    for (end, net) in ends {
        statements.extend(net.map(|net| address(end, Comparison::Equal, net)));
    }
    match (opening.carries, opening.family) {
        (None, _) => {}
        (
            Some(Carries::Ports {
                protocol: carried,
                destination,
                ..
            }),
            _,
        ) => statements.extend([protocol(carried), port(End::Destination, destination)]),
        (
            Some(Carries::Icmp {
                ipv4: (kind, _), ..
            }),
            IpFamily::Ipv4,
        )
        | (
            Some(Carries::Icmp {
                ipv6: (kind, _), ..
            }),
            IpFamily::Ipv6,
        ) => {
            statements.extend(icmp(opening.family, kind));
        }
    }
    if opening.is_of_known_flow {
        statements.push(known_flow());
    }
    statements.push(Statement::Verdict(Verdict::Accept));
    Rule {
        family: table.family,
        table: table.name.clone(),
        chain: change.chain.clone(),
        expressions: expressions(&statements),
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    }
}

/// How such a command is kept.
pub(super) fn advice(owner: &Owner, family: Family) -> &'static str {
    match (owner, family) {
        (Owner::Firewalld, _) => {
            "To keep it over a reload: firewall-cmd --runtime-to-permanent. A network's \
             definition can name the zone (bridge zone=...), for whoever brings the bridge up"
        }
        (_, Family::Bridge) => {
            "Rules of bridges see ports: those of guests that start later need the same. To keep \
             it over a reboot, put the rule into the file that the table comes from"
        }
        (_, Family::Netdev) => {
            "It sees the packets of one device, before all rules of networks: the rule has to be \
             changed where it comes from"
        }
        _ => {
            "To keep it over a reboot, put the rule into the file that the table comes from, \
             such as /etc/nftables.conf"
        }
    }
}

/// The zone that is made for guests, where there is one; else the one that takes everything.
fn zone() -> &'static str {
    const GUESTS: &str = "libvirt";
    let is_there = |folder: &str| {
        std::path::Path::new(folder)
            .join(format!("{GUESTS}.xml"))
            .exists()
    };
    if ZONES.iter().any(|folder| is_there(folder)) {
        GUESTS
    } else {
        "trusted"
    }
}
