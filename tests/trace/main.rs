//! `palisade trace`: real packets, seen by it on their way; and that nothing of it stays.

mod ends;
mod paths;
mod site;

use std::process::ExitCode;

use palisade_tests::trials;

use ends::{
    ends_after_its_count, ends_after_its_time, ends_with_a_signal, questions_in_vain,
    says_what_it_missed, says_why_nothing_more_came, vanishes_when_it_is_killed,
};
use paths::{
    answers_and_translations, destinations_that_are_translated,
    each_rule_is_the_one_that_nft_lists, known_flows_first, leaves_others_out, of_iptables_nft,
    others_that_drop, to_the_host, what_is_not_tracked_is_not_translated, within_legacy_tables,
};

fn main() -> ExitCode {
    let trials = trials![
        each_rule_is_the_one_that_nft_lists,
        answers_and_translations,
        destinations_that_are_translated,
        known_flows_first,
        what_is_not_tracked_is_not_translated,
        leaves_others_out,
        others_that_drop,
        to_the_host,
        of_iptables_nft,
        within_legacy_tables,
        ends_after_its_count,
        ends_after_its_time,
        says_why_nothing_more_came,
        ends_with_a_signal,
        questions_in_vain,
        vanishes_when_it_is_killed,
        says_what_it_missed,
    ];
    // They mostly wait.
    palisade_tests::run_side_by_side(trials, 4)
}
