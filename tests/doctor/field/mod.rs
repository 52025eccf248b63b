//! Outages from the field, rebuilt small. Each is shown by real packets, found by `doctor`, and ended by
//! the commands that it prints, which is shown by the same packets.
//!
//! ```text
//!   guests .10, .11 ---- virbr0 192.168.122.1/24 [ host ] enp1 203.0.113.2 ---- 203.0.113.1 world
//! ```

mod filters;
mod healthy;
mod outage;
mod routes;
mod site;

use palisade_tests::Trials;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    trials = filters::add_to(trials);
    trials = routes::add_to(trials);
    healthy::add_to(trials)
}
