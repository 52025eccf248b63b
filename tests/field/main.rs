//! Packets as they come in the field: kinds that conntrack makes nothing of, forged sources, and what
//! stays on a bridge. Each is really sent, by each backend and layout, with what must come of it.
//!
//! `mapped` must hold the documented differences 3 to 6; the others are libvirt's, and the test says which
//! of libvirt's holes they have.

mod bridged;
mod forged;
mod isolated;
mod lab;
mod untranslated;

use std::process::ExitCode;

use palisade_tests::Trials;
use palisade_tests::place::Place;

type Test = fn(Place);

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for place in Place::ALL {
        let tests: [(&str, Test); 5] = [
            (
                "packets of no connection",
                untranslated::leave_as_documented,
            ),
            ("forged sources", forged::get_no_answer),
            (
                "a forged packet and a connection of others",
                forged::enter_no_connection,
            ),
            ("what stays on the bridge", bridged::keeps_its_source),
            ("isolated ports", isolated::do_not_meet_by_the_host),
        ];
        for (name, test) in tests {
            trials = trials.with(format!("{place:?}: {name}"), move || test(place));
        }
    }
    palisade_tests::run_side_by_side(trials, 3)
}
