//! The command is killed while a program of iptables is at work on 20,000 lines: the program goes
//! on, and whoever comes next waits for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::Duration;

use palisade_tests::{Definition, Namespace, Palisade, Trials};

use crate::kill;
use palisade_tests::place::{Place, assert_clean, recorded};

const NETWORKS: u16 = 410;
const SUBNETS: u16 = 10;
/// How many lines one run of a program reads: five rules for NAT for each subnet.
const LINES: usize = 20_000;
/// The runs of an `apply`: the table filter, and then nat, which has the most lines.
const RUNS: usize = 2;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::OF_IPTABLES {
        let name = format!("{place:?}: killed while the program is at work on {LINES} lines");
        trials = trials.with(name, move || killed_at_work(place));
    }
    trials
}

fn killed_at_work(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&palisade_tests::place::net(200)]).stdout();
    let look = || recorded(&palisade) + &place.standing(&namespace);
    let before = look();
    let mut apply = vec![OsString::from("apply")];
    apply.extend(
        palisade
            .files(&many())
            .into_iter()
            .map(PathBuf::into_os_string),
    );
    // The machine may be so busy that a kill comes too late.
    let has_outlived = [20, 5, 0].into_iter().any(|delay| {
        let mut child = kill::start(&namespace, &palisade, &apply);
        kill::wait_for(&kill::folder(&palisade).join("journal"), &mut child);
        let program = wait_for_run(&mut child);
        thread::sleep(Duration::from_millis(delay));
        kill::kill(&mut child);
        let outlives = program.as_deref().is_some_and(is_at_work);
        palisade.ok(["recover"]);
        assert!(
            !program.as_deref().is_some_and(is_at_work),
            "the program is still at work"
        );
        assert_whole(place, &namespace, &palisade, (&before, &look()));
        outlives
    });
    assert!(has_outlived, "no program outlived the command");
}

/// Whether it has not ended; one that nobody waited for yet has no file any more.
fn is_at_work(program: &Path) -> bool {
    program.join("exe").read_link().is_ok()
}

/// Waits until the last program runs; where it is in `/proc`. None if the command ended first.
fn wait_for_run(child: &mut Child) -> Option<PathBuf> {
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let mut runs: Vec<String> = Vec::new();
    while child.try_wait().expect("look at the command").is_none() {
        let listed = std::fs::read_to_string(&children).unwrap_or_default();
        for program in listed.split_whitespace() {
            if !runs.iter().any(|run| run == program) {
                runs.push(program.to_owned());
            }
        }
        if runs.len() == RUNS {
            return runs.pop().map(|run| Path::new("/proc").join(run));
        }
    }
    None
}

/// All of it stands, or nothing; and what stands is recorded.
#[track_caller]
fn assert_whole(
    place: Place,
    namespace: &Namespace,
    palisade: &Palisade<'_>,
    (before, now): (&str, &str),
) {
    assert_clean(palisade);
    let again = palisade.ok(["recover"]);
    assert!(again.contains("nothing was interrupted"), "{again}");
    if now == before {
        return;
    }
    let standing = place.standing(namespace);
    let nat = standing
        .lines()
        .filter(|l| l.contains("PRT -s 10."))
        .count();
    assert!(nat > LINES, "{nat} rules of NAT");
    assert_eq!(palisade.running().len(), usize::from(NETWORKS) + 1);
    let names = (0..NETWORKS).map(|i| format!("many{i}"));
    let remove = std::iter::once("remove".to_owned()).chain(names);
    palisade.ok(remove.collect::<Vec<_>>());
}

fn many() -> Vec<Definition> {
    let network = |i: u16| {
        let subnet = |k| {
            let subnet = i * SUBNETS + k;
            format!("10.{}.{}.1/24", subnet / 250, subnet % 250)
        };
        let subnets: Vec<String> = (0..SUBNETS).map(subnet).collect();
        let subnets: Vec<&str> = subnets.iter().map(String::as_str).collect();
        Definition::nat(&format!("many{i}"), &format!("brmany{i}"), &subnets)
    };
    (0..NETWORKS).map(network).collect()
}
