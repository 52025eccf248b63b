//! What goes to the kernel.

use palisade::network::Established;
use palisade::{Choice, Layout};
use palisade_tests::Trials;

use crate::sizes::SIZES;
use palisade_tests::counted::{Counts, Site, network, networks};

/// A number that none of the others has.
const ONE_MORE: u32 = 60_000;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for layout in Layout::ALL {
        let name = |what: &str| format!("{layout}: messages: {what}");
        trials = trials
            .with(name("all in one batch"), move || all_in_one(layout))
            .with(name("one more"), move || one_more(layout))
            .with(name("one less"), move || one_less(layout))
            .with(name("no change"), move || no_change(layout))
            .with(name("verify"), move || verify(layout));
    }
    trials
        .with("mapped: markers are swept", swept)
        .with("mapped: messages: known flows first", known_flows_first)
}

/// What each network adds to a batch.
fn all_in_one(layout: Layout) {
    let apply = |size| {
        let mut site = Site::new(layout);
        let networks = networks(size);
        site.count(|firewall| {
            firewall.apply(&networks).expect("apply networks");
        })
    };
    let counts = SIZES.map(apply);
    for Counts {
        questions, batches, ..
    } in counts
    {
        assert_eq!(batches, 1, "{counts:?}");
        // The same whatever the number, and no more than today.
        assert_eq!(questions, counts[0].questions, "{counts:?}");
        assert!(questions <= 14, "{counts:?}");
    }
    let [one, hundred, thousand] = counts;
    let each = |of: fn(&Counts) -> usize| {
        let (to_hundred, to_thousand) = (of(&hundred) - of(&one), of(&thousand) - of(&hundred));
        (to_hundred as f64 / 99.0, to_thousand as f64 / 900.0)
    };
    let (few, many) = each(|counts| counts.bytes);
    let (messages, messages_many) = each(|counts| counts.messages);
    match layout {
        // Elements share messages, of which each holds as many as fit into 64 KiB.
        Layout::Mapped => {
            assert_eq!(messages, 0.0, "{counts:?}");
            assert!(messages_many < 0.02, "{counts:?}");
            assert!(few <= 1_100.0 && many <= 1_100.0, "{few}, {many}");
        }
        // Ten rules in IPv4 as libvirt has them, three that lead to the administrator's chains, and
        // one that networks without NAT between networks need.
        Layout::Flat => {
            assert_eq!((messages, messages_many), (14.0, 14.0), "{counts:?}");
            assert!(few <= 6_000.0 && many <= 6_000.0, "{few}, {many}");
        }
    }
}

/// Beside one or a thousand, the same.
fn one_more(layout: Layout) {
    let counts = SIZES.map(|size| {
        let mut site = Site::with(layout, size);
        let one = [network(ONE_MORE)];
        site.count(|firewall| {
            firewall.apply(&one).expect("apply one more");
        })
    });
    same(counts);
    assert!(counts[0].messages <= 17, "{counts:?}");
    // Who closes a socket after a deletion waits.
    assert_eq!(counts[0].deletions, 0, "{counts:?}");
}

/// Two elements of a network more, and no more than one batch; also for a choice that networks
/// which run had not.
fn known_flows_first() {
    let counts = SIZES.map(|size| {
        let mut site = Site::choosing(Layout::Mapped, Established::First);
        let networks = networks(size);
        site.count(|firewall| {
            firewall.apply(&networks).expect("apply networks");
        });
        let one = [network(ONE_MORE)];
        let name = [one[0].name().clone()];
        let more = site.count(|firewall| {
            firewall.apply(&one).expect("apply one more");
        });
        let none = site.count(|firewall| {
            firewall.apply(&one).expect("apply it again");
        });
        let less = site.count(|firewall| {
            firewall.remove(&name).expect("remove one");
        });
        let back = site.count(|firewall| {
            let to = Choice {
                established: Some(Established::InTurn),
                ..Choice::default()
            };
            firewall.migrate(&to).expect("move them");
        });
        assert_eq!((none.questions, none.batches), (1, 0), "{none:?}");
        assert_eq!(back.batches, 1, "{back:?}");
        [more, less]
    });
    for counts in [counts.map(|[more, _]| more), counts.map(|[_, less]| less)] {
        same(counts);
        assert!(counts[0].messages <= 20, "{counts:?}");
    }
}

/// Networks that come one by one leave their markers, but never many.
fn swept() {
    let mut site = Site::with(Layout::Mapped, 1);
    let mut most = 0;
    for number in 1..=130 {
        let one = [network(number)];
        site.count(|firewall| {
            firewall.apply(&one).expect("apply one more");
        });
        most = most.max(site.markers());
    }
    assert!(most > 1 && most <= 64, "{most}");
}

/// The first that was started goes; one at least stays.
fn one_less(layout: Layout) {
    let counts = SIZES.map(|size| {
        let mut site = Site::with(layout, size + 1);
        let name = [network(0).name().clone()];
        site.count(|firewall| {
            firewall.remove(&name).expect("remove one");
        })
    });
    same(counts);
    assert!(counts[0].messages <= 18, "{counts:?}");
}

fn same(counts: [Counts; 3]) {
    assert_eq!(counts, [counts[0]; 3]);
    assert_eq!(counts[0].batches, 1);
}

/// Nothing but a question for the generation.
fn no_change(layout: Layout) {
    for size in SIZES {
        let mut site = Site::with(layout, size);
        let networks = networks(size);
        let counts = site.count(|firewall| {
            let report = firewall.sync(&networks).expect("sync");
            assert!(report.changes.is_empty(), "{:?}", report.changes);
        });
        let question = Counts {
            questions: 1,
            ..Counts::default()
        };
        assert_eq!(counts, question, "{size} networks");
    }
}

/// As many questions for a thousand as for one, and nothing is changed.
fn verify(layout: Layout) {
    let counts = SIZES.map(|size| {
        let mut site = Site::with(layout, size);
        site.count(|firewall| {
            let found = firewall.verify(&[]).expect("verify");
            assert!(found.is_empty(), "{found:?}");
        })
    });
    assert_eq!(counts, [counts[0]; 3]);
    assert_eq!(counts[0].batches, 0);
    // Four of them look for tables with palisade's mark that no record leads to.
    assert!(counts[0].questions <= 36, "{counts:?}");
}
