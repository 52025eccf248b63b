//! Several at once: two of our processes, and others that change the ruleset all the while.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use palisade_tests::{Dump, Namespace, Palisade, Trials};

use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for (place, rounds) in [
        (Place::Mapped, 100),
        (Place::Flat, 50),
        (Place::Legacy, 100),
        (Place::Nft, 100),
    ] {
        let name = format!("{place:?}: two processes, {rounds} rounds amid others' commits");
        trials = trials.with(name, move || two_amid_others(place, rounds));
    }
    trials
}

fn two_amid_others(place: Place, rounds: usize) {
    let namespace = Namespace::new();
    namespace.nft("table inet theirs { set s { type ipv4_addr; elements = { 192.0.2.1 }; }; }\n");
    let theirs = || Dump::table(&namespace, "inet", "theirs");
    let before = theirs();
    let palisade = place.palisade(&namespace);
    let is_done = AtomicBool::new(false);
    let commits = thread::scope(|scope| {
        let noise = scope.spawn(|| foreign_commits(&namespace, &is_done, pause(place)));
        let workers = [[1, 2], [3, 4]].map(|mine| {
            let palisade = &palisade;
            scope.spawn(move || in_turn(palisade, mine, rounds))
        });
        let ended = workers.map(thread::ScopedJoinHandle::join);
        is_done.store(true, Ordering::Relaxed);
        for worker in ended {
            worker.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        noise.join().expect("the noise")
    });
    assert!(commits > rounds, "only {commits} commits of others");
    assert_eq!(palisade.running(), ["net2", "net4"]);
    assert_clean(&palisade);
    assert_eq!(theirs(), before);
    palisade.ok(["remove", "--all"]);
    assert_eq!(place.standing(&namespace).trim(), "");
    assert_eq!(theirs(), before);
}

/// Between others' commits. A program of iptables takes long enough to meet many of them, and two
/// processors are soon busy with nothing else.
fn pause(place: Place) -> Duration {
    match place {
        Place::Mapped | Place::Flat => Duration::ZERO,
        Place::Legacy | Place::Nft => Duration::from_millis(5),
    }
}

/// Now the one runs, now the other; at the end the second.
fn in_turn(palisade: &Palisade<'_>, [one, other]: [u8; 2], rounds: usize) {
    let (first, second) = (net(one), net(other));
    for round in 0..rounds / 2 {
        palisade.apply([&first]).stdout();
        if round > 0 {
            palisade.ok(["remove", &second.name]);
        }
        palisade.apply([&second]).stdout();
        palisade.ok(["remove", &first.name]);
    }
}

/// An element of the set `s` of the table `theirs` comes and goes, in a commit each, as fast as `nft`
/// can but for this pause; how many commits.
pub(crate) fn foreign_commits(
    namespace: &Namespace,
    is_done: &AtomicBool,
    pause: Duration,
) -> usize {
    let mut nft = Command::new("nft");
    nft.arg("-i").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut nft = namespace.inside(|| nft.spawn().expect("start `nft -i`"));
    let mut stdin = nft.stdin.take().expect("its standard input");
    let mut commits = 0;
    while !is_done.load(Ordering::Relaxed) {
        for change in ["add", "delete"] {
            writeln!(stdin, "{change} element inet theirs s {{ 192.0.2.2 }}").expect("tell nft");
            commits += 1;
        }
        thread::sleep(pause);
    }
    writeln!(stdin, "quit").expect("tell nft to end");
    drop(stdin);
    let status = nft.wait().expect("wait for nft");
    assert!(status.success(), "{status}");
    commits
}
