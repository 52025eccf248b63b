//! Parity with libvirt's nftables backend: what `palisade --layout flat` leaves in the kernel is
//! what libvirt's own commands leave there, rule for rule in order. Interfaces are matched by name
//! instead of by index, comments are ours, a table is made only in a family that needs one, and there
//! is a place for the administrator's own rules, and one for NAT between networks.

use std::process::ExitCode;

use palisade_tests::libvirt::{self, Backend, Case};
use palisade_tests::{Dump, Namespace, Palisade, Trials, assert_same};

const TABLE: &str = "libvirt_network";

fn main() -> ExitCode {
    let trials = match libvirt::folder() {
        Ok(folder) => Case::all(&folder).iter().fold(Trials::new(), of_case),
        Err(reason) => Trials::new().without("libvirt's cases", reason),
    };
    palisade_tests::run(trials)
}

fn of_case(trials: Trials, case: &Case) -> Trials {
    let named = |what: &str| format!("{}: {what}", case.name);
    let with = |test: fn(&Case)| {
        let case = case.clone();
        move || test(&case)
    };
    trials
        .with(named("alone"), with(alone))
        .with(named("before another"), with(before_another))
        .with(named("after another"), with(after_another))
        .with(named("with another in one command"), with(in_one_command))
        .with(named("removed and applied again"), with(applied_again))
        .with(named("rendered flat and loaded"), with(rendered_flat))
        .with(named("rendered mapped and loaded"), with(rendered_mapped))
}

fn alone(case: &Case) {
    let namespace = host();
    let palisade = flat(&namespace);
    apply(&palisade, &[case]);
    assert_as_libvirt(&namespace, &[case]);
}

fn before_another(case: &Case) {
    let (namespace, other) = (host(), case.moved());
    let palisade = flat(&namespace);
    apply(&palisade, &[case]);
    apply(&palisade, &[&other]);
    assert_as_libvirt(&namespace, &[case, &other]);
}

fn after_another(case: &Case) {
    let (namespace, other) = (host(), case.moved());
    let palisade = flat(&namespace);
    apply(&palisade, &[&other]);
    apply(&palisade, &[case]);
    assert_as_libvirt(&namespace, &[&other, case]);
}

fn in_one_command(case: &Case) {
    let (namespace, other) = (host(), case.moved());
    let palisade = flat(&namespace);
    apply(&palisade, &[case, &other]);
    assert_as_libvirt(&namespace, &[case, &other]);
}

fn applied_again(case: &Case) {
    let (namespace, other) = (host(), case.moved());
    let palisade = flat(&namespace);
    apply(&palisade, &[case, &other]);
    palisade.ok(["remove", "default"]);
    assert_as_libvirt(&namespace, &[&other]);
    apply(&palisade, &[case]);
    assert_as_libvirt(&namespace, &[&other, case]);
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn rendered_flat(case: &Case) {
    rendered(case, "flat");
}

fn rendered_mapped(case: &Case) {
    rendered(case, "mapped");
}

fn rendered(case: &Case, layout: &str) {
    let (applied, loaded) = (host(), host());
    let palisade = Palisade::with_layout(&applied, layout);
    let files = put(&palisade, &[case, &case.moved()]);
    palisade.on_files("apply", &files).stdout();
    loaded.nft(&palisade.on_files("render", &files).stdout());
    assert!(Dump::table(&applied, "ip", "palisade").is_some());
    assert_same(
        "a rendering that is loaded, and what `apply` installs",
        ("loaded", &Dump::ruleset(&loaded)),
        ("applied", &Dump::ruleset(&applied)),
    );
}

fn host() -> Namespace {
    let namespace = Namespace::new();
    // libvirt's rules name interfaces by index, which only those that exist have.
    namespace.bridges(["virbr0", "virbr9"]);
    namespace
}

fn flat(namespace: &Namespace) -> Palisade<'_> {
    Palisade::with_layout(namespace, "flat").with(["--table", TABLE])
}

fn apply(palisade: &Palisade<'_>, cases: &[&Case]) {
    palisade.on_files("apply", put(palisade, cases)).stdout();
}

fn put(palisade: &Palisade<'_>, cases: &[&Case]) -> Vec<std::path::PathBuf> {
    palisade.texts(cases.iter().map(|case| case.xml.as_str()))
}

/// Compares with what libvirt leaves after it started these networks in this order.
#[track_caller]
fn assert_as_libvirt(ours: &Namespace, cases: &[&Case]) {
    let folder = libvirt::folder().expect("the folder is there");
    let theirs = host();
    libvirt::issue_base(&folder, Backend::Nftables, &theirs);
    let bare = ["ip", "ip6"].map(|family| Dump::table(&theirs, family, TABLE));
    for case in cases {
        case.issue(Backend::Nftables, &theirs);
    }
    for (family, bare) in ["ip", "ip6"].into_iter().zip(bare) {
        let table = |namespace| Dump::table(namespace, family, TABLE);
        let expected = table(&theirs).expect("libvirt makes both tables");
        let found = table(ours);
        if Some(&expected) == bare.as_ref() {
            assert_eq!(found, None, "no network needs a table of family {family}");
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("no table {family} {TABLE}"));
        assert_same(
            &format!("libvirt's table {family} and ours"),
            ("libvirt", &expected.by_name()),
            ("palisade", &found.as_libvirt_has_it().bare()),
        );
    }
}
