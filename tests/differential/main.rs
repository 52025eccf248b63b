//! The evaluators against the kernel: random tables, some that no layout of ours would make, and
//! random packets really sent through them. Of nf_tables the kernel tells of each rule that applied to
//! a packet, and what became of it; of iptables, what rules counted is compared (`saved/`). The
//! evaluator, given what a dump finds, must say the same.

mod extent;
mod nature;
mod packets;
mod router;
mod rulesets;
mod saved;
mod tally;
mod verdict;
mod way_out;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use palisade_tests::{Chance, trials};

use extent::{EACH, how_many};
use nature::Nature;
use packets::Headers;
use router::Router;
use tally::Tally;

/// How many are sent before it is listened to what became of them.
const AT_ONCE: usize = 125;

fn main() -> ExitCode {
    palisade_tests::run(trials![the_evaluator_is_right_about_the_kernel].and(saved::trials()))
}

fn the_evaluator_is_right_about_the_kernel() {
    let mut chance = Chance::new();
    let seed = chance.seed();
    println!("seed {seed}: PALISADE_TEST_SEED={seed} has the same rules and packets again");
    let router = Router::new();
    let mut nature = Nature::of(&router);
    let mut tally = Tally::default();
    let began = Instant::now();
    while tally.packets < how_many() {
        let text = rulesets::text(&mut chance);
        let loaded = router.host.try_nft(&format!("{text}\n"));
        assert_eq!(loaded.code, Some(0), "seed {seed}: {loaded}\n{text}");
        let tables = nature.tables();
        for _ in 0..EACH / AT_ONCE {
            let sent = router.send(&mut chance, AT_ONCE, Headers::SomeCut).len();
            let heard = nature.hear(sent);
            // Of two that look the same, the tracer may take the second for the first one, if nobody
            // told what became of that.
            tally.vanished += sent - heard.len();
            assert!(heard.len() * 2 > sent, "seed {seed}: packets are missing");
            for packet in &heard {
                tally.take(&verdict::compare(&tables, packet, |difference| {
                    let mut nft = Command::new("nft");
                    let listed = router.host.answer(nft.args(["-as", "list", "ruleset"]), "");
                    panic!("seed {seed}: {difference}\n{}", listed.stdout)
                }));
            }
        }
        // Flows are kept, so that there are known ones; their rules are not.
        router.host.nft(&rulesets::without(&tables));
    }
    let time = began.elapsed();
    println!("{tally:?} in {:.1} s", time.as_secs_f64());
    tally.check(time);
}

impl Tally {
    fn take(&mut self, seen: &verdict::Seen) {
        self.packets += 1;
        self.unsure += usize::from(seen.is_unsure);
        self.vanished += usize::from(seen.has_vanished);
        self.met(seen.verdict);
        self.translated += usize::from(seen.is_translated);
        self.known_flows += usize::from(seen.is_known);
        self.rules += seen.rules;
    }

    fn check(&self, time: Duration) {
        let twentieth = self.packets / 20;
        let told = format!("{self:?} in {time:?}");
        for seen in [self.passed, self.dropped, self.rejected] {
            assert!(seen > twentieth, "{told}");
        }
        // Only the first packet of a connection that gets that far is translated.
        assert!(self.translated > twentieth / 20, "{told}");
        assert!(self.known_flows > twentieth / 5, "{told}");
        assert!(self.rules > self.packets, "{told}");
        for rare in [self.unsure, self.vanished] {
            assert!(rare <= twentieth, "{told}");
        }
    }
}
