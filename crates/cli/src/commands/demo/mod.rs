//! `demo`: everything once, where it cannot hurt.

mod live;
mod sandbox;
mod scratch;
mod transcript;

use std::time::Duration;

use palisade::definition::{self, Source};
use palisade::words::in_words;
use palisade::{BackendChoice, Choice, ErrorKind, Firewall, Network, Options, Record};
use serde_json::json;

use super::list::list;
use crate::arguments::Listed;
use crate::failure::Failure;
use crate::interrupt;
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
            ErrorKind::System,
            format!("cannot make a temporary folder: {}", in_words(&error)),
            "TMPDIR names another folder for what is temporary",
        )
    })?;
    interrupt::end_command(state.remover());
    let options = Options {
        state_directory: Some(state.path().to_owned()),
        choice: on(BackendChoice::Nftables),
        ..Options::default()
    };
    let mut demo = Demo {
        firewall: Firewall::open(&options)?,
        command_lines: CommandLines::new(command, state.path(), [DEFAULT, LAB, QUIET])?,
        transcript: Transcript::default(),
        options,
    };
    demo.transcript.text(&format!(
        "This runs in {place} that nobody else sees.\nThe host's rules are not touched, and \
         nothing stays when it ends.\n"
    ));
    let networks: Result<Vec<_>, _> = [DEFAULT, LAB, QUIET].into_iter().map(network).collect();
    let networks = networks?.concat();
    demo.definitions()?;
    demo.start(&networks)?;
    demo.inspect()?;
    demo.change(&networks)?;
    demo.migrate()?;
    demo.remove()
}

/// A demonstration under way.
struct Demo {
    options: Options,
    firewall: Firewall,
    command_lines: CommandLines,
    transcript: Transcript,
}

impl Demo {
    fn show(&mut self, lines: &[&str]) -> Result<(), Failure> {
        for line in lines {
            self.command_lines.show(&mut self.transcript, line)?;
        }
        Ok(())
    }

    fn definitions(&mut self) -> Result<(), Failure> {
        self.transcript
            .heading("Three networks: one behind NAT, one routed, one isolated");
        for definition in [DEFAULT, LAB, QUIET] {
            self.transcript.text(definition);
        }
        self.show(&["check networks"])?;
        self.command_lines
            .show_first_lines(&mut self.transcript, "render --layout flat networks")?;
        self.show(&["compare networks", "plan networks"])
    }

    fn start(&mut self, networks: &[Network]) -> Result<(), Failure> {
        let transcript = &mut self.transcript;
        transcript.heading("palisade apply: one netlink batch, all or nothing");
        transcript.report(&self.firewall.apply(networks)?)?;
        let running = self.firewall.running()?;
        transcript.heading("palisade list");
        transcript.text(&list(&self.firewall.overview()?, &Listed::default())?.text);
        transcript.heading("What stands in the kernel now, as `nft list ruleset` would show it");
        transcript.text(&self.firewall.listing(&running)?);
        transcript.heading("What each of it is for");
        transcript.text(&purposes(&mut self.firewall, &running)?);
        Ok(())
    }

    fn inspect(&mut self) -> Result<(), Failure> {
        self.show(&[
            "show quiet",
            // There are no interfaces here: with --out, the rules alone are asked.
            "explain --from default --to world --out eth0",
            "explain --from quiet --to default --out virbr0",
            "block default/192.168.122.11",
            "explain --from default/192.168.122.11 --to world --out eth0",
            "unblock default/192.168.122.11",
            "counters",
            "graph",
            "verify",
        ])?;
        self.transcript
            .heading("Another program deletes a table: nft delete table ip palisade");
        match delete_table() {
            Ok(()) => self.show(&["verify", "repair"])?,
            Err(reason) => self.transcript.text(&format!("SKIPPED: {reason}\n")),
        }
        live::watch_one(&self.options, &mut self.transcript)?;
        live::trace_one(&mut self.firewall, &mut self.transcript)?;
        self.show(&["doctor", "recover"])
    }

    fn change(&mut self, networks: &[Network]) -> Result<(), Failure> {
        let (firewall, transcript) = (&mut self.firewall, &mut self.transcript);
        transcript.heading("The same again: nothing to do, nothing sent");
        transcript.report(&firewall.apply(networks)?)?;
        transcript.heading("palisade apply --confirm 60: NAT shall use the ports 20000 to 29999");
        let (report, waits) = firewall.apply_unconfirmed(&network(DEFAULT_CHANGED)?, PATIENCE)?;
        transcript.report(&report)?;
        if let Some(change) = waits {
            transcript.text(&format!(
                "taken back at {:.0} unless somebody confirms it\n",
                change.until
            ));
        }
        self.show(&["confirm"])?;
        self.transcript.heading("What of it stands in the kernel");
        let running = self.firewall.running()?;
        let changed = self.firewall.listing(&running)?;
        let lines = changed.lines().filter(|line| line.contains("20000"));
        let lines = lines.fold(String::new(), |text, line| text + line.trim() + "\n");
        self.transcript.text(&lines);
        self.show(&["sync networks"])
    }

    fn migrate(&mut self) -> Result<(), Failure> {
        let (firewall, transcript) = (&mut self.firewall, &mut self.transcript);
        transcript.heading(
            "palisade migrate --to iptables: the same through iptables-restore, without a gap",
        );
        match firewall.migrate(&on(BackendChoice::Iptables)) {
            Ok(report) => {
                transcript.report(&report)?;
                let moved = firewall.running()?;
                transcript.text("\n");
                transcript.text(&list(&firewall.overview()?, &Listed::default())?.text);
                transcript.text("\n");
                transcript.text(&firewall.listing(&moved)?);
                transcript.heading("palisade migrate --to nftables: and back");
                transcript.report(&firewall.migrate(&on(BackendChoice::Nftables))?)
            }
            // The programs may be missing, or not let plain users near their lock.
            Err(error) => {
                let skipped = format!("SKIPPED, since it does not work here: {error}\n");
                transcript.text(&skipped);
                Ok(())
            }
        }
    }

    fn remove(mut self) -> Result<Outcome, Failure> {
        let (firewall, mut transcript) = (&mut self.firewall, self.transcript);
        let running = firewall.running()?;
        transcript.heading("palisade remove --all");
        transcript.report(&firewall.remove_all()?)?;
        let left = firewall.listing(&running)?;
        transcript.heading("What is left");
        if !left.is_empty() {
            return Err(Failure::new(
                ErrorKind::Internal,
                "something was left behind",
                "please report it",
            ));
        }
        transcript.text("nothing: no table, no network\n");
        Ok(Outcome::new(transcript.0, &json!({ "nothing_left": true })))
    }
}

fn on(backend: BackendChoice) -> Choice {
    Choice {
        backend: Some(backend),
        ..Choice::default()
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
