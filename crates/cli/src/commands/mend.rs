//! `verify`, `repair` and `recover`: what is recorded, and what stands.

use palisade::{Firewall, Recovered};
use serde_json::json;

use super::{change, names};
use crate::arguments::Named;
use crate::failure::Failure;
use crate::output::Outcome;

/// Each difference in one line; exit code 3 if there is one.
pub(super) fn verify(firewall: &mut Firewall, named: &Named) -> Result<Outcome, Failure> {
    let differences = firewall.verify(&names(&named.names)?)?;
    let mut text = String::new();
    for found in &differences {
        let network = found.network.as_ref();
        let network = network.map_or(String::new(), |name| format!("network {name}: "));
        let (object, kind, detail) = (&found.object, found.kind, &found.detail);
        text.push_str(&format!("{kind}: {network}{object}: {detail}\n"));
    }
    if differences.is_empty() {
        text.push_str("the kernel is as it is recorded\n");
    }
    let clean = differences.is_empty();
    let json = json!({ "clean": clean, "differences": differences });
    Ok(Outcome::new(text, &json).with_code(if clean { 0 } else { 3 }))
}

pub(super) fn repair(
    firewall: &mut Firewall,
    named: &Named,
    quiet: bool,
) -> Result<Outcome, Failure> {
    change::report(&firewall.repair(&names(&named.names)?)?, quiet)
}

pub(super) fn recover(firewall: &mut Firewall) -> Result<Outcome, Failure> {
    let recovered = firewall.recover()?;
    let text = match recovered {
        Recovered::Nothing => "nothing was interrupted\n",
        Recovered::Finished => "an interrupted transaction was finished\n",
        Recovered::Undone => "an interrupted transaction was undone\n",
    };
    Ok(Outcome::new(
        text.to_owned(),
        &json!({ "recovered": recovered }),
    ))
}
