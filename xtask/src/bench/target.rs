//! The targets (issue 5), and by how much each is met or missed.

use std::fmt::Write;

use serde_json::{Value, json};

use super::amount::{Amount, Unit};
use super::measure::Row;
use super::report::Cell;

/// All targets, in columns.
const TARGETS: &str = include_str!("targets.txt");

/// How a figure of a bench compares with its limit.
struct Outcome {
    name: &'static str,
    is: f64,
    at_most: f64,
    /// None for ratios.
    unit: Option<Unit>,
}

/// A figure of the report.
struct Figure<'a> {
    bench: &'a str,
    part: String,
    what: String,
    networks: usize,
    unit: Unit,
    median: f64,
}

fn figures(cells: &[Cell]) -> Vec<Figure<'static>> {
    let of_cell = |cell: &Cell| {
        let row = |row: &Row| Figure {
            bench: cell.bench.name(),
            part: cell.part.to_lowercase(),
            what: row.label.name(),
            networks: row.label.size,
            unit: cell.bench.unit(),
            median: row.amounts.median().0,
        };
        cell.rows.iter().map(row).collect::<Vec<_>>()
    };
    cells.iter().flat_map(of_cell).collect()
}

/// The outcomes of those targets of which there are figures.
fn outcomes(figures: &[Figure<'_>]) -> Vec<Outcome> {
    let lines = TARGETS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| outcome(line, figures)).collect()
}

fn outcome(line: &'static str, figures: &[Figure<'_>]) -> Option<Outcome> {
    let mut columns = line.split('|').map(str::trim);
    let (bench, part) = split(columns.next()?, "; ");
    let find = |figure| {
        let (what, networks) = split(figure, " @ ");
        figures.iter().find(|it| {
            it.bench == bench
                && it.part.starts_with(part)
                && it.what == what
                && it.networks.to_string() == networks
        })
    };
    let (figure, at_most) = (find(columns.next()?)?, columns.next()?.parse().ok()?);
    let (is, unit) = match columns.next()? {
        "" => (figure.median, Some(figure.unit)),
        other => (figure.median / find(other)?.median, None),
    };
    let name = columns.next()?;
    Some(Outcome {
        name,
        is,
        at_most,
        unit,
    })
}

fn split<'a>(text: &'a str, separator: &str) -> (&'a str, &'a str) {
    text.split_once(separator).unwrap_or((text, ""))
}

/// Each target that was measured, on a line.
pub(super) fn table(cells: &[Cell]) -> String {
    let outcomes = outcomes(&figures(cells));
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
        let (is, limit) = (shown(outcome.is), shown(outcome.at_most));
        let verdict = match outcome.is / outcome.at_most {
            ..=1.0 => "met".to_owned(),
            times => format!("missed by {:.0} %", (times - 1.0) * 100.0),
        };
        let _ = writeln!(text, "{:<62}{is:>10}{limit:>10}  {verdict}", outcome.name);
    }
    text
}

pub(super) fn json(cells: &[Cell]) -> Vec<Value> {
    let value = |outcome: Outcome| {
        json!({
            "target": outcome.name,
            "is": outcome.is,
            "at_most": outcome.at_most,
            "unit": outcome.unit.map(Unit::name),
            "met": outcome.is <= outcome.at_most,
        })
    };
    outcomes(&figures(cells)).into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Bench;
    use super::super::contestant::{Label, What};
    use super::super::measure::Amounts;
    use super::*;
    use crate::program::workspace;

    /// The published report has the figures of every target, and the outcome of each.
    #[test]
    fn the_published_targets_follow_from_the_published_figures() {
        let path = workspace().join("docs/performance/figures.json");
        let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut figures = Vec::new();
        for cell in report["cells"].as_array().unwrap() {
            for row in cell["rows"].as_array().unwrap() {
                let what = text(&row["what"]);
                figures.push(Figure {
                    bench: cell["bench"].as_str().unwrap(),
                    part: text(&cell["part"]).to_lowercase(),
                    what: match row["layout"].as_str() {
                        Some(layout) => format!("{layout}: {what}"),
                        None => what,
                    },
                    networks: row["networks"].as_u64().unwrap().try_into().unwrap(),
                    unit: match cell["unit"].as_str() {
                        Some("bytes") => Unit::Bytes,
                        _ => Unit::Seconds,
                    },
                    median: row["median"].as_f64().unwrap(),
                });
            }
        }
        let outcomes = outcomes(&figures);
        let lines = TARGETS.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(outcomes.len(), lines.count());
        for published in report["targets"].as_array().unwrap() {
            let name = text(&published["target"]);
            let found = outcomes.iter().find(|it| it.name == name);
            let is = found.map_or(f64::NAN, |found| found.is);
            let ratio = is / published["is"].as_f64().unwrap();
            assert!((ratio - 1.0).abs() < 1e-9, "{name}: {is}");
            let unit = found.and_then(|found| found.unit).map(Unit::name);
            assert_eq!(unit, published["unit"].as_str(), "{name}");
        }
    }

    #[test]
    fn met_and_missed() {
        let row = |label, seconds| Row {
            label,
            amounts: Amounts::new(vec![Amount(seconds)]),
        };
        let label = |what| Label::of(palisade::Layout::Mapped, what, 1_000);
        let cell = |bench, rows| Cell {
            bench,
            part: String::new(),
            rows,
        };
        let cells = [
            cell(
                Bench::Apply,
                vec![
                    row(label(What::Library), 0.03),
                    row(label(What::Resent), 0.012),
                    row(Label::other(What::Legacy, 1_000), 0.04),
                ],
            ),
            cell(Bench::NoChange, vec![row(label(What::Library), 0.0005)]),
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
        let met: Vec<Value> = json(&cells).iter().map(|it| it["met"].clone()).collect();
        assert_eq!(met, [false, true, true]);
    }
}
