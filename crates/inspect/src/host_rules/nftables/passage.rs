//! How packets are let through tables of nf_tables.

use palisade_core::owner::Owner;
use palisade_nft::object::{Family, Table};

use crate::host_rules::group::Passage;
use crate::shell::word;

/// Where firewalld looks for zones.
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];

/// Commands that let packets pass a base chain of a table.
pub(super) fn allow(
    owner: &Owner,
    table: &Table,
    chain: &str,
    passage: Passage<'_>,
) -> Vec<String> {
    let bridge = word(passage.bridge.as_str());
    let packet = passage.packet;
    if *owner == Owner::Firewalld {
        let zone = zone();
        return vec![format!(
            "firewall-cmd --zone={zone} --add-interface={bridge}"
        )];
    }
    let name = format!("{} {}", table.family, table.name);
    let chain = word(chain);
    let side = if packet.comes_in() {
        "oifname"
    } else {
        "iifname"
    };
    let interfaces = match table.family {
        // No name of an interface tells whose packets these are: an administrator has to look.
        Family::Netdev => return vec![format!("nft -a list chain {name} {chain}")],
        // Not every kernel knows the bridge there (`meta ibrname`), but its ports.
        Family::Bridge => {
            let ports: Vec<String> = passage.ports.iter().map(|port| word(port)).collect();
            match ports.as_slice() {
                [] => return vec![format!("nft -a list chain {name} {chain}")],
                [port] => format!("{side} {port}"),
                ports => format!("{side} \\{{ {} \\}}", ports.join(", ")),
            }
        }
        _ if packet.service().is_some() => format!("iifname {bridge}"),
        _ => format!("{side} {bridge}"),
    };
    let matches = match packet.service() {
        Some((protocol, port)) => format!(" {protocol} dport {port}"),
        None if packet.known_flow && table.family != Family::Bridge => {
            " ct state established,related".to_owned()
        }
        None => String::new(),
    };
    vec![format!(
        "nft insert rule {name} {chain} {interfaces}{matches} accept"
    )]
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
