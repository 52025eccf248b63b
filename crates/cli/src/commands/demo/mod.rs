//! `demo`: everything once, where it cannot hurt.

mod live;
mod sandbox;
mod scratch;
mod told;

use std::time::Duration;

use palisade::definition::{self, Source};
use palisade::words::in_words;
use palisade::{BackendChoice, Choice, Firewall, Network, Options, Record};
use serde_json::json;

use super::list::list;
use crate::failure::Failure;
use crate::output::{Outcome, table};
use live::delete_table;
use scratch::Scratch;
use told::{Said, Told};

/// How long a change waits to be confirmed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What libvirt's users know as the default network, with IPv6.
const DEFAULT: &str = r#"<network>
  <name>default</name>
  <forward mode="nat"><nat ipv6="yes"/></forward>
  <bridge name="virbr0"/>
  <ip address="192.168.122.1" netmask="255.255.255.0">
    <dhcp><range start="192.168.122.2" end="192.168.122.254"/></dhcp>
  </ip>
  <ip family="ipv6" address="fd00:122::1" prefix="64"/>
</network>
"#;
/// The same network with source ports of its own.
const DEFAULT_CHANGED: &str = r#"<network>
  <name>default</name>
  <forward mode="nat">
    <nat ipv6="yes"><port start="20000" end="29999"/></nat>
  </forward>
  <bridge name="virbr0"/>
  <ip address="192.168.122.1" netmask="255.255.255.0">
    <dhcp><range start="192.168.122.2" end="192.168.122.254"/></dhcp>
  </ip>
  <ip family="ipv6" address="fd00:122::1" prefix="64"/>
</network>
"#;
const LAB: &str = r#"<network>
  <name>lab</name>
  <forward mode="route"/>
  <bridge name="virbr1"/>
  <ip address="10.20.0.1" prefix="25"/>
</network>
"#;
const QUIET: &str = r#"<network>
  <name>quiet</name>
  <bridge name="virbr2"/>
  <ip address="10.30.0.1" prefix="24"/>
</network>
"#;

pub(super) fn demo() -> Result<Outcome, Failure> {
    let place = sandbox::enter()?;
    let state = Scratch::new().map_err(|error| {
        Failure::new(
            format!("cannot make a temporary folder: {}", in_words(&error)),
            "TMPDIR names another folder for what is temporary",
        )
    })?;
    let options = Options {
        state_directory: Some(state.path().to_owned()),
        choice: Choice {
            backend: Some(BackendChoice::Nftables),
            ..Choice::default()
        },
        ..Options::default()
    };
    let mut firewall = Firewall::open(&options)?;
    let mut told = Told::default();
    told.say(&format!(
        "This runs in {place} that nobody else sees.\nThe host's rules are not touched, and \
         nothing stays when it ends.\n"
    ));

    told.head("Three networks: one behind NAT, one routed, one isolated");
    for definition in [DEFAULT, LAB, QUIET] {
        told.say(definition);
    }
    let said = Said::new(state.path(), [DEFAULT, LAB, QUIET])?;
    said.tell(&mut told, "check networks")?;
    said.begin(&mut told, "render --layout flat networks")?;
    for line in ["compare networks", "plan networks"] {
        said.tell(&mut told, line)?;
    }
    told.head("palisade apply: one netlink batch, all or nothing");
    let networks = [DEFAULT, LAB, QUIET].map(network);
    let networks: Vec<Network> = networks
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    told.report(&firewall.apply(&networks)?)?;

    let running = firewall.running()?;
    told.head("palisade list");
    told.say(&list(&firewall.overview()?)?.text);
    told.head("What stands in the kernel now, as `nft list ruleset` would show it");
    told.say(&firewall.listing(&running)?);
    told.head("What each of it is for");
    told.say(&purposes(&mut firewall, &running)?);

    for line in [
        "show quiet",
        "explain --from default --to world",
        "explain --from quiet --to default",
        "counters",
        "verify",
    ] {
        said.tell(&mut told, line)?;
    }
    told.head("Another program deletes a table: nft delete table ip palisade");
    match delete_table() {
        Ok(()) => {
            for line in ["verify", "repair"] {
                said.tell(&mut told, line)?;
            }
        }
        Err(reason) => told.say(&format!("SKIPPED: {reason}\n")),
    }
    live::watch_one(&options, &mut told)?;
    live::trace_one(&mut firewall, &mut told)?;
    said.tell(&mut told, "doctor")?;
    said.tell(&mut told, "recover")?;

    told.head("The same again: nothing to do, nothing sent");
    told.report(&firewall.apply(&networks)?)?;
    told.head("palisade apply --confirm 60: NAT shall use the ports 20000 to 29999");
    let (report, waits) = firewall.apply_unconfirmed(&network(DEFAULT_CHANGED)?, PATIENCE)?;
    told.report(&report)?;
    if let Some(change) = waits {
        told.say(&format!(
            "taken back at {:.0} unless somebody confirms it\n",
            change.until
        ));
    }
    said.tell(&mut told, "confirm")?;
    told.head("What of it stands in the kernel");
    let changed = firewall.listing(&running)?;
    let lines = changed.lines().filter(|line| line.contains("20000"));
    told.say(&lines.fold(String::new(), |text, line| text + line.trim() + "\n"));
    said.tell(&mut told, "sync networks")?;

    told.head("palisade migrate --to iptables: the same through iptables-restore, without a gap");
    let iptables = Choice {
        backend: Some(BackendChoice::Iptables),
        ..Choice::default()
    };
    match firewall.migrate(&iptables) {
        Ok(report) => {
            told.report(&report)?;
            let moved = firewall.running()?;
            told.say("\n");
            told.say(&list(&firewall.overview()?)?.text);
            told.say("\n");
            told.say(&firewall.listing(&moved)?);
            told.head("palisade migrate --to nftables: and back");
            let nftables = Choice {
                backend: Some(BackendChoice::Nftables),
                ..Choice::default()
            };
            told.report(&firewall.migrate(&nftables)?)?;
        }
        // The programs may be missing, or not let plain users near their lock.
        Err(error) => told.say(&format!("SKIPPED, since it does not work here: {error}\n")),
    }

    told.head("palisade remove --all");
    told.report(&firewall.remove_all()?)?;
    let left = firewall.listing(&running)?;
    told.head("What is left");
    told.say(if left.is_empty() {
        "nothing: no table, no network\n"
    } else {
        &left
    });
    let json = json!({ "nothing_left": left.is_empty() });
    if left.is_empty() {
        Ok(Outcome::new(told.0, &json))
    } else {
        Err(Failure::new(
            "something was left behind",
            "please report it",
        ))
    }
}

fn network(text: &str) -> Result<Vec<Network>, Failure> {
    let source = Source::at("demo.xml".as_ref());
    definition::parse(&source, text.as_bytes()).map_err(|error| Failure::Definitions(vec![error]))
}

/// Each purpose once for each network, with its counted rules and elements.
fn purposes(firewall: &mut Firewall, running: &[Record]) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for record in running {
        let name = record.network.name();
        let mut seen = Vec::new();
        for standing in firewall.show(name)?.standing {
            let Some(purpose) = standing.purpose else {
                continue;
            };
            let family = standing.family;
            if !seen.contains(&(family, purpose)) {
                seen.push((family, purpose));
                rows.push(vec![
                    name.to_string(),
                    family.to_string(),
                    purpose.to_string(),
                    purpose.explanation().to_owned(),
                ]);
            }
        }
    }
    Ok(table(
        &["NETWORK", "FAMILY", "PURPOSE", "WHAT IT DOES"],
        rows,
    ))
}
