//! The figures: as a table for people, as JSON for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::Bench;
use super::contestant::{Label, What};
use super::machine::Machine;
use super::measure::Row;

pub(super) const LEGEND: &str = "\
Times are medians of alternating runs, with the fastest and the slowest. `x bytes` compares with the
same layout's bytes, made before and sent again in one exchange: the floor. `x nft` compares with
`nft -f` of libvirt's flat rules for the same IPv4 NAT networks; mapped guards their bridges in IPv6
too. `its exchanges` are the part of `Firewall::apply` that waits for the kernel.";

/// All cells of a run.
#[derive(Debug)]
pub(super) struct Report {
    machine: Machine,
    pub(super) cells: Vec<Cell>,
}

/// One bench with so many networks.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) bench: Bench,
    pub(super) size: usize,
    pub(super) rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(machine: Machine) -> Self {
        Self {
            machine,
            cells: Vec::new(),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "machine": self.machine.json(),
            "cells": self.cells.iter().map(Cell::json).collect::<Vec<_>>(),
        })
    }
}

impl Cell {
    /// How many times the floor of its layout a row takes.
    fn to_floor(&self, row: &Row) -> Option<f64> {
        self.to(
            row,
            Label {
                layout: row.label.layout,
                what: What::Resent,
            },
        )
    }

    /// How many times `nft -f` a row takes.
    fn to_nft(&self, row: &Row) -> Option<f64> {
        self.to(
            row,
            Label {
                layout: None,
                what: What::Nft,
            },
        )
    }

    fn to(&self, row: &Row, rival: Label) -> Option<f64> {
        if row.label == rival {
            return None;
        }
        let rival = self.rows.iter().find(|other| other.label == rival)?;
        let rival = rival.times.median().as_secs_f64();
        (rival > 0.0).then(|| row.times.median().as_secs_f64() / rival)
    }

    fn json(&self) -> Value {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let row = |row: &Row| {
            json!({
                "layout": row.label.layout.map(palisade::Layout::name),
                "what": row.label.what.words(),
                "runs": row.times.runs(),
                "median_ns": nanoseconds(row.times.median()),
                "least_ns": nanoseconds(row.times.least()),
                "most_ns": nanoseconds(row.times.most()),
                "to_bytes_resent": self.to_floor(row),
                "to_nft": self.to_nft(row),
            })
        };
        json!({
            "bench": self.bench.name(),
            "networks": self.size,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("{}, {}", self.bench, networks(self.size));
        writeln!(
            f,
            "\n{title:<28}{:>9}  {:>21}{:>6}{:>9}{:>9}",
            "median", "least - most", "runs", "x bytes", "x nft"
        )?;
        for row in &self.rows {
            let times = &row.times;
            let spread = format!("{} - {}", shown(times.least()), shown(times.most()));
            writeln!(
                f,
                "  {:<26}{:>9}  {spread:>21}{:>6}{:>9}{:>9}",
                row.label.to_string(),
                shown(times.median()),
                times.runs(),
                ratio(self.to_floor(row)),
                ratio(self.to_nft(row)),
            )?;
        }
        Ok(())
    }
}

/// So many networks, in words.
pub(super) fn networks(count: usize) -> String {
    match count {
        1 => "1 network".to_owned(),
        1_000.. => format!("{},{:03} networks", count / 1_000, count % 1_000),
        _ => format!("{count} networks"),
    }
}

/// Three figures, in the unit that suits them.
fn shown(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    match milliseconds {
        ..1.0 => format!("{:.0} us", milliseconds * 1e3),
        1.0..10.0 => format!("{milliseconds:.2} ms"),
        10.0..100.0 => format!("{milliseconds:.1} ms"),
        100.0..1e4 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.1} s", milliseconds / 1e3),
    }
}

fn ratio(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_owned(),
        Some(ratio) if ratio < 0.1 => format!("{ratio:.3}"),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) => format!("{ratio:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use palisade::Layout;

    use super::super::measure::Times;
    use super::*;

    fn row(layout: Option<Layout>, what: What, microseconds: u64) -> Row {
        Row {
            label: Label { layout, what },
            times: Times::new(vec![Duration::from_micros(microseconds)]),
        }
    }

    fn cell() -> Cell {
        Cell {
            bench: Bench::Apply,
            size: 1_000,
            rows: vec![
                row(Some(Layout::Mapped), What::Library, 30_000),
                row(Some(Layout::Mapped), What::Resent, 12_000),
                row(Some(Layout::Flat), What::Resent, 120_000),
                row(None, What::Nft, 240_000),
            ],
        }
    }

    #[test]
    fn each_layout_has_its_own_floor() {
        let text = cell().to_string();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0][0..4], ["mapped:", "Firewall::apply", "30.0", "ms"]);
        assert_eq!(lines[0][9..], ["1", "2.50", "0.12"]);
        assert_eq!(lines[1][10..], ["1", "-", "0.050"]);
        assert_eq!(lines[2][10..], ["1", "-", "0.50"]);
        assert_eq!(lines[3][9..], ["1", "-", "-"]);
    }

    #[test]
    fn json_has_the_same_figures() {
        let rows = &cell().json()["rows"];
        assert_eq!(rows[0]["median_ns"], 30_000_000);
        assert_eq!(rows[0]["to_bytes_resent"], 2.5);
        assert_eq!(rows[0]["layout"], "mapped");
        assert_eq!(rows[3]["to_nft"], Value::Null);
    }

    #[test]
    fn units_and_words() {
        assert_eq!(shown(Duration::from_micros(42)), "42 us");
        assert_eq!(shown(Duration::from_micros(1_234)), "1.23 ms");
        assert_eq!(shown(Duration::from_millis(244)), "244 ms");
        assert_eq!(shown(Duration::from_secs(12)), "12.0 s");
        assert_eq!(networks(1), "1 network");
        assert_eq!(networks(65_536), "65,536 networks");
    }
}
