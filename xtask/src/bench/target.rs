//! What is to be reached (issue 5), and by how much it is.

use std::fmt::Write;

use palisade::Layout;
use serde_json::{Value, json};

use super::amount::{Amount, Unit};
use super::arguments::Bench;
use super::contestant::{Label, What};
use super::one::{COMMAND, DAEMON};
use super::report::Cell;

/// One figure, compared with a limit.
struct Target {
    /// In words.
    words: String,
    row: Row,
    limit: Limit,
}

/// A row of the report.
#[derive(Debug, Clone, Copy)]
struct Row {
    bench: Bench,
    /// What the name of the cell begins with.
    part: &'static str,
    label: Label,
}

/// What a figure may be.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// At most so many times another one.
    Times(f64, Row),
    /// At most so much.
    Most(Amount),
}

/// What came of a target.
struct Outcome {
    words: String,
    is: f64,
    limit: f64,
    /// Of figures that are no ratios.
    unit: Option<Unit>,
}

const MAPPED: Option<Layout> = Some(Layout::Mapped);
const FLAT: Option<Layout> = Some(Layout::Flat);

/// Of mapped unless another layout is named.
fn row(bench: Bench, part: &'static str, what: What, size: usize) -> Row {
    let layout = match what {
        What::Nft | What::Legacy | What::IptablesNft | What::Masquerade => None,
        What::True | What::Version | What::List | What::LibraryIptables => None,
        What::Question | What::OurEncoder | What::Rustables => None,
        _ => MAPPED,
    };
    Row {
        bench,
        part,
        label: Label { layout, what, size },
    }
}

fn flat(bench: Bench, part: &'static str, what: What, size: usize) -> Row {
    let mut row = row(bench, part, what, size);
    row.label.layout = FLAT;
    row
}

fn target(words: impl Into<String>, row: Row, limit: Limit) -> Target {
    Target {
        words: words.into(),
        row,
        limit,
    }
}

fn all() -> Vec<Target> {
    let mut all = applying();
    all.extend(one_network());
    all.extend(packets());
    all.extend(others());
    all
}

fn applying() -> Vec<Target> {
    use Limit::Times;
    let of = |what| row(Bench::Apply, "", what, 1_000);
    let mut all = vec![
        target(
            "1: apply 1,000: kernel's part / re-sent bytes",
            of(What::Kernel),
            Times(1.1, of(What::Resent)),
        ),
        target(
            "1: apply 1,000: library / re-sent bytes",
            of(What::Library),
            Times(2.0, of(What::Resent)),
        ),
        target(
            "1: apply 1,000: palisade sync / nft -f",
            of(What::Sync),
            Times(0.15, of(What::Nft)),
        ),
        target(
            "1: apply 1,000: library / iptables-legacy-restore",
            of(What::Library),
            Times(1.0, of(What::Legacy)),
        ),
        target(
            "7: encode 1,000: our encoder / rustables'",
            row(Bench::Encode, "", What::OurEncoder, 1_000),
            Times(1.0, row(Bench::Encode, "", What::Rustables, 1_000)),
        ),
    ];
    for size in [1, 10, 100, 1_000] {
        all.push(target(
            format!("9: apply {size}, flat: palisade sync / nft -f"),
            flat(Bench::Apply, "", What::Sync, size),
            Times(1.0, row(Bench::Apply, "", What::Nft, size)),
        ));
        all.push(target(
            format!("9: apply {size}, iptables: library / iptables-legacy-restore"),
            row(Bench::Apply, "", What::LibraryIptables, size),
            Times(1.0, row(Bench::Apply, "", What::Legacy, size)),
        ));
    }
    all
}

fn one_network() -> Vec<Target> {
    use Limit::{Most, Times};
    let mut all = Vec::new();
    let part = |what| {
        if what == What::Command {
            COMMAND
        } else {
            DAEMON
        }
    };
    let add = |what, size| row(Bench::AddOne, part(what), what, size);
    let remove = |what, size| row(Bench::RemoveOne, part(what), what, size);
    for (what, times) in [(What::Library, 1.2), (What::Command, 1.5)] {
        for (few, many) in [(0, 10_000), (1, 1_000), (1, 10_000)] {
            let (of, to) = (add(what, many), add(what, few));
            let words = format!("2: add one beside {many} / beside {few}: {}", what.words());
            all.push(target(words, of, Times(times, to)));
        }
        let words = format!("2: remove one of 5,000 / of 2: {}", what.words());
        all.push(target(
            words,
            remove(what, 4_999),
            Times(times, remove(what, 1)),
        ));
    }
    all.push(target(
        "2: add one beside 10,000: library",
        add(What::Library, 10_000),
        Most(Amount(100e-6)),
    ));
    all.push(target(
        "2: remove one of 5,000: library",
        remove(What::Library, 4_999),
        Most(Amount(100e-6)),
    ));
    all.push(target(
        "3: sync of 1,000 unchanged: library",
        row(Bench::NoChange, "", What::Library, 1_000),
        Most(Amount(1e-3)),
    ));
    for (part, size) in [("beside 1 network", 1), ("beside 1,000", 1_000)] {
        let of = flat(Bench::AddOne, part, What::Command, size);
        let to = row(Bench::AddOne, part, What::Nft, size);
        let words = format!("9: add one beside {size}, flat: command / nft -f");
        all.push(target(words, of, Times(1.0, to)));
    }
    all
}

fn packets() -> Vec<Target> {
    let mut all = Vec::new();
    for part in [
        "udp packets, ipv4",
        "round trips, ipv4",
        "new connections, ipv4",
        "new flows, ipv4",
        "udp packets, ipv6",
        "round trips, ipv6",
        "new connections, ipv6",
        "new flows, ipv6",
    ] {
        let of = |size| row(Bench::Packets, part, What::Packets, size);
        let one_flat = flat(Bench::Packets, part, What::Packets, 1);
        let rule = row(Bench::Packets, part, What::Masquerade, 1);
        for (size, words, times, to) in [
            (1_000, "of 1", 1.05, of(1)),
            (10_000, "of 1", 1.05, of(1)),
            (1_000, "of 1 flat", 1.10, one_flat),
            (1_000, "one rule", 1.10, rule),
        ] {
            let words = format!("4: {part}: last of {size} / {words}");
            all.push(target(words, of(size), Limit::Times(times, to)));
        }
    }
    all
}

fn others() -> Vec<Target> {
    use Limit::{Most, Times};
    let memory = |part, what| row(Bench::Memory, part, what, 10_000);
    let read = |what| row(Bench::ReadBack, "", what, 1_000);
    let start = |what| row(Bench::Start, "", what, 1);
    vec![
        target(
            "5: kernel's memory a network, beside counters",
            memory("a network", What::MemoryWithoutCounters),
            Most(Amount(1024.0)),
        ),
        target(
            "5: a process with 10,000 networks open",
            memory("of a process", What::Process),
            Most(Amount(50.0 * 1_048_576.0)),
        ),
        target(
            "6: read back 1,000: dump, decode, lift / raw dump",
            read(What::Lift),
            Times(1.5, read(What::Dump)),
        ),
        target(
            "6: read back 1,000: verify / raw dump",
            read(What::Library),
            Times(1.5, read(What::Dump)),
        ),
        target(
            "6: read back 1,000: verify / nft list",
            read(What::Library),
            Times(0.2, read(What::NftList)),
        ),
        target(
            "8: palisade --version / true",
            start(What::Version),
            Times(1.5, start(What::True)),
        ),
        target(
            "8: palisade list / true",
            start(What::List),
            Times(1.5, start(What::True)),
        ),
        target(
            "8: palisade apply of one / nft -f of the same",
            start(What::Command),
            Times(1.0, start(What::NftSame)),
        ),
        target(
            "9: palisade apply of one, flat / nft -f of the same",
            flat(Bench::Start, "", What::Command, 1),
            Times(1.0, flat(Bench::Start, "", What::NftSame, 1)),
        ),
    ]
}

/// What came of those targets that were measured.
fn outcomes(cells: &[Cell]) -> Vec<Outcome> {
    let find = |row: Row| {
        let mut of_bench = cells.iter().filter(|cell| {
            cell.bench == row.bench && cell.part.to_lowercase().starts_with(row.part)
        });
        of_bench.find_map(|cell| {
            let found = cell.rows.iter().find(|other| other.label == row.label)?;
            Some(found.amounts.median())
        })
    };
    let outcome = |target: Target| {
        let Amount(amount) = find(target.row)?;
        let (is, limit, unit) = match target.limit {
            Limit::Times(limit, to) => (amount / find(to)?.0, limit, None),
            Limit::Most(Amount(limit)) => (amount, limit, Some(target.row.bench.unit())),
        };
        Some(Outcome {
            words: target.words,
            is,
            limit,
            unit,
        })
    };
    all().into_iter().filter_map(outcome).collect()
}

/// Each target that was measured, on a line.
pub(super) fn table(cells: &[Cell]) -> String {
    let outcomes = outcomes(cells);
    let mut text = String::new();
    if outcomes.is_empty() {
        return text;
    }
    let head = ("target", "is", "at most");
    let _ = writeln!(text, "\n{:<62}{:>10}{:>10}", head.0, head.1, head.2);
    for outcome in outcomes {
        let shown = |figure| match outcome.unit {
            Some(unit) => unit.shown(Amount(figure)),
            None => format!("{figure:.2}"),
        };
        let (is, limit) = (shown(outcome.is), shown(outcome.limit));
        let verdict = match outcome.is / outcome.limit {
            ..=1.0 => "met".to_owned(),
            times => format!("missed by {:.0} %", (times - 1.0) * 100.0),
        };
        let _ = writeln!(text, "{:<62}{is:>10}{limit:>10}  {verdict}", outcome.words);
    }
    text
}

pub(super) fn json(cells: &[Cell]) -> Vec<Value> {
    let value = |outcome: Outcome| {
        json!({
            "target": outcome.words,
            "is": outcome.is,
            "at_most": outcome.limit,
            "unit": outcome.unit.map(Unit::name),
            "met": outcome.is <= outcome.limit,
        })
    };
    outcomes(cells).into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::super::measure::{self, Amounts};
    use super::*;

    fn cell(bench: Bench, part: &str, rows: &[(Label, f64)]) -> Cell {
        let row = |&(label, amount): &(Label, f64)| measure::Row {
            label,
            amounts: Amounts::new(vec![Amount(amount)]),
        };
        Cell {
            bench,
            part: part.to_owned(),
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn met_and_missed() {
        let label = |what| Label::of(Layout::Mapped, what, 1_000);
        let cells = [
            cell(
                Bench::Apply,
                "",
                &[
                    (label(What::Library), 0.03),
                    (label(What::Resent), 0.012),
                    (Label::other(What::Legacy, 1_000), 0.04),
                ],
            ),
            cell(Bench::NoChange, "", &[(label(What::Library), 0.0005)]),
        ];
        let text = table(&cells);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].ends_with("missed by 25 %"), "{text}");
        assert!(lines[1].ends_with("met"), "{text}");
        assert!(
            lines[2].contains("500 us") && lines[2].ends_with("met"),
            "{text}"
        );
        let met: Vec<bool> = json(&cells)
            .iter()
            .map(|outcome| outcome["met"].as_bool().unwrap())
            .collect();
        assert_eq!(met, [false, true, true]);
    }
}
