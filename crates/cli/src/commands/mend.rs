//! `verify`, `repair` and `recover`: what is recorded, and what stands.

use palisade::words::shown;
use palisade::{Adopted, Firewall, Reason, Recovered};
use palisade_inspect::{Consequence, Inspector};
use serde_json::json;

use super::change;
use super::open::names;
use crate::arguments::{Named, Recovery};
use crate::failure::Failure;
use crate::output::{Outcome, wrapped};

/// What networks lack that were adopted without their definitions.
const NOT_SAID: &str = "rules do not say all of a definition: apply definitions again for MTU and zone; in \
     nftables also for TFTP, and for DHCP without a checksum rule; in layout `mapped` also for IPv6 among \
     guests without an IPv6 subnet; in layout `flat` and iptables also for subnets of isolated networks";

/// Each difference in one line, and what they mean; exit code 3 if there is one.
pub(super) fn verify(firewall: &mut Firewall, named: &Named) -> Result<Outcome, Failure> {
    let differences = firewall.verify(&names(&named.names)?)?;
    let mut text = String::new();
    for found in &differences {
        let network = found.network.as_ref();
        let network = network.map_or(String::new(), |name| format!("network {name}: "));
        let (object, kind) = (shown(&found.object), found.kind);
        let detail = shown(&found.detail);
        text.push_str(&format!("{kind}: {network}{object}: {detail}\n"));
    }
    let clean = differences.is_empty();
    let consequence = if clean {
        text.push_str("the kernel is as it is recorded\n");
        Consequence::None
    } else {
        let consequence = Inspector::of(firewall).consequence(&differences)?;
        text.push_str(&meaning(&consequence));
        consequence
    };
    let json = json!({ "clean": clean, "differences": differences, "consequence": consequence });
    Ok(Outcome::new(text, &json).with_code(if clean { 0 } else { 3 }))
}

/// What all the differences together mean, below them: in lines that fit the terminal, since nobody
/// copies them.
fn meaning(consequence: &Consequence) -> String {
    match consequence {
        Consequence::Packet(example) => {
            let meant = format!("so {}", example.detail);
            let packet = format!(
                "such as {}: {}, and should be {}",
                example.packet, example.actual, example.expected
            );
            format!("\n{}\n  {}\n", wrapped(&meant, 2), wrapped(&packet, 4))
        }
        Consequence::Open { detail } => {
            let unsure = format!("what that means for packets is not sure: {detail}");
            format!("\n{}\n", wrapped(&unsure, 2))
        }
        _ => "\nno packet is accepted, refused or translated otherwise\n".to_owned(),
    }
}

pub(super) fn repair(
    firewall: &mut Firewall,
    named: &Named,
    quiet: bool,
) -> Result<Outcome, Failure> {
    let report = firewall.repair(&names(&named.names)?)?;
    change::applied(firewall, report, quiet)
}

pub(super) fn recover(
    firewall: &mut Firewall,
    Recovery { adopt }: &Recovery,
) -> Result<Outcome, Failure> {
    let recovered = firewall.recover()?;
    let mut text = match recovered {
        Recovered::Nothing => "nothing was interrupted\n",
        Recovered::Finished => "an interrupted transaction was finished\n",
        Recovered::Undone => "an interrupted transaction was undone\n",
    }
    .to_owned();
    let mut json = json!({ "recovered": recovered });
    let mut is_left = false;
    if *adopt {
        let adopted = firewall.adopt()?;
        json["adopted"] = json!(adopted.networks);
        json["left"] = json!(adopted.left);
        text.push_str(&lines(&adopted));
        // What is in another table may be another program's.
        let mut left = adopted.left.iter();
        is_left = left.any(|left| left.reason != Reason::Elsewhere);
    }
    Ok(Outcome::new(text, &json).with_code(u8::from(is_left)))
}

/// Each network in one line, and what records lack that were made from rules.
fn lines(adopted: &Adopted) -> String {
    let mut text = String::new();
    for name in &adopted.networks {
        text.push_str(&format!("+ {name}: adopted\n"));
    }
    for left in &adopted.left {
        text.push_str(&format!("{left}\n"));
    }
    match (adopted.networks.is_empty(), adopted.left.is_empty()) {
        (true, true) => {
            text.push_str("nothing to adopt: no rules are installed without a record\n");
        }
        (true, false) => {}
        (false, _) => {
            text.push_str(&wrapped(NOT_SAID, 0));
            text.push('\n');
        }
    }
    text
}
