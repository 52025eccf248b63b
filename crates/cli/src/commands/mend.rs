//! `verify`, `repair` and `recover`: what is recorded, and what stands.

use palisade::network::Name;
use palisade::{EngineError, Firewall, Recovered};
use serde_json::json;

use super::change;
use crate::arguments::Named;
use crate::failure::Failure;
use crate::output::Outcome;

/// Each difference in one line; exit code 3 if there is one.
pub(super) fn verify(firewall: &mut Firewall, named: &Named) -> Result<Outcome, Failure> {
    let differences = firewall.verify(&names(named)?)?;
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
    change::report(&firewall.repair(&names(named)?)?, quiet)
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

/// What cannot be a name is nobody's.
fn names(named: &Named) -> Result<Vec<Name>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            let shown = text.escape_debug();
            Failure::new(
                format!("no network named `{shown}` is running; nothing was changed"),
                EngineError::Unknown { names: Vec::new() }.hint(),
            )
        })
    };
    named.names.iter().map(parse).collect()
}
