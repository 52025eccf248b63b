//! What scripts rely on: exit codes, JSON keys, where choices come from, and what touches nothing.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, iptables, trials};
use serde_json::Value;

fn main() -> ExitCode {
    palisade_tests::run(trials![
        list_tells_of_each_network,
        show_tells_of_one,
        reading_touches_nothing,
        wrong_usage_is_2,
        errors_are_json_where_asked_for,
        standard_input_is_a_definition,
        a_running_network_keeps_its_layout,
        the_command_line_wins_over_the_environment,
        two_layouts_in_one_table,
        a_network_may_be_named_palisade,
        a_network_without_rules_is_running_all_the_same,
        demo_leaves_nothing,
        demo_needs_no_root,
        iptables_loads_what_is_rendered,
    ])
}

fn net(i: u8) -> Definition {
    let subnets = [format!("10.{i}.0.1/24"), format!("fd00:{i}::1/64")];
    let [v4, v6] = &subnets;
    Definition::nat(&format!("net{i}"), &format!("virbr{i}"), &[v4, v6])
}

/// The comments of rules that stand for no network begin with that word too.
fn a_network_may_be_named_palisade() {
    for layout in ["flat", "mapped"] {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, layout);
        let one = Definition::nat("palisade", "virbr7", &["172.24.0.1/24"]);
        palisade.apply([&one]).stdout();
        palisade.apply([&net(1)]).stdout();
        palisade.ok(["verify"]);
        let counted = palisade.ok(["counters"]);
        assert!(counted.contains("palisade "), "{layout}: {counted}");
        palisade.ok(["remove", "net1"]);
        palisade.ok(["verify"]);
        palisade.ok(["remove", "palisade"]);
        assert_eq!(Dump::ruleset(&namespace).as_str(), "", "{layout}");
    }
}

/// The text for both families gives each program what `apply` installs, and so do the texts of JSON.
fn iptables_loads_what_is_rendered() {
    let text = "[[network]]\nname = 'net1'\nbridge = 'virbr1'\nmode = 'nat'\nnat_ipv6 = true\n\
                subnets = ['10.1.0.1/24', 'fd00:1::1/64']\nlog = { group = 5 }\n\
                forwards = ['tcp 8080 -> 10.1.0.10:80', 'udp [2001:db8::7]:53 -> [fd00:1::10]:53']\n\
                [[network]]\nname = 'a -b'\nbridge = 'virbr2'\nsubnets = ['fd00:2::1/64']\n\
                [[network]]\nname = 'net3'\nbridge = 'virbr3'\nmode = 'route'\n\
                subnets = ['10.3.0.1/24']\n";
    for programs in iptables::PROGRAMS {
        let namespace = Namespace::new();
        let options = ["--backend", "iptables", "--iptables", programs];
        let palisade = Palisade::new(&namespace).with(options);
        let files = palisade.texts([text]);
        palisade.on_files("apply", &files).stdout();
        let rendered = palisade.on_files("render", &files).stdout();
        let file = files[0].to_str().expect("a path in UTF-8");
        let in_json = json(&palisade.ok(["--format", "json", "render", file]));
        assert_eq!(in_json["text"], rendered.as_str());
        let of = |key: &str| in_json[key].as_str().expect("a text").to_owned();
        for texts in [
            [rendered.clone(), rendered.clone()],
            [of("ipv4"), of("ipv6")],
        ] {
            let loaded = Namespace::new();
            for (word, text) in ["iptables", "ip6tables"].into_iter().zip(&texts) {
                let restore = |options: &[&str]| {
                    let program = format!("{word}-{programs}-restore");
                    let mut command = std::process::Command::new(program);
                    loaded.answer(command.args(options), text).stdout()
                };
                restore(&["--test", "--noflush"]);
                restore(&["--noflush"]);
            }
            assert_eq!(
                iptables::ours(&loaded, programs),
                iptables::ours(&namespace, programs)
            );
        }
    }
}

fn list_tells_of_each_network() {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, "flat");
    assert_eq!(
        json(&palisade.ok(["--format", "json", "list"])),
        serde_json::json!([])
    );
    palisade.apply([&net(1)]).stdout();
    palisade
        .apply([&Definition::isolated("a b", "virbr9", &[])])
        .stdout();
    // Global options stand behind the command too.
    let listed = json(&palisade.ok(["list", "--format", "json"]));
    let networks = listed.as_array().expect("an array");
    assert_eq!(networks.len(), 2);
    let net1 = networks
        .iter()
        .find(|network| network["name"] == "net1")
        .expect("net1");
    assert_eq!(net1["bridge"], "virbr1");
    assert_eq!(net1["mode"], "nat");
    assert_eq!(
        net1["subnets"],
        serde_json::json!(["10.1.0.0/24", "fd00:1::/64"])
    );
    assert_eq!(net1["backend"], "nftables");
    assert_eq!(net1["layout"], "flat");
    let since = net1["since"].as_str().expect("a text");
    let since: jiff::Timestamp = since.parse().expect("a time of RFC 3339");
    let age = jiff::Timestamp::now().duration_since(since).as_secs();
    assert!((0..600).contains(&age), "started {age} s ago");
    let text = palisade.ok(["list"]);
    assert!(
        ["net1", "virbr1", "a b", "isolated"]
            .iter()
            .all(|word| text.contains(word)),
        "{text}"
    );
}

fn show_tells_of_one() {
    for (layout, shown) in [("flat", "masquerade"), ("mapped", "10.1.0.0")] {
        let namespace = Namespace::new();
        let palisade = Palisade::with_layout(&namespace, layout);
        palisade.apply([&net(1), &net(2)]).stdout();
        let text = palisade.ok(["show", "net1"]);
        assert!(text.contains("virbr1") && text.contains(shown), "{text}");
        assert!(!text.contains("virbr2"), "{text}");
        assert!(json(&palisade.ok(["--format", "json", "show", "net1"])).is_object());
        let refusal = palisade.answer(["show", "nosuch"]).refusal(1);
        assert!(refusal.contains("nosuch"), "{refusal}");
    }
}

fn reading_touches_nothing() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let files = palisade.files([&net(1)]);
    palisade.on_files("check", &files).stdout();
    for layout in ["flat", "mapped"] {
        let text = Palisade::with_layout(&namespace, layout)
            .on_files("render", &files)
            .stdout();
        assert!(text.contains("table ip palisade"), "{text}");
    }
    palisade.ok(["list"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    assert!(!palisade.state().exists(), "the state directory was made");
    // And these are told apart from what is wrong.
    let bad =
        palisade.texts(["<network>\n  <name>x</name>\n  <forward mode='nat'/>\n</network>\n"]);
    for command in ["check", "render", "apply"] {
        let refusal = palisade.on_files(command, &bad).refusal(1);
        assert!(
            refusal.contains("00000.xml:") && refusal.contains("hint: "),
            "{refusal}"
        );
    }
}

fn wrong_usage_is_2() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let wrong: [&[&str]; 7] = [
        &[],
        &["nosuch"],
        &["apply"],
        &["remove"],
        &["remove", "net1", "--all"],
        &["list", "--format", "yaml"],
        &["--layout", "spiral", "list"],
    ];
    for args in wrong {
        let answer = palisade.answer(args);
        assert_eq!(answer.code, Some(2), "{answer}");
    }
}

fn errors_are_json_where_asked_for() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(["--format", "json"]);
    let bad =
        palisade.texts(["<network>\n  <name>x</name>\n  <forward mode='nat'/>\n</network>\n"]);
    let answers = [
        palisade.answer(["remove", "nosuch"]),
        palisade.answer(["show", "nosuch"]),
        palisade.on_files("apply", &bad),
        palisade.on_files("check", &bad),
    ];
    for answer in answers {
        assert_eq!(answer.code, Some(1), "{answer}");
        let told = json(&answer.stderr);
        assert!(told["error"].is_object(), "{answer}");
        assert_eq!(answer.stdout, "", "{answer}");
    }
}

fn standard_input_is_a_definition() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let mut apply = palisade.command(["apply", "-"]);
    namespace.answer(&mut apply, &net(1).xml()).stdout();
    assert_eq!(palisade.running(), ["net1"]);
}

fn a_running_network_keeps_its_layout() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let files = palisade.files([&net(1)]);
    let apply = |options: &[&str]| {
        let mut apply = palisade.command(options);
        apply.arg("apply").args(&files);
        namespace.answer(&mut apply, "").stdout();
        layout_of(&palisade, "net1")
    };
    assert_eq!(apply(&["--layout", "flat"]), "flat");
    assert_eq!(apply(&[]), "flat");
    assert_eq!(apply(&["--layout", "mapped"]), "mapped");
    let dump = Dump::ruleset(&namespace);
    assert!(
        !dump.as_str().contains("guest_output"),
        "flat is still there:\n{dump}"
    );
    assert_eq!(apply(&[]), "mapped");
}

fn the_command_line_wins_over_the_environment() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    for (i, (options, layout)) in [(&[][..], "flat"), (&["--layout", "mapped"], "mapped")]
        .into_iter()
        .enumerate()
    {
        let network = net(u8::try_from(i).expect("a small number") + 1);
        let mut apply = palisade.command(options);
        apply.arg("apply").args(palisade.files([&network]));
        apply
            .env("PALISADE_LAYOUT", "flat")
            .env("PALISADE_TABLE", "guests");
        namespace.answer(&mut apply, "").stdout();
        assert_eq!(layout_of(&palisade, &network.name), layout);
        assert!(Dump::table(&namespace, "ip", "guests").is_some());
    }
}

fn two_layouts_in_one_table() {
    let namespace = Namespace::new();
    let state = Palisade::new(&namespace);
    let [flat, mapped] =
        ["flat", "mapped"].map(|layout| Palisade::with_layout(&namespace, layout).sharing(&state));
    flat.apply([&net(1)]).stdout();
    mapped.apply([&net(2)]).stdout();
    assert_eq!(state.running(), ["net1", "net2"]);
    let both = Dump::ruleset(&namespace);
    state.ok(["remove", "net2"]);
    let dump = Dump::ruleset(&namespace);
    assert!(dump.as_str().contains("chain guest_output"), "{dump}");
    assert!(!dump.as_str().contains("virbr2"), "{dump}");
    mapped.apply([&net(2)]).stdout();
    assert_eq!(Dump::ruleset(&namespace).settled(), both.settled());
    state.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn a_network_without_rules_is_running_all_the_same() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let open = net(1).forwarding("<forward mode='open'/>");
    palisade.apply([&open]).stdout();
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    assert_eq!(palisade.running(), ["net1"]);
    // Its subnets are taken.
    let other = Definition::route("other", "virbr7", &["10.1.0.129/25"]);
    palisade.apply([&other]).refusal(1);
    palisade.ok(["remove", "net1"]);
    palisade.apply([&other]).stdout();
}

fn demo_leaves_nothing() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let text = palisade.ok(["demo"]);
    assert!(
        ["nat", "route", "isolated"]
            .iter()
            .all(|word| text.contains(word)),
        "{text}"
    );
    let help = palisade.ok(["--help"]);
    let (_, commands) = help.split_once("Commands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("their end");
    let named = commands.lines().filter(|line| !line.starts_with("   "));
    for command in named.filter_map(|line| line.split_whitespace().next()) {
        let is_shown = !["demo", "completions", "help"].contains(&command);
        let shown = text.contains(&format!("== palisade {command}"));
        assert_eq!(shown, is_shown, "{command}: {text}");
    }
    for happens in [
        "put back: default restored",
        "masquerade to :1024",
        "confirmed: default",
    ] {
        assert!(text.contains(happens), "{happens}: {text}");
    }
    assert!(!text.contains("SKIPPED"), "{text}");
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    assert!(!palisade.state().exists(), "the state directory was made");
}

fn demo_needs_no_root() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let mut demo = palisade.command_by(&nobody, ["demo"]);
    // The folder of the test is root's.
    let answer = namespace.answer(demo.current_dir("/"), "");
    let text = answer.stdout();
    assert!(text.contains("masquerade"), "{text}");
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn layout_of(palisade: &Palisade<'_>, name: &str) -> String {
    let listed = json(&palisade.ok(["--format", "json", "list"]));
    let networks = listed.as_array().expect("an array");
    let network = networks.iter().find(|network| network["name"] == name);
    let layout = network.and_then(|network| network["layout"].as_str());
    layout
        .unwrap_or_else(|| panic!("no layout of {name}: {listed}"))
        .to_owned()
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error}: {text}"))
}
