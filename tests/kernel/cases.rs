//! Cases of our own: definitions in `cases/`, and beside each, by hand, what `--layout flat` must
//! leave in the kernel, in nft's words. `NAME.xml`, `.toml` or `.json`, or the files of the folder
//! `NAME` in the order of their names, belong to `NAME.nft`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palisade_core::Ruleset;
use palisade_core::network::{Family, Network};
use palisade_core::rules::Rule;
use palisade_netlink::Socket;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::layout::Layout;
use palisade_nft::parts::lift;
use palisade_nft::parts::omission;
use palisade_tests::{Dump, Namespace, Palisade, Trials, assert_same};

fn main() -> ExitCode {
    palisade_tests::run(cases().iter().fold(Trials::new(), of_case))
}

fn of_case(trials: Trials, case: &Case) -> Trials {
    let named = |what: &str| format!("{}: {what}", case.name);
    let with = |test: fn(&Case)| {
        let case = case.clone();
        move || test(&case)
    };
    trials
        .with(
            named("nft lists the expectation as it stands"),
            with(is_listing),
        )
        .with(named("applied flat"), with(applied_flat))
        .with(named("every rule says whose it is"), with(comments))
        .with(named("rendered and loaded"), with(rendered))
        .with(named("read back, it means the same"), with(read_back))
        .with(named("applied and removed"), with(removed))
}

fn is_listing(case: &Case) {
    let namespace = Namespace::new();
    namespace.nft(case.expected.as_str());
    let titles = ("written", "listed");
    assert_same(
        &case.name,
        (titles.0, &case.expected),
        (titles.1, &Dump::ruleset(&namespace)),
    );
}

fn applied_flat(case: &Case) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.on_files("apply", &case.files).stdout();
    let found = Dump::ruleset(&namespace).bare().as_libvirt_has_it();
    assert_same(
        &case.name,
        ("expected", &case.expected),
        ("applied", &found),
    );
}

fn comments(case: &Case) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.on_files("apply", &case.files).stdout();
    let dump = Dump::ruleset(&namespace);
    let as_libvirt_has_it = dump.as_libvirt_has_it();
    assert_eq!(as_libvirt_has_it.rules().len(), case.expected.rules().len());
    for (chain, rule) in dump.rules() {
        let comment = rule
            .split_once(" comment \"")
            .and_then(|(_, comment)| comment.strip_suffix('"'))
            .unwrap_or_else(|| panic!("no comment at the end: {chain}: {rule}"));
        let (owner, purpose) = comment
            .split_once(": ")
            .unwrap_or_else(|| panic!("no `network: purpose`: {chain}: {rule}"));
        assert!(!purpose.is_empty(), "{chain}: {rule}");
        if owner == "palisade" {
            assert!(rule.contains(" jump "), "{chain}: {rule}");
            continue;
        }
        let network = case.networks.iter().find(|network| network.name == owner);
        let network = network.unwrap_or_else(|| panic!("whose? {chain}: {rule}"));
        // Rules for NAT say nothing of the bridge.
        let bridge = format!("\"{}\"", network.bridge);
        assert!(
            chain == "guest_nat" || rule.contains(&bridge),
            "{chain}: {rule}"
        );
    }
}

fn rendered(case: &Case) {
    for layout in ["flat", "mapped"] {
        let (applied, loaded) = (Namespace::new(), Namespace::new());
        let palisade = Palisade::with_layout(&applied, layout);
        palisade.on_files("apply", &case.files).stdout();
        loaded.nft(&palisade.on_files("render", &case.files).stdout());
        let (loaded, applied) = (Dump::ruleset(&loaded), Dump::ruleset(&applied));
        let is_empty = case.expected.as_str().is_empty();
        assert_eq!(
            applied.as_str().is_empty(),
            is_empty,
            "{layout}:\n{applied}"
        );
        assert_same(
            layout,
            ("rendered and loaded", &loaded),
            ("applied", &applied),
        );
    }
}

/// What the kernel has, dumped, decoded and lifted, is what the networks mean, and nothing else.
fn read_back(case: &Case) {
    for layout in Layout::ALL {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, layout.name());
        palisade.on_files("apply", &case.files).stdout();
        let checked = palisade
            .with(["--format", "json"])
            .on_files("check", &case.files);
        let mut checked: serde_json::Value = serde_json::from_str(&checked.stdout()).expect("JSON");
        let networks: Vec<Network> =
            serde_json::from_value(checked["networks"].take()).expect("networks");
        let ruleset = Ruleset::of(&networks, layout.guard());
        for family in Family::BOTH {
            let is_here =
                |rule: &&Rule| rule.layer == family.into() && omission(rule.kind).is_none();
            let mut meant: Vec<&Rule> = ruleset.rules().iter().filter(is_here).collect();
            meant.sort();
            let lifted = namespace.inside(|| {
                let mut socket = Socket::open().expect("a socket");
                let mut replies = Vec::new();
                let mut reader = Reader::new(&mut socket, &mut replies);
                let program = reader.program(family.into(), "palisade", Depth::Elements);
                let program = program.expect("a dump");
                program.map(|program| lift(&program).expect("a table of ours"))
            });
            let lifted = lifted.unwrap_or_default();
            assert_eq!(lifted.strange, [], "{layout} {family}");
            let mut found: Vec<&Rule> = lifted.ruleset.rules().iter().collect();
            found.sort();
            assert_eq!(found, meant, "{layout} {family}");
        }
    }
}

fn removed(case: &Case) {
    for layout in ["flat", "mapped"] {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, layout);
        palisade.on_files("apply", &case.files).stdout();
        let mut names: Vec<&str> = case.networks.iter().map(|n| n.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(palisade.running(), names);
        palisade.ok(std::iter::once("remove").chain(names));
        palisade.ok(["remove", "--all"]);
        assert_eq!(Dump::ruleset(&namespace).as_str(), "", "{layout}");
        assert_eq!(palisade.running(), [""; 0]);
    }
}

#[derive(Debug, Clone)]
struct Case {
    name: String,
    files: Vec<PathBuf>,
    networks: Vec<Named>,
    expected: Dump,
}

/// What a rule's comment is held against.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    bridge: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let cases: Vec<Case> = listed(&folder)
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "nft"))
        .map(|path| case(path))
        .collect();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

fn case(expectation: &Path) -> Case {
    let stem = expectation.with_extension("");
    let files = if stem.is_dir() {
        listed(&stem)
    } else {
        let mut files = ["xml", "toml", "json"]
            .map(|ending| stem.with_extension(ending))
            .to_vec();
        files.retain(|file| file.exists());
        files
    };
    assert!(
        !files.is_empty(),
        "no definition for {}",
        expectation.display()
    );
    let text = read(expectation);
    // The first line says what the case is about.
    let expected: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect();
    Case {
        name: stem
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        networks: files.iter().flat_map(|file| named(&read(file))).collect(),
        files,
        expected: Dump::expected(&expected),
    }
}

/// The networks of a file in any format, found without the reader under test.
fn named(text: &str) -> Vec<Named> {
    let starts = [
        ("<name>", "<bridge name='", ["<", "'"]),
        ("name = \"", "bridge = \"", ["\"", "\""]),
        ("\"name\": \"", "\"bridge\": \"", ["\"", "\""]),
    ];
    let (name, bridge, ends) = starts
        .into_iter()
        .find(|(name, bridge, _)| text.contains(name) && text.contains(bridge))
        .expect("a definition names a network and its bridge");
    let all = |start: &str, end: &str| -> Vec<String> {
        let rests = text.split(start).skip(1);
        let texts = rests.filter_map(|rest| rest.split(end).next());
        texts.map(|text| text.replace("&amp;", "&")).collect()
    };
    let (names, bridges) = (all(name, ends[0]), all(bridge, ends[1]));
    assert_eq!(names.len(), bridges.len(), "{text}");
    let pairs = names.into_iter().zip(bridges);
    pairs.map(|(name, bridge)| Named { name, bridge }).collect()
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
