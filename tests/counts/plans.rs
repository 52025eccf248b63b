//! A plan prints the operations that are sent, and reads no more than the change does.

use palisade::{Layout, Line, Network, Report, Sign};
use palisade_nft::object::Family;
use palisade_nft::parts::wire::{Kind, Message, chain, element, messages, rule, set, table};
use palisade_tests::Trials;
use palisade_tests::counted::{Site, network, networks};

use crate::sizes::SIZES;

/// The set with markers of transactions.
const MARKERS: &str = "transaction";

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for layout in Layout::ALL {
        let name = |what: &str| format!("{layout}: plans: {what}");
        trials = trials
            .with(name("print what is sent"), move || {
                print_what_is_sent(layout);
            })
            .with(name("read what a change reads"), move || {
                read_no_more(layout);
            });
    }
    trials
}

fn print_what_is_sent(layout: Layout) {
    let mut site = Site::new(layout);
    let changed =
        Network::clone(&network(1)).with_established(palisade::network::Established::First);
    check(&mut site, Change::Apply(&networks(2)));
    check(&mut site, Change::Apply(&[changed, network(2)]));
    check(&mut site, Change::Sync(&[network(3)]));
    check(&mut site, Change::RemoveAll);
}

/// What is planned, and then done.
#[derive(Clone, Copy)]
enum Change<'a> {
    Apply(&'a [Network]),
    Sync(&'a [Network]),
    RemoveAll,
}

#[track_caller]
fn check(site: &mut Site, change: Change<'_>) {
    let mut plan = None;
    site.count(|firewall| {
        plan = Some(match change {
            Change::Apply(networks) => firewall.plan_apply(networks),
            Change::Sync(networks) => firewall.plan_sync(networks),
            Change::RemoveAll => firewall.plan_remove_all(),
        });
    });
    site.count(|firewall| {
        match change {
            Change::Apply(networks) => firewall.apply(networks),
            Change::Sync(networks) => firewall.sync(networks),
            Change::RemoveAll => firewall.remove_all(),
        }
        .expect("a change");
    });
    let plan = plan.expect("a plan").expect("a plan");
    let (printed, sent) = (printed(&plan), sent(&site.batch()));
    // Differences alone are short enough to read.
    let without = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter()
            .filter(|line| !other.contains(line))
            .cloned()
            .collect()
    };
    let (unsent, unprinted) = (without(&printed, &sent), without(&sent, &printed));
    assert_eq!((unsent, unprinted), (Vec::new(), Vec::new()));
    assert_eq!(printed.len(), sent.len(), "{printed:#?}");
}

/// Operations as a plan prints them. What is deleted with its table or its set is not sent.
fn printed(plan: &Report) -> Vec<String> {
    let changes = plan.changes.iter().flat_map(|change| &change.lines);
    let lines: Vec<&Line> = changes.chain(&plan.shared).collect();
    let goes = |object: String| {
        let mut lines = lines.iter();
        lines.any(|line| line.sign == Sign::Goes && line.text == object)
    };
    let mut all = Vec::new();
    for line in &lines {
        let words: Vec<&str> = line.text.split(' ').collect();
        let [object, family, table, rest @ ..] = words.as_slice() else {
            panic!("{line:?}");
        };
        let is_gone_with_it = line.sign == Sign::Goes
            && (*object != "table" && goes(format!("table {family} {table}"))
                || *object == "element" && goes(format!("set {family} {table} {}", rest[0])));
        if is_gone_with_it {
            continue;
        }
        all.push(match (*object, line.sign) {
            ("rule", Sign::Comes) => signed(Sign::Comes, &line.text),
            ("element", Sign::Comes) => {
                let owner = line.text.split('"').nth_back(1).unwrap_or_default();
                let text = format!("element {family} {table} {} {owner}", rest[0]);
                signed(Sign::Comes, &text)
            }
            (_, sign) => signed(sign, &words[..words.len().min(4)].join(" ")),
        });
    }
    all.sort();
    all
}

/// The operations of a batch, without the markers of transactions.
fn sent(batch: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for message in messages(batch) {
        let message = message.expect("a message");
        if let Some(kind) = message.kind {
            read(&message, kind, &mut all);
        }
    }
    all.sort();
    all
}

fn read(message: &Message<'_>, kind: Kind, all: &mut Vec<String>) {
    let (family, body): (Family, &[u8]) = (message.family, message.body);
    let sign = match kind {
        Kind::NEW_TABLE | Kind::NEW_CHAIN | Kind::NEW_RULE | Kind::NEW_SET | Kind::NEW_ELEMENT => {
            Sign::Comes
        }
        Kind::DEL_TABLE | Kind::DEL_CHAIN | Kind::DEL_RULE | Kind::DEL_SET | Kind::DEL_ELEMENT => {
            Sign::Goes
        }
        other => panic!("{other:?}"),
    };
    let text = match kind {
        Kind::NEW_TABLE | Kind::DEL_TABLE => {
            let table = table::decode(family, body).expect("a table");
            format!("table {family} {}", table.name)
        }
        Kind::NEW_CHAIN | Kind::DEL_CHAIN => {
            let chain = chain::decode(family, body).expect("a chain");
            format!("chain {family} {} {}", chain.table, chain.name)
        }
        Kind::NEW_SET | Kind::DEL_SET => {
            let set = set::decode(family, body).expect("a set");
            if set.name == MARKERS {
                return;
            }
            format!("set {family} {} {}", set.table, set.name)
        }
        Kind::NEW_RULE => {
            let rule = rule::decode(family, body).expect("a rule");
            format!("rule {family} {} {} {rule:#}", rule.table, rule.chain)
        }
        Kind::DEL_RULE => {
            let rule = rule::decode(family, body).expect("a rule");
            format!("rule {family} {} {}", rule.table, rule.chain)
        }
        _ => {
            let listed = element::decode(family, body).expect("elements");
            if listed.set != MARKERS {
                for element in &listed.elements {
                    // Messages that delete have keys alone.
                    let owner = element.userdata.text();
                    let owner = owner.map_or_else(String::new, |owner| format!(" {owner}"));
                    let (table, set) = (&listed.table, &listed.set);
                    all.push(signed(
                        sign,
                        &format!("element {family} {table} {set}{owner}"),
                    ));
                }
            }
            return;
        }
    };
    all.push(signed(sign, &text));
}

fn signed(sign: Sign, text: &str) -> String {
    match sign {
        Sign::Comes => format!("+ {text}"),
        Sign::Goes => format!("- {text}"),
    }
}

/// Beside one network or a thousand.
fn read_no_more(layout: Layout) {
    for size in SIZES {
        let mut site = Site::with(layout, size);
        let one = [network(60_000)];
        let plan = site.count(|firewall| {
            firewall.plan_apply(&one).expect("a plan");
        });
        let apply = site.count(|firewall| {
            firewall.apply(&one).expect("a change");
        });
        assert_eq!((plan.batches, apply.batches), (0, 1));
        assert!(
            plan.questions <= apply.questions,
            "{size}: {plan:?}, {apply:?}"
        );
    }
}
