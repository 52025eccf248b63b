//! `demo`: everything once, where it cannot hurt.

mod live;
mod sandbox;
mod scratch;
mod transcript;

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
use transcript::{CommandLines, RunCommand, Transcript};

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

pub(super) fn demo(command: RunCommand) -> Result<Outcome, Failure> {
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
    let mut transcript = Transcript::default();
    transcript.text(&format!(
        "This runs in {place} that nobody else sees.\nThe host's rules are not touched, and \
         nothing stays when it ends.\n"
    ));

    transcript.heading("Three networks: one behind NAT, one routed, one isolated");
    for definition in [DEFAULT, LAB, QUIET] {
        transcript.text(definition);
    }
    let command_lines = CommandLines::new(command, state.path(), [DEFAULT, LAB, QUIET])?;
    command_lines.show(&mut transcript, "check networks")?;
    command_lines.show_first_lines(&mut transcript, "render --layout flat networks")?;
    for line in ["compare networks", "plan networks"] {
        command_lines.show(&mut transcript, line)?;
    }
    transcript.heading("palisade apply: one netlink batch, all or nothing");
    let networks = [DEFAULT, LAB, QUIET].map(network);
    let networks: Vec<Network> = networks
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    transcript.report(&firewall.apply(&networks)?)?;

    let running = firewall.running()?;
    transcript.heading("palisade list");
    transcript.text(&list(&firewall.overview()?)?.text);
    transcript.heading("What stands in the kernel now, as `nft list ruleset` would show it");
    transcript.text(&firewall.listing(&running)?);
    transcript.heading("What each of it is for");
    transcript.text(&purposes(&mut firewall, &running)?);

    for line in [
        "show quiet",
        "explain --from default --to world",
        "explain --from quiet --to default",
        "counters",
        "verify",
    ] {
        command_lines.show(&mut transcript, line)?;
    }
    transcript.heading("Another program deletes a table: nft delete table ip palisade");
    match delete_table() {
        Ok(()) => {
            for line in ["verify", "repair"] {
                command_lines.show(&mut transcript, line)?;
            }
        }
        Err(reason) => transcript.text(&format!("SKIPPED: {reason}\n")),
    }
    live::watch_one(&options, &mut transcript)?;
    live::trace_one(&mut firewall, &mut transcript)?;
    command_lines.show(&mut transcript, "doctor")?;
    command_lines.show(&mut transcript, "recover")?;

    transcript.heading("The same again: nothing to do, nothing sent");
    transcript.report(&firewall.apply(&networks)?)?;
    transcript.heading("palisade apply --confirm 60: NAT shall use the ports 20000 to 29999");
    let (report, waits) = firewall.apply_unconfirmed(&network(DEFAULT_CHANGED)?, PATIENCE)?;
    transcript.report(&report)?;
    if let Some(change) = waits {
        transcript.text(&format!(
            "taken back at {:.0} unless somebody confirms it\n",
            change.until
        ));
    }
    command_lines.show(&mut transcript, "confirm")?;
    transcript.heading("What of it stands in the kernel");
    let changed = firewall.listing(&running)?;
    let lines = changed.lines().filter(|line| line.contains("20000"));
    transcript.text(&lines.fold(String::new(), |text, line| text + line.trim() + "\n"));
    command_lines.show(&mut transcript, "sync networks")?;

    transcript.heading(
        "palisade migrate --to iptables: the same through iptables-restore, without a gap",
    );
    let iptables = Choice {
        backend: Some(BackendChoice::Iptables),
        ..Choice::default()
    };
    match firewall.migrate(&iptables) {
        Ok(report) => {
            transcript.report(&report)?;
            let moved = firewall.running()?;
            transcript.text("\n");
            transcript.text(&list(&firewall.overview()?)?.text);
            transcript.text("\n");
            transcript.text(&firewall.listing(&moved)?);
            transcript.heading("palisade migrate --to nftables: and back");
            let nftables = Choice {
                backend: Some(BackendChoice::Nftables),
                ..Choice::default()
            };
            transcript.report(&firewall.migrate(&nftables)?)?;
        }
        // The programs may be missing, or not let plain users near their lock.
        Err(error) => transcript.text(&format!("SKIPPED, since it does not work here: {error}\n")),
    }

    transcript.heading("palisade remove --all");
    transcript.report(&firewall.remove_all()?)?;
    let left = firewall.listing(&running)?;
    transcript.heading("What is left");
    transcript.text(if left.is_empty() {
        "nothing: no table, no network\n"
    } else {
        &left
    });
    let json = json!({ "nothing_left": left.is_empty() });
    if left.is_empty() {
        Ok(Outcome::new(transcript.0, &json))
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
