//! What is taken away: exactly what was put there, never more, and nothing of others'.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use palisade_tests::{
    Definition, Dump, Namespace, Palisade, Trials, assert_as_applied, assert_same,
};

type Test = fn(&str);

fn main() -> ExitCode {
    let tests: [(&str, Test); 10] = [
        ("the middle of three goes alone", the_middle_of_three),
        ("with all networks the tables go", all),
        ("other tables stay as they are", others_tables),
        ("an administrator's rules stay", foreign_rules),
        ("an administrator's element stays", foreign_element),
        ("an unknown name removes nothing", unknown_name),
        ("a table without our mark is refused", unmarked_table),
        ("after `nft flush ruleset`", flushed),
        ("what somebody took away is no hindrance", taken_away),
        ("after a reload in another order", reloaded),
    ];
    let mut trials = Trials::new();
    for layout in ["flat", "mapped"] {
        for (name, test) in tests {
            trials = trials.with(format!("{layout}: {name}"), move || test(layout));
        }
    }
    palisade_tests::run(trials)
}

/// Three networks of the same shape, so that all that they share is needed by the other two.
fn three() -> [Definition; 3] {
    let nat = "<forward mode='nat'><nat ipv6='yes'/></forward>";
    [1, 2, 3].map(|i| {
        let subnets = [format!("10.{i}.0.1/24"), format!("fd00:{i}::1/64")];
        let [v4, v6] = &subnets;
        Definition::nat(&format!("net{i}"), &format!("virbr{i}"), &[v4, v6]).forwarding(nat)
    })
}

fn the_middle_of_three(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let [first, middle, last] = three();
    palisade.apply([&first, &middle, &last]).stdout();
    let before = rules_with_handles(&namespace);
    palisade.ok(["remove", "net2"]);
    let after = rules_with_handles(&namespace);
    assert!(!after.is_empty());
    let touched: Vec<&String> = after.difference(&before).collect();
    assert!(touched.is_empty(), "these were made anew: {touched:#?}");
    assert_as_applied(&namespace, layout, [&first, &last]);
    assert_eq!(palisade.running(), ["net1", "net3"]);
}

fn all(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    assert_eq!(palisade.running(), [""; 0]);
    // Nothing to remove is what was asked for.
    palisade.ok(["remove", "--all"]);
}

fn others_tables(layout: &str) {
    let namespace = Namespace::new();
    namespace.nft(
        "table ip other {\n\tchain forward {\n\t\ttype filter hook forward priority 0;\n\
         \t\tiifname \"virbr1\" counter accept\n\t}\n}\ntable inet palisade {\n\tset bridges {\n\
         \t\ttype ifname; elements = { \"virbr1\" }\n\t}\n}\n",
    );
    let others = || {
        [("ip", "other"), ("inet", "palisade")]
            .map(|(family, name)| Dump::table(&namespace, family, name).expect("the other table"))
    };
    let before = others();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    assert_eq!(others(), before);
    palisade.ok(["remove", "--all"]);
    assert_eq!(others(), before);
    assert_eq!(Dump::table(&namespace, "ip", "palisade"), None);
}

/// In a chain of ours, at its head and at its end.
fn foreign_rules(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    let chain = if layout == "flat" {
        "guest_output"
    } else {
        "from_guest"
    };
    namespace.nft(&format!(
        "insert rule ip palisade {chain} iifname \"virbr2\" counter accept comment \"net2: mine\"\n\
         add rule ip palisade {chain} iifname \"eth7\" drop\n"
    ));
    let theirs = [
        (
            chain,
            "iifname \"virbr2\" counter accept comment \"net2: mine\"",
        ),
        (chain, "iifname \"eth7\" drop"),
    ];
    palisade.ok(["remove", "net2"]);
    let dump = Dump::ruleset(&namespace);
    let left = dump.rules();
    assert!(theirs.iter().all(|rule| left.contains(rule)), "{dump}");
    let told = palisade.answer(["remove", "--all"]);
    assert!(
        format!("{}{}", told.stdout, told.stderr).contains(chain),
        "{told}"
    );
    told.stdout();
    let dump = Dump::ruleset(&namespace);
    // What leads to their chain may stay with it.
    let mut left = dump.rules();
    left.retain(|(_, rule)| !rule.contains(" comment \"palisade: "));
    assert_eq!(left, theirs, "{dump}");
    assert_no_element(&dump);
    assert_eq!(Dump::table(&namespace, "ip6", "palisade"), None);
    assert_eq!(palisade.running(), [""; 0]);
    // And networks can come back beside them.
    palisade.apply(&three()).stdout();
    let dump = Dump::ruleset(&namespace);
    assert!(
        theirs.iter().all(|rule| dump.rules().contains(rule)),
        "{dump}"
    );
}

#[track_caller]
fn assert_no_element(dump: &Dump) {
    assert!(!dump.as_str().contains("elements"), "{dump}");
}

fn foreign_element(layout: &str) {
    if layout == "flat" {
        // There are no sets in it: one of somebody's own is foreign as a whole.
        return foreign_set(layout);
    }
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    namespace.nft("add element ip palisade bridges { \"virbr77\" }\n");
    palisade.ok(["remove", "net2"]);
    assert!(Dump::ruleset(&namespace).as_str().contains("\"virbr77\""));
    let told = palisade.answer(["remove", "--all"]);
    assert!(
        format!("{}{}", told.stdout, told.stderr).contains("bridges"),
        "{told}"
    );
    told.stdout();
    let left = Dump::ruleset(&namespace);
    assert!(
        left.as_str().contains("elements = { \"virbr77\" }"),
        "{left}"
    );
    assert_eq!(left.as_str().matches("elements").count(), 1, "{left}");
    assert_eq!(Dump::table(&namespace, "ip6", "palisade"), None);
}

fn foreign_set(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    namespace.nft("table ip palisade { set mine { type ifname; elements = { \"eth7\" }; }; }\n");
    let told = palisade.answer(["remove", "--all"]);
    assert!(
        format!("{}{}", told.stdout, told.stderr).contains("mine"),
        "{told}"
    );
    told.stdout();
    let left = Dump::ruleset(&namespace);
    assert!(left.as_str().contains("elements = { \"eth7\" }"), "{left}");
    assert!(
        !left.as_str().contains("\"net"),
        "a rule of a network is left:\n{left}"
    );
}

fn unknown_name(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    let before = rules_with_handles(&namespace);
    let refusal = palisade.answer(["remove", "net1", "nosuch"]).refusal(1);
    assert!(refusal.contains("nosuch"), "{refusal}");
    assert_eq!(rules_with_handles(&namespace), before);
    assert_as_applied(&namespace, layout, &three());
    assert_eq!(palisade.running().len(), 3);
}

fn unmarked_table(layout: &str) {
    for family in ["ip", "ip6"] {
        let namespace = Namespace::new();
        namespace.nft(&format!(
            "table {family} palisade {{\n\tchain mine {{\n\t}}\n}}\n"
        ));
        let before = Dump::ruleset(&namespace);
        let palisade = Palisade::with_layout(&namespace, layout);
        let refusal = palisade.apply(&three()).refusal(1);
        assert!(refusal.contains(&format!("{family} palisade")), "{refusal}");
        assert_same(
            "a table of somebody else",
            ("before", &before),
            ("after", &Dump::ruleset(&namespace)),
        );
        assert_eq!(palisade.running(), [""; 0]);
        // Under another name there is room for both.
        let palisade = palisade.with(["--table", "guests"]);
        palisade.apply(&three()).stdout();
        palisade.ok(["remove", "--all"]);
        assert_eq!(Dump::ruleset(&namespace), before);
    }
}

fn flushed(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let [first, second, third] = three();
    palisade.apply([&first, &second, &third]).stdout();
    namespace.nft("flush ruleset\n");
    palisade.ok(["remove", "net2"]);
    assert_eq!(palisade.running(), ["net1", "net3"]);
    // The same definitions: what is missing is put back, although the last to change was ours.
    palisade.apply([&first, &third]).stdout();
    assert_as_applied(&namespace, layout, [&first, &third]);
    namespace.nft("flush ruleset\n");
    palisade.apply([&second]).stdout();
    palisade.apply([&first, &second, &third]).stdout();
    assert_stands(&namespace, layout, &three());
    namespace.nft("flush ruleset\n");
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    assert_eq!(palisade.running(), [""; 0]);
}

/// A chain or a set that somebody emptied: `apply` fills it again, each rule in its place, and
/// `remove` does without.
fn taken_away(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&three()).stdout();
    let emptied = match layout {
        "flat" => "flush chain ip palisade guest_input\nflush chain ip6 palisade guest_cross\n",
        _ => "flush set ip palisade bridges\nflush set ip6 palisade cross\n",
    };
    namespace.nft(emptied);
    palisade.apply(&three()).stdout();
    assert_as_applied(&namespace, layout, &three());
    namespace.nft(emptied);
    palisade.ok(["remove", "net2"]);
    assert_eq!(palisade.running(), ["net1", "net3"]);
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

/// These networks, in whatever order.
#[track_caller]
fn assert_stands(namespace: &Namespace, layout: &str, definitions: &[Definition]) {
    let fresh = Namespace::new();
    Palisade::with_layout(&fresh, layout)
        .apply(definitions)
        .stdout();
    let rules = |dump: &Dump| {
        let lines = dump.as_str().lines().map(str::to_owned);
        lines.collect::<BTreeSet<String>>()
    };
    let [expected, found] = [&fresh, namespace].map(|n| rules(&Dump::ruleset(n).settled()));
    let missing: Vec<&String> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}");
}

/// Handles begin anew in a table that is made anew: those that were recorded are other rules' now.
fn reloaded(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let [first, second, third] = three();
    palisade.apply([&first, &second, &third]).stdout();
    let reversed = palisade.render([&third, &second, &first]);
    namespace.nft(&format!("flush ruleset\n{reversed}"));
    palisade.ok(["remove", "net2"]);
    assert_as_applied(&namespace, layout, [&third, &first]);
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

/// Each rule as `nft` lists it, with the handle that it keeps for as long as it stands.
fn rules_with_handles(namespace: &Namespace) -> BTreeSet<String> {
    let mut nft = Command::new("nft");
    let listed = namespace.answer(nft.args(["-s", "-a", "list", "ruleset"]), "");
    let listed = Dump::expected(&listed.stdout());
    let rules = listed.rules();
    rules
        .iter()
        .map(|(chain, rule)| format!("{chain}: {rule}"))
        .collect()
}
