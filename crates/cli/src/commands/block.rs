//! `block` and `unblock`: guests that are cut off, and let in again.

use palisade::Firewall;
use palisade::network::Guest;

use super::change;
use crate::arguments::Guests;
use crate::failure::Failure;
use crate::output::Outcome;

/// What blocking a guest does not do.
const ON_THE_BRIDGE: &str = "guests of the same bridge still reach it: frames that stay on a bridge do not \
     pass the host's rules";

pub(super) fn block(
    firewall: &mut Firewall,
    guests: &Guests,
    quiet: bool,
) -> Result<Outcome, Failure> {
    let mut report = firewall.block(&parsed(guests)?)?;
    if !report.changes.is_empty() {
        report.notes.push(ON_THE_BRIDGE.to_owned());
    }
    change::report(&report, quiet)
}

pub(super) fn unblock(
    firewall: &mut Firewall,
    guests: &Guests,
    quiet: bool,
) -> Result<Outcome, Failure> {
    change::report(&firewall.unblock(&parsed(guests)?)?, quiet)
}

fn parsed(guests: &Guests) -> Result<Vec<Guest>, Failure> {
    let parse = |guest: &String| Ok(guest.parse::<Guest>()?);
    guests.guests.iter().map(parse).collect()
}
