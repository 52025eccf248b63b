//! The process is killed at any moment: once the state is opened again, all of the change has
//! happened, or nothing of it.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use palisade_tests::{Chance, Definition, Dump, Namespace, Palisade, Trials, assert_same};

use crate::crowd::foreign_commits;
use crate::kill;
use palisade_tests::place::{self, Place, assert_clean, recorded};

/// How often a process is killed in each trial, at least.
const KILLS: usize = 20;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    let ways: [(&str, Way); 3] = [
        ("apply and remove", apply_and_remove),
        ("replace", replace),
        ("sync", sync),
    ];
    for place in Place::ALL {
        for (name, way) in ways {
            let name = format!("{place:?}: killed during {name}");
            trials = trials.with(name, move || {
                let namespace = Namespace::new();
                let palisade = place.palisade(&namespace);
                let change = way(&palisade);
                change.kill_at_random(&[place], &namespace, &palisade);
            });
        }
    }
    for place in Place::OF_NFTABLES {
        let name = format!("{place:?}: killed amid others' commits");
        trials = trials.with(name, move || amid_others(place));
    }
    use Place::{Flat, Legacy, Mapped, Nft};
    let moves = [
        [Mapped, Flat],
        [Mapped, Legacy],
        [Mapped, Nft],
        [Flat, Legacy],
        [Legacy, Nft],
    ];
    for places in moves {
        let name = format!("killed during migrate: {places:?}");
        trials = trials.with(name, move || migrate(places));
    }
    trials
}

type Way = fn(&Palisade<'_>) -> Change;

/// The command that changes something, and the one that changes it back: each begins where the
/// other ends.
struct Change {
    commands: [Vec<OsString>; 2],
}

fn apply_and_remove(palisade: &Palisade<'_>) -> Change {
    palisade.apply(&[net(1), net(2)]).stdout();
    Change {
        commands: [
            on_files(palisade, "apply", &[net(3), net(4)]),
            ["remove", "net3", "net4"].map(OsString::from).to_vec(),
        ],
    }
}

fn replace(palisade: &Palisade<'_>) -> Change {
    palisade.apply(&[net(1), net(2)]).stdout();
    Change {
        commands: [
            on_files(palisade, "apply", &[routed(2)]),
            on_files(palisade, "apply", &[net(2)]),
        ],
    }
}

fn sync(palisade: &Palisade<'_>) -> Change {
    palisade.apply(&[net(1), net(2)]).stdout();
    Change {
        commands: [
            on_files(palisade, "sync", &[net(1), net(3)]),
            on_files(palisade, "sync", &[net(1), net(2)]),
        ],
    }
}

/// Whether a batch landed is not read from the ruleset's generation: that moves all the time.
fn amid_others(place: Place) {
    let namespace = Namespace::new();
    namespace.nft("table inet theirs { set s { type ipv4_addr; }; }\n");
    let palisade = place.palisade(&namespace);
    let change = apply_and_remove(&palisade);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let noise = scope.spawn(|| foreign_commits(&namespace, &is_done, Duration::ZERO));
        let kills = AssertUnwindSafe(|| change.kill_at_random(&[place], &namespace, &palisade));
        let killed = catch_unwind(kills);
        is_done.store(true, Ordering::Relaxed);
        let commits = noise.join().expect("the noise");
        killed.unwrap_or_else(|panic| resume_unwind(panic));
        assert!(commits > 100, "only {commits} commits of others");
    });
}

fn migrate(places: [Place; 2]) {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let applied = places[0].palisade(&namespace).sharing(&palisade);
    applied.apply(&[net(1), routed(2)]).stdout();
    let [here, there] = places;
    let change = Change {
        commands: [there, here].map(|place| place.migration().map(OsString::from).to_vec()),
    };
    change.kill_at_random(&places, &namespace, &palisade);
}

/// With a rule in every table of iptables.
fn net(i: u8) -> Definition {
    place::net(i).with_dhcp()
}

fn routed(i: u8) -> Definition {
    place::routed(i).with_dhcp()
}

fn on_files(palisade: &Palisade<'_>, command: &str, networks: &[Definition]) -> Vec<OsString> {
    let files = palisade.files(networks);
    let files = files.into_iter().map(PathBuf::into_os_string);
    std::iter::once(command.into()).chain(files).collect()
}

impl Change {
    fn kill_at_random(&self, places: &[Place], namespace: &Namespace, palisade: &Palisade<'_>) {
        let look = || {
            let standing: String = places.iter().map(|p| p.standing(namespace)).collect();
            Dump::expected(&(recorded(palisade) + &standing))
        };
        let start = look();
        let (end, mut took) = self.run_through(palisade, look);
        assert_same("there and back", ("before", &start), ("after", &look()));
        let sides = [start, end];
        assert_ne!(sides[0], sides[1]);

        let mut chance = Chance::new();
        let seed = chance.seed();
        let journal = kill::folder(palisade).join("journal");
        let (mut died, mut interrupted) = (0, 0);
        let mut side = 0;
        for kill in 0.. {
            // Some must come when the journal has begun, for which nf_tables leave little time.
            if kill >= KILLS && interrupted >= 3 {
                break;
            }
            assert!(kill < 10 * KILLS, "{interrupted} were interrupted");
            let told = format!("kill {kill} with PALISADE_TEST_SEED={seed}");
            let mut child = kill::start(namespace, palisade, &self.commands[side]);
            if chance.below(2) == 0 {
                // What happens before the kernel is touched takes the longest: on to the rest.
                kill::wait_for(&journal, &mut child);
                let part = [4, 16, 64][chance.below(3) as usize];
                thread::sleep(chance.shorter_than(took[side] / part));
            } else {
                thread::sleep(chance.shorter_than(took[side]));
            }
            let is_in_time = kill::kill(&mut child);
            died += usize::from(is_in_time);
            // The machine may be busier than when the time was taken, or less.
            took[side] = took[side] * if is_in_time { 9 } else { 6 } / 8;
            if chance.below(4) == 0 {
                let mut child = kill::start(namespace, palisade, ["recover"]);
                thread::sleep(chance.shorter_than(took[side]));
                kill::kill(&mut child);
            }
            interrupted += usize::from(journal.exists());
            if chance.below(4) == 0 {
                // Who only looks sees to it too, unless a program is still at work.
                let listed = palisade.answer(["list"]);
                assert_eq!(listed.code, Some(0), "{told}: {listed}");
            }
            let recovered = palisade.answer(["recover"]);
            assert_eq!(recovered.code, Some(0), "{told}: {recovered}");
            let found = look();
            side = match sides.iter().position(|side| *side == found) {
                Some(side) => side,
                None => {
                    // Shown against the one that it is closer to.
                    let near = usize::from(!is_record_of(&found, &sides[0]));
                    assert_same(&told, ("wholly", &sides[near]), ("found", &found));
                    unreachable!("it is neither before nor after")
                }
            };
            let verified = palisade.answer(["verify"]);
            assert_eq!(verified.code, Some(0), "{told}: {verified}");
            let again = palisade.ok(["recover"]);
            assert!(again.contains("nothing was interrupted"), "{told}: {again}");
        }
        assert!(
            died >= KILLS / 4,
            "only {died} of {KILLS} were killed before they ended"
        );
    }

    /// Both commands without a kill: what the first leaves, and how long each takes.
    fn run_through(
        &self,
        palisade: &Palisade<'_>,
        look: impl Fn() -> Dump,
    ) -> (Dump, [Duration; 2]) {
        let run = |command: &[OsString]| {
            let began = Instant::now();
            palisade.ok(command);
            began.elapsed()
        };
        let first = run(&self.commands[0]);
        assert_clean(palisade);
        let between = look();
        let second = run(&self.commands[1]);
        assert_clean(palisade);
        (between, [first, second])
    }
}

/// Whether both lists of networks are the same.
fn is_record_of(found: &Dump, side: &Dump) -> bool {
    let list = |dump: &Dump| dump.as_str().split("\n]").next().map(str::to_owned);
    list(found) == list(side)
}
