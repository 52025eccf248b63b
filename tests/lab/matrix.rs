//! Everybody to everybody: what arrives in one layout arrives in the other, from the same source,
//! but for the two documented differences.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::thread;

use palisade_tests::probe::{End, Outcome, send};

use crate::Lab;
use crate::topology::{Ends, Topology, address};

/// How many questions are asked at a time: those that find no answer wait.
const ASKERS: usize = 16;

/// Why one arrives in `flat` and not in `mapped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// Into a routed network, although the source's own rules say no.
    SourceFirst,
    /// By IPv6, from or to a network without it.
    EveryBridge,
}

pub(crate) fn layouts_agree(flat: &Lab, mapped: &Lab) {
    let (flat, mapped) = (outcomes(&flat.topology), outcomes(&mapped.topology));
    assert_eq!(flat.len(), mapped.len());
    let mut seen = BTreeMap::new();
    for (pair, in_flat) in &flat {
        let in_mapped = &mapped[pair];
        if in_flat == in_mapped {
            continue;
        }
        let told = format!("{pair:?}: {in_flat:?} in flat, {in_mapped:?} in mapped");
        let difference = documented(pair).unwrap_or_else(|| panic!("{told}"));
        let is_stopped =
            matches!(in_flat, Fate::Arrives(_)) && !matches!(in_mapped, Fate::Arrives(_));
        assert!(is_stopped, "{told}");
        *seen.entry(difference).or_insert(0) += 1;
    }
    // Both are there, or the matrix does not reach them.
    assert_eq!(seen.len(), 2, "{seen:?}");
}

/// From whom, to whom, by which family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    from: &'static str,
    source: Source,
    to: &'static str,
    v6: bool,
}

/// Which address a sender gives as its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Own,
    MadeUp,
    Stolen,
}

/// What became of a datagram, told alike in both layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives(IpAddr),
    Refused,
    Lost,
}

fn documented(pair: &Pair) -> Option<Difference> {
    if pair.v6 && (pair.from == "quiet4" || pair.to == "quiet4") {
        Some(Difference::EveryBridge)
    } else if pair.to == "route"
        && (pair.source != Source::Own || ["quiet", "quiet4", "uplink"].contains(&pair.from))
    {
        Some(Difference::SourceFirst)
    } else {
        None
    }
}

const NETWORKS: [&str; 6] = ["nat", "uplink", "route", "quiet", "quiet4", "twin"];

fn outcomes(topology: &Topology) -> BTreeMap<Pair, Fate> {
    let worlds = [
        ("world", topology.world()),
        ("second world", topology.second_world()),
    ];
    let second = NETWORKS.map(|network| (network, topology.guests(network)[1]));
    let receivers: Vec<(&'static str, Ends<'_>)> = worlds.into_iter().chain(second).collect();
    let mut senders = worlds
        .map(|(name, ends)| (name, Source::Own, ends))
        .to_vec();
    for network in NETWORKS {
        senders.extend([
            (network, Source::Own, topology.guest(network)),
            (network, Source::MadeUp, topology.liar(network)),
            (network, Source::Stolen, topology.thief(network)),
        ]);
    }
    let mut questions: Vec<(Pair, End<'_>, End<'_>)> = Vec::new();
    for (from, source, sender) in senders {
        // A world does not ask itself.
        let others = receivers
            .iter()
            .filter(|(to, _)| *to != from || NETWORKS.contains(to));
        for &(to, receiver) in others {
            for (v6, (sender, receiver)) in
                [false, true].into_iter().zip(sender.iter().zip(receiver))
            {
                questions.push((
                    Pair {
                        from,
                        source,
                        to,
                        v6,
                    },
                    *sender,
                    receiver,
                ));
            }
        }
    }
    let (questions, fates) = (Mutex::new(questions), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                // Not a `while let`, which would keep the questions locked.
                loop {
                    let Some((pair, from, to)) = questions.lock().expect("no panic").pop() else {
                        break;
                    };
                    let fate = fate(send(&from, &to));
                    fates.lock().expect("no panic").insert(pair, fate);
                }
            });
        }
    });
    fates.into_inner().expect("no panic")
}

fn fate(outcome: Outcome) -> Fate {
    match outcome {
        Outcome::Refused => Fate::Refused,
        Outcome::Silent => Fate::Lost,
        Outcome::Answered(source) | Outcome::Arrived(source) => {
            // Which one of the range's addresses is the kernel's choice.
            let range = address("203.0.113.7")..=address("203.0.113.9");
            let source = source.ip();
            Fate::Arrives(if range.contains(&source) {
                *range.start()
            } else {
                source
            })
        }
    }
}
