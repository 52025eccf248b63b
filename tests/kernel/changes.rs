//! What one command changes, and what it leaves: one transaction, on the networks as they will be.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use palisade_tests::{
    Answer, Definition, Dump, Namespace, Palisade, Trials, assert_as_applied, assert_same,
};

type Test = fn(&str);

fn main() -> ExitCode {
    let tests: [(&str, Test); 13] = [
        ("two networks swap their bridges", swap_bridges),
        ("two networks swap their subnets", swap_subnets),
        ("overlapping networks are refused", overlaps),
        ("a bridge or a name twice is refused", twice),
        ("one bad definition, and nothing is changed", one_is_bad),
        ("a replaced network counts as started anew", replaced),
        ("an unchanged network costs no message", unchanged),
        ("`sync` makes exactly these run", sync),
        ("`--netns` by path and by name", other_namespace),
        ("one state directory, two namespaces", two_namespaces),
        ("commands at the same time", side_by_side),
        ("amid other programs' commits", amid_others),
        ("a command waits for the lock, and not for ever", locked),
    ];
    let mut trials = Trials::new();
    for layout in ["flat", "mapped"] {
        for (name, test) in tests {
            trials = trials.with(format!("{layout}: {name}"), move || test(layout));
        }
    }
    // Some of them wait for seconds.
    palisade_tests::run_side_by_side(trials, 4)
}

fn net(i: u8) -> Definition {
    let subnets = [format!("10.{i}.0.1/24"), format!("fd00:{i}::1/64")];
    let [v4, v6] = &subnets;
    Definition::nat(&format!("net{i}"), &format!("virbr{i}"), &[v4, v6])
}

fn swap_bridges(layout: &str) {
    let (one, two) = (net(1), net(2));
    let swapped = [one.clone().on("virbr2"), two.clone().on("virbr1")];
    assert_replaces(layout, &[&one, &two], &swapped.each_ref());
    // And each is taken away by what it has become.
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply([&one, &two]).stdout();
    palisade.apply(&swapped).stdout();
    palisade.ok(["remove", "net1"]);
    assert_as_applied(&namespace, layout, [&swapped[1]]);
    palisade.ok(["remove", "net2"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn swap_subnets(layout: &str) {
    let (one, two) = (net(1), net(2));
    let mut swapped = [one.clone(), two.clone()];
    swapped[0].subnets.clone_from(&two.subnets);
    swapped[1].subnets.clone_from(&one.subnets);
    assert_replaces(layout, &[&one, &two], &swapped.each_ref());
}

/// After the second command the kernel holds what the second alone would leave there.
#[track_caller]
fn assert_replaces(layout: &str, before: &[&Definition], after: &[&Definition]) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(before.iter().copied()).stdout();
    palisade.apply(after.iter().copied()).stdout();
    assert_as_applied(&namespace, layout, after.iter().copied());
}

fn overlaps(layout: &str) {
    let four = Definition::route("four", "virbr8", &["10.0.0.1/8"]);
    let six = Definition::route("six", "virbr9", &["fd00:1::ff/120"]);
    for other in [&four, &six] {
        let (one, name) = (net(1), other.name.as_str());
        assert_refused(layout, &[], &[&one, other], &["net1", name, "overlap"]);
        assert_refused(layout, &[&one], &[other], &["net1", name, "overlap"]);
        // Where those of one command exclude each other, that is told first, with its place.
        let told = ["overlap", name, ".xml:"];
        assert_refused(layout, &[&one, &net(2)], &[&net(3), other], &told[..2]);
        assert_refused(layout, &[&net(2)], &[&one, other], &told);
    }
}

fn twice(layout: &str) {
    let (one, two) = (net(1), net(2));
    let same_bridge = two.clone().on("virbr1");
    assert_refused(
        layout,
        &[],
        &[&one, &same_bridge],
        &["net1", "net2", "virbr1"],
    );
    assert_refused(
        layout,
        &[&one],
        &[&same_bridge],
        &["net1", "net2", "virbr1"],
    );
    assert_refused(layout, &[&two], &[&one, &one], &["net1"]);
}

/// The second command exits with 1, says all of this, and leaves everything as it was.
#[track_caller]
fn assert_refused(layout: &str, running: &[&Definition], refused: &[&Definition], told: &[&str]) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    if !running.is_empty() {
        palisade.apply(running.iter().copied()).stdout();
    }
    let (before, names) = (Dump::ruleset(&namespace), palisade.running());
    let refusal = palisade.apply(refused.iter().copied()).refusal(1);
    assert!(
        told.iter().all(|word| refusal.contains(word)),
        "{told:?}: {refusal}"
    );
    assert_same(
        layout,
        ("before", &before),
        ("after", &Dump::ruleset(&namespace)),
    );
    assert_eq!(palisade.running(), names);
}

fn one_is_bad(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply([&net(1)]).stdout();
    let before = Dump::ruleset(&namespace);
    let files = palisade.texts([
        net(2).xml(),
        "<network><name>bad</name></network>".to_owned(),
    ]);
    let refusal = palisade.on_files("apply", &files).refusal(1);
    assert!(refusal.contains("00001.xml"), "names the file: {refusal}");
    palisade
        .on_files("apply", [PathBuf::from("no/such/file.xml")])
        .refusal(1);
    assert_eq!(Dump::ruleset(&namespace), before);
    assert_eq!(palisade.running(), ["net1"]);
}

fn replaced(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let changed = Definition::route("net1", "virbr1", &["10.1.0.1/24"]);
    palisade.apply([&net(1), &net(2)]).stdout();
    palisade.apply([&changed]).stdout();
    let still_used = Definition::route("net3", "virbr3", &["10.3.0.1/24", "fd00:3::1/64"]);
    palisade.apply([&still_used]).stdout();
    assert_as_applied(&namespace, layout, [&net(2), &changed, &still_used]);
}

fn unchanged(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let both = [net(1), net(2)];
    palisade.apply(&both).stdout();
    let seen = changes_during(&namespace, || {
        palisade.apply(&both).stdout();
        palisade.apply([&both[1]]).stdout();
    });
    assert_eq!(seen, [""; 0], "this was sent");
    // And the witness sees what does change.
    let seen = changes_during(&namespace, || {
        palisade.ok(["remove", "net1"]);
    });
    assert!(!seen.is_empty());
}

/// What `nft monitor` tells of between two changes of our own.
fn changes_during(namespace: &Namespace, action: impl FnOnce()) -> Vec<String> {
    let mut nft = Command::new("nft");
    nft.arg("monitor")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut monitor = namespace.inside(|| nft.spawn().expect("start `nft monitor`"));
    let lines = BufReader::new(monitor.stdout.take().expect("its output")).lines();
    let mut lines = lines.map(|line| line.expect("read what `nft monitor` prints"));
    thread::scope(|scope| {
        let (began, begun) = std::sync::mpsc::channel();
        // Until the monitor listens, and then no more.
        let begin = scope.spawn(move || {
            while begun.try_recv().is_err() {
                namespace.nft("table inet begin { }\ndelete table inet begin\n");
                thread::sleep(Duration::from_millis(20));
            }
        });
        lines
            .find(|line| line.contains("begin"))
            .expect("the beginning");
        began.send(()).expect("tell that it listens");
        begin.join().expect("the beginning");
    });
    action();
    namespace.nft("table inet end { }\ndelete table inet end\n");
    let by_nft = |line: &str| line.starts_with("# new generation") && line.ends_with("(nft)");
    let is_other = |line: &String| !line.contains("begin") && !by_nft(line);
    let seen = lines
        .take_while(|line| !line.contains("inet end"))
        .filter(is_other)
        .collect();
    monitor.kill().expect("stop `nft monitor`");
    monitor.wait().expect("wait for `nft monitor`");
    seen
}

fn sync(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply([&net(1), &net(2)]).stdout();
    let files = palisade.files([&net(2), &net(3)]);
    palisade.on_files("sync", &files).stdout();
    assert_as_applied(&namespace, layout, [&net(2), &net(3)]);
    assert_eq!(palisade.running(), ["net2", "net3"]);
    // A folder stands for its files.
    let files = palisade.files([&net(4), &net(5)]);
    let folder = files[0].parent().expect("the files' folder");
    palisade.on_files("sync", [folder]).stdout();
    assert_as_applied(&namespace, layout, [&net(4), &net(5)]);
    assert_eq!(palisade.running(), ["net4", "net5"]);
}

fn other_namespace(layout: &str) {
    let (here, there) = (Namespace::new(), Namespace::new());
    let path = there.path();
    let path = path.to_str().expect("a path of plain letters");
    let palisade = Palisade::with_layout(&here, layout).with(["--netns", path]);
    palisade.apply([&net(1)]).stdout();
    assert_eq!(Dump::ruleset(&here).as_str(), "");
    assert_as_applied(&there, layout, [&net(1)]);

    let named = Named::new(&format!("palisade-test-{layout}-{}", std::process::id()));
    let palisade = Palisade::with_layout(&here, layout).with(["--netns", &named.0]);
    palisade.apply([&net(2)]).stdout();
    let mut nft = Command::new("ip");
    nft.args(["netns", "exec", &named.0, "nft", "-s", "list", "ruleset"]);
    let listed = Dump::expected(&Answer::of(&mut nft, "").stdout());
    assert!(listed.as_str().contains("\"virbr2\""), "{listed}");
    assert_eq!(Dump::ruleset(&here).as_str(), "");
    Palisade::new(&here)
        .with(["--netns", "palisade-no-such"])
        .answer(["list"])
        .refusal(1);
}

/// A namespace with a name, as `ip netns` makes them.
struct Named(String);

impl Named {
    fn new(name: &str) -> Self {
        Answer::of(Command::new("ip").args(["netns", "add", name]), "").stdout();
        Self(name.to_owned())
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        Answer::of(Command::new("ip").args(["netns", "delete", &self.0]), "");
    }
}

/// What runs in one namespace is nothing to the other.
fn two_namespaces(layout: &str) {
    let (one, two) = (Namespace::new(), Namespace::new());
    let first = Palisade::with_layout(&one, layout);
    let second = Palisade::with_layout(&two, layout).sharing(&first);
    first.apply([&net(1)]).stdout();
    // The same network, bridge and subnet: no conflict over there.
    second.apply([&net(1), &net(2)]).stdout();
    assert_eq!(first.running(), ["net1"]);
    first.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&one).as_str(), "");
    assert_eq!(second.running(), ["net1", "net2"]);
    assert_as_applied(&two, layout, [&net(1), &net(2)]);
}

fn side_by_side(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let definitions: Vec<Definition> = (1..=8).map(net).collect();
    thread::scope(|scope| {
        for definition in &definitions {
            let palisade = &palisade;
            scope.spawn(move || palisade.apply([definition]).stdout());
        }
    });
    assert_eq!(palisade.running().len(), 8);
    let together = Namespace::new();
    let other = Palisade::with_layout(&together, layout);
    other.apply(&definitions).stdout();
    // Who came first is anybody's guess, and in `flat` it shows.
    let lines = |namespace| {
        let dump = Dump::ruleset(namespace).bare();
        let mut lines: Vec<String> = dump.as_str().lines().map(str::to_owned).collect();
        lines.sort();
        Dump::expected(&lines.join("\n"))
    };
    assert_same(
        layout,
        ("together", &lines(&together)),
        ("one by one", &lines(&namespace)),
    );
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

/// Somebody changes tables of their own all the time, so that many a plan is out of date at once.
fn amid_others(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let is_done = AtomicBool::new(false);
    let commits = thread::scope(|scope| {
        let noise = scope.spawn(|| {
            let mut commits = 0;
            while !is_done.load(Ordering::Relaxed) {
                namespace.nft("table inet noise { }\ndelete table inet noise\n");
                commits += 1;
            }
            commits
        });
        for i in 1..=9 {
            palisade.apply([&net(i)]).stdout();
        }
        palisade.ok(["remove", "net5"]);
        is_done.store(true, Ordering::Relaxed);
        noise.join().expect("the noise")
    });
    assert!(commits > 3, "only {commits} commits of others");
    let left: Vec<Definition> = (1..=9).filter(|&i| i != 5).map(net).collect();
    assert_as_applied(&namespace, layout, &left);
}

fn locked(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply([&net(1)]).stdout();
    let lock = File::open(lock_file(&palisade)).expect("open the lock");
    lock.lock().expect("take the lock");
    let before = Dump::ruleset(&namespace);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| palisade.apply([&net(2)]));
        thread::sleep(Duration::from_millis(500));
        assert!(
            !waiting.is_finished(),
            "it does not wait: {}",
            waiting.join().expect("apply")
        );
        assert_eq!(Dump::ruleset(&namespace), before);
        lock.unlock().expect("give the lock back");
        waiting.join().expect("apply").stdout();
    });
    assert_eq!(palisade.running().len(), 2);
    // Reading waits for nobody; changing gives up after a while.
    lock.lock().expect("take the lock");
    assert_eq!(palisade.running().len(), 2);
    let before = Dump::ruleset(&namespace);
    let refusal = palisade.answer(["remove", "net1"]).refusal(1);
    assert!(refusal.contains("lock"), "{refusal}");
    assert_eq!(Dump::ruleset(&namespace), before);
}

/// The lock of the namespace's folder in the state directory.
fn lock_file(palisade: &Palisade<'_>) -> PathBuf {
    let folders = std::fs::read_dir(palisade.state()).expect("list the state directory");
    folders
        .map(|folder| folder.expect("a folder").path().join("lock"))
        .find(|path| path.exists())
        .expect("find the lock")
}
