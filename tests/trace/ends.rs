//! However it ends, nothing of it stays.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use palisade_tests::{Dump, Palisade};

use crate::site::{GUEST, NETWORKS, Site, Tracing, WORLD, send, wait_until};

/// A site with rules, and its ruleset.
fn with_rules(site: &Site) -> (Palisade<'_>, String) {
    let palisade = Palisade::new(&site.host);
    palisade.apply(&*NETWORKS).stdout();
    let before = Dump::ruleset(&site.host);
    (palisade, before.as_str().to_owned())
}

#[track_caller]
fn assert_gone(site: &Site, before: &str) {
    assert_eq!(Dump::ruleset(&site.host).as_str(), before);
}

pub(crate) fn ends_after_its_count() {
    let site = Site::new();
    let (palisade, before) = with_rules(&site);
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "2"]);
    send(&site.guest, WORLD, 5000, 5);
    assert_eq!(tracing.packet()["packet"]["source"], GUEST);
    tracing.packet();
    assert_eq!(tracing.next(), None);
    assert_eq!(tracing.end().0, Some(0));
    assert_gone(&site, &before);
}

pub(crate) fn ends_after_its_time() {
    let site = Site::new();
    let (palisade, before) = with_rules(&site);
    let began = Instant::now();
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--time", "1"]);
    assert_eq!(tracing.next(), None);
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&began.elapsed()));
    assert_eq!(tracing.end().0, Some(0));
    assert_gone(&site, &before);
}

pub(crate) fn ends_with_a_signal() {
    let site = Site::new();
    let (palisade, before) = with_rules(&site);
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 0)] {
        let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp"]);
        send(&site.guest, WORLD, 5001, 1);
        tracing.packet();
        tracing.signal(signal);
        assert_eq!(tracing.next(), None);
        assert_eq!(tracing.end().0, Some(code), "{signal}");
        assert_gone(&site, &before);
    }
}

/// The table belongs to its socket. Of another process that is dead, one without an owner is taken
/// away, as kernels leave it that know no owners; one that belongs to the living stays.
pub(crate) fn vanishes_when_it_is_killed() {
    let site = Site::new();
    let (palisade, before) = with_rules(&site);
    let tracing = Tracing::begin(&site, &palisade, &[]);
    tracing.signal(Signal::SIGKILL);
    tracing.end();
    wait_until("the end of its table", || {
        Dump::ruleset(&site.host).as_str() == before
    });

    let living = format!("palisade_trace_{}", std::process::id());
    // No process has so high a number.
    site.host.nft(&format!(
        "add table inet palisade_trace_4194999\nadd table inet {living}"
    ));
    let tracing = Tracing::begin(&site, &palisade, &["--time", "1"]);
    let during = Dump::ruleset(&site.host);
    assert!(!during.as_str().contains("4194999"), "{}", during.as_str());
    assert!(during.as_str().contains(&living), "{}", during.as_str());
    tracing.end();
}

/// What no packet can be is wrong usage; an interface that is not there may come.
pub(crate) fn questions_in_vain() {
    let site = Site::new();
    let (palisade, _) = with_rules(&site);
    let line = "trace --proto icmp --dport 4 --time 1";
    let wrong = palisade.answer(line.split(' '));
    assert_eq!(wrong.code, Some(2), "{wrong}");
    assert!(wrong.stderr.contains("icmp has no ports"), "{wrong}");
    let absent = palisade.answer("trace --in nodev --time 1".split(' '));
    assert_eq!(absent.code, Some(0), "{absent}");
    assert!(absent.stderr.contains("no interface `nodev`"), "{absent}");
}

/// A reader that is too slow hears that it missed some, and then goes on.
pub(crate) fn says_what_it_missed() {
    let site = Site::new();
    let (palisade, before) = with_rules(&site);
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp"]);
    tracing.signal(Signal::SIGSTOP);
    send(&site.guest, WORLD, 5002, 20_000);
    tracing.signal(Signal::SIGCONT);
    let is_missed = |said: &serde_json::Value| said["missed"] == true;
    while !tracing.next().is_some_and(|said| is_missed(&said)) {}
    // All that was kept comes first, and there is no room for more until it was read.
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                send(&site.guest, WORLD, 5003, 1);
                thread::sleep(Duration::from_millis(20));
            }
        });
        while tracing.next().expect("more")["packet"]["destination_port"] != 5003 {}
        is_over.store(true, Ordering::Relaxed);
    });
    tracing.signal(Signal::SIGTERM);
    assert_eq!(tracing.end().0, Some(0));
    assert_gone(&site, &before);
}

/// Of a packet that the host sends nowhere, it is said why nothing more came.
pub(crate) fn says_why_nothing_more_came() {
    let site = Site::new();
    let (palisade, _) = with_rules(&site);
    site.host.sysctl("ipv4/ip_forward", "0");
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "1"]);
    send(&site.guest, WORLD, 5000, 2);
    let packet = tracing.packet();
    assert_eq!(packet["end"], "unknown", "{packet}");
    assert_eq!(packet["no_way"]["kind"], "not-forwarded", "{packet}");
    assert_eq!(tracing.end().0, Some(0));
}
