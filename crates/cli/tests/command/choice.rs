//! Command line over environment over configuration over default, seen through `render`.

use crate::palisade::{DEFAULT, Palisade};

const FLAT: &str = "layout = 'flat'\ntable = 'configured'\n";

/// Variables and their values.
type Environment = [(&'static str, &'static str)];

/// The table and the layout that a command renders for.
fn rendered(palisade: &Palisade, environment: &Environment, line: &str) -> (String, &'static str) {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut command = palisade.command(&arguments);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    let table = text.split_whitespace().nth(2).unwrap_or_default();
    let layouts = [
        ("\tchain guests_forward {", "mapped"),
        ("\tchain forward {", "flat"),
    ];
    let mut layouts = layouts.iter().filter(|(chain, _)| text.contains(chain));
    let layout = layouts.next().map_or("", |(_, layout)| layout);
    (table.to_owned(), layout)
}

#[test]
fn the_first_that_says_something() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("flat.toml", FLAT);
    let config = ("PALISADE_CONFIG", "flat.toml");
    let layout = ("PALISADE_LAYOUT", "mapped");
    let table = ("PALISADE_TABLE", "exported");
    let cases: [(&Environment, &str, (&str, &str)); 8] = [
        (&[], "render default.xml", ("palisade", "mapped")),
        (&[config], "render default.xml", ("configured", "flat")),
        (
            &[],
            "--config flat.toml render default.xml",
            ("configured", "flat"),
        ),
        (
            &[config, layout],
            "render default.xml",
            ("configured", "mapped"),
        ),
        (&[config, table], "render default.xml", ("exported", "flat")),
        (
            &[config, table],
            "render default.xml --table said",
            ("said", "flat"),
        ),
        (
            &[layout],
            "render default.xml --layout flat",
            ("palisade", "flat"),
        ),
        (
            &[config],
            "render default.xml --config palisade.toml",
            ("palisade", "mapped"),
        ),
    ];
    for (environment, line, (table, layout)) in cases {
        let found = rendered(&palisade, environment, line);
        assert_eq!(found, (table.to_owned(), layout), "{environment:?} {line}");
    }
}

#[test]
fn when_known_flows_are_accepted() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("first.toml", "established = 'first'\n");
    let config = ("PALISADE_CONFIG", "first.toml");
    let in_turn = ("PALISADE_ESTABLISHED", "in-turn");
    let first = ("PALISADE_ESTABLISHED", "first");
    let cases: [(&Environment, &str, bool); 7] = [
        (&[], "", false),
        (&[config], "", true),
        (&[config, in_turn], "", false),
        (&[first], "", true),
        (&[first], "--established in-turn", false),
        (&[], "--established first", true),
        (&[], "--established first --layout flat", true),
    ];
    for (environment, options, is_first) in cases {
        let output = |line: &str| {
            let words: Vec<&str> = options.split_whitespace().chain(line.split(' ')).collect();
            let mut command = palisade.command(&words);
            let output = command.envs(environment.iter().copied()).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let rendered = output("render default.xml");
        let accepts = ["@established_in accept", "established in\""];
        let is_rendered = accepts.iter().any(|accept| rendered.contains(accept));
        assert_eq!(
            is_rendered, is_first,
            "{environment:?} {options}: {rendered}"
        );
        // An answer from an address that is nobody's, to a guest that is not in the subnet.
        let explained = output(
            "explain --definitions default.xml --in wan0 --out virbr0 --src 192.0.2.9 \
             --dst 10.99.0.1 --proto udp --sport 53 --dport 4000 --ct established",
        );
        let verdict = if is_first { "accept:" } else { "reject:" };
        assert!(
            explained.starts_with(verdict),
            "{environment:?} {options}: {explained}"
        );
        let compared = output("compare default.xml");
        assert!(compared.contains(", and not otherwise"), "{compared}");
    }
}

#[test]
fn the_backend_too() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("none.toml", "firewall_backend = 'none'\n");
    assert_eq!(palisade.output("--config none.toml render default.xml"), "");
    let line = "--config none.toml --backend nftables render default.xml";
    assert_eq!(rendered(&palisade, &[], line).0, "palisade");
    let nobody = [("PALISADE_BACKEND", "none")];
    assert_eq!(rendered(&palisade, &nobody, "render default.xml").0, "");
}

#[test]
fn a_bad_configuration() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("word.toml", "table = 'guests'\nlayout = 'tree'\n");
    palisade.file("key.toml", "layuot = 'flat'\n");
    palisade.file("broken.toml", "layout =\n");
    for (config, what) in [
        (
            "missing.toml",
            "cannot read the configuration missing.toml: no such file or directory\n",
        ),
        (
            "word.toml",
            "`tree` is no layout: there are `mapped` and `flat`",
        ),
        ("word.toml", "2> error: word.toml:2:10: "),
        ("key.toml", "2> error: key.toml:1:1: unknown field `layuot`"),
        ("broken.toml", "2> error: broken.toml:1:9: "),
    ] {
        for line in [
            "render default.xml",
            "apply default.xml",
            "sync default.xml",
        ] {
            let told = palisade.transcript(&format!("--config {config} {line}"));
            assert!(told.contains(what), "{told}");
            assert!(told.contains("2> hint: "), "{told}");
            assert_eq!(told.matches("\n2> ").count(), 2, "{told}");
            assert!(told.ends_with("exit code 1\n"), "{told}");
        }
        // What runs is not moved by a configuration: what it says does not matter to commands on it,
        // which only warn.
        for line in ["list", "verify", "repair", "remove --all", "recover"] {
            let told = palisade.transcript(&format!("--config {config} {line}"));
            let is_warned = told.contains(&format!("2> warning: {config}:"));
            assert_eq!(is_warned, config != "missing.toml", "{told}");
            assert_eq!(
                told.contains("2> error: "),
                config == "missing.toml",
                "{told}"
            );
            assert_eq!(
                told.matches("2> warning: ").count(),
                usize::from(is_warned),
                "{told}"
            );
        }
    }
}

/// Nor to whoever follows what runs; here nothing can be followed, so that it ends.
#[test]
fn a_bad_configuration_is_told_before_anything_is_watched() {
    let palisade = Palisade::new();
    palisade.file("broken.toml", "layout =\n");
    let told = palisade.transcript("--config broken.toml --netns nowhere watch");
    let told: Vec<&str> = told.lines().skip(1).collect();
    let (warning, error) = (told[0], told[1]);
    assert!(
        warning.starts_with("2> warning: broken.toml:1:9: "),
        "{warning}"
    );
    let passed_over = "what is recorded counts, so it is passed over";
    assert!(warning.ends_with(passed_over), "{warning}");
    assert!(error.starts_with("2> error: "), "{error}");
}

/// What looks at definitions alone asks for no configuration.
#[test]
fn check_needs_none() {
    let palisade = Palisade::bare();
    palisade.file("default.xml", DEFAULT);
    palisade.file("broken.toml", "layout =\n");
    palisade.output("check default.xml");
    palisade.output("--config broken.toml check default.xml");
}
