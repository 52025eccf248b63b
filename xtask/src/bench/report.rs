//! The figures: as a table for people, as JSON for programs.

use std::fmt;

use serde_json::{Map, Value, json};

use super::amount::Amount;
use super::arguments::Bench;
use super::contestant::{Label, What, thousands};
use super::machine::Machine;
use super::measure::Row;

pub(super) const LEGEND: &str = "\
Figures are medians of alternating runs, with the least and the most. `x bytes` compares with the
same layout's bytes, made before and sent again in one exchange: the floor. `x nft` compares with
`nft -f` of libvirt's flat rules for the same IPv4 NAT networks (`nft list` where something is read);
mapped guards their bridges in IPv6 too. `its exchanges` are the part of the library's call that
waits for the kernel.";

/// All cells of a run.
#[derive(Debug)]
pub(super) struct Report {
    machine: Machine,
    pub(super) cells: Vec<Cell>,
}

/// Contestants that ran in turn.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) bench: Bench,
    /// Which of the bench's cells, where it has several of the same size.
    pub(super) part: String,
    pub(super) rows: Vec<Row>,
}

/// With whom others are compared: a column of the table.
#[derive(Debug, Clone, Copy)]
struct Rival {
    what: What,
    head: &'static str,
    among: Among,
}

/// Which of the rivals a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    /// The one with the same layout and as many networks.
    Layout,
    /// The one with as many networks.
    Size,
    /// The only one.
    All,
}

const RIVALS: [Rival; 9] = [
    Rival::new(What::Resent, "x bytes", Among::Layout),
    Rival::new(What::Dump, "x dump", Among::Layout),
    Rival::new(What::NftList, "x nft", Among::Layout),
    Rival::new(What::Question, "x ask", Among::Size),
    Rival::new(What::Rustables, "x theirs", Among::Size),
    Rival::new(What::Masquerade, "x rule", Among::All),
    Rival::new(What::True, "x true", Among::All),
    Rival::new(What::NftSame, "x nft", Among::Layout),
    Rival::new(What::Nft, "x nft", Among::Size),
];

impl Rival {
    const fn new(what: What, head: &'static str, among: Among) -> Self {
        Self { what, head, among }
    }

    fn is_of(self, row: Label, rival: Label) -> bool {
        rival.what == self.what
            && match self.among {
                Among::Layout => (rival.layout, rival.size) == (row.layout, row.size),
                Among::Size => rival.size == row.size,
                Among::All => true,
            }
    }
}

impl Report {
    pub(super) fn new(machine: Machine) -> Self {
        Self {
            machine,
            cells: Vec::new(),
        }
    }

    /// All of it, with what came of the targets.
    pub(super) fn json(&self, targets: &[Value]) -> Value {
        json!({
            "machine": self.machine.json(),
            "cells": self.cells.iter().map(Cell::json).collect::<Vec<_>>(),
            "targets": targets,
        })
    }
}

impl Cell {
    /// The rivals that ran here.
    fn rivals(&self) -> impl Iterator<Item = Rival> {
        let ran = |rival: &Rival| self.rows.iter().any(|row| row.label.what == rival.what);
        RIVALS.into_iter().filter(ran)
    }

    /// How many times its rival a row takes.
    fn ratio(&self, row: &Row, rival: Rival) -> Option<f64> {
        let is_rival = |other: &&Row| rival.is_of(row.label, other.label);
        let other = self.rows.iter().find(is_rival)?;
        if other.label == row.label {
            return None;
        }
        let (Amount(amount), Amount(of)) = (row.amounts.median(), other.amounts.median());
        (of > 0.0).then(|| amount / of)
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            let of = |rival: Rival| {
                let ratio = self.ratio(row, rival)?;
                Some((rival.what.words().to_owned(), json!(ratio)))
            };
            let (amounts, Amount(median)) = (&row.amounts, row.amounts.median());
            json!({
                "layout": row.label.layout.map(palisade::Layout::name),
                "what": row.label.what.words(),
                "networks": row.label.size,
                "runs": amounts.runs(),
                "median": median,
                "least": amounts.least().0,
                "most": amounts.most().0,
                "ratios": self.rivals().filter_map(of).collect::<Map<_, _>>(),
            })
        };
        json!({
            "bench": self.bench.name(),
            "part": self.part,
            "unit": self.bench.unit().name(),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match self.part.as_str() {
            "" => self.bench.to_string(),
            part => format!("{}: {part}", self.bench),
        };
        write!(
            f,
            "\n{title:<34}{:>8}{:>10}  {:>21}{:>6}",
            "networks", "median", "least - most", "runs"
        )?;
        for rival in self.rivals() {
            write!(f, "{:>9}", rival.head)?;
        }
        writeln!(f)?;
        let unit = self.bench.unit();
        for row in &self.rows {
            let amounts = &row.amounts;
            let (least, most) = (unit.shown(amounts.least()), unit.shown(amounts.most()));
            write!(
                f,
                "  {:<32}{:>8}{:>10}  {:>21}{:>6}",
                row.label.name(),
                thousands(row.label.size),
                unit.shown(amounts.median()),
                format!("{least} - {most}"),
                amounts.runs(),
            )?;
            for rival in self.rivals() {
                write!(f, "{:>9}", ratio(self.ratio(row, rival)))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A ratio in three figures at most.
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

    use super::super::measure::Amounts;
    use super::*;

    fn row(layout: Option<Layout>, what: What, milliseconds: f64) -> Row {
        Row {
            label: Label {
                layout,
                what,
                size: 1_000,
            },
            amounts: Amounts::new(vec![Amount(milliseconds / 1e3)]),
        }
    }

    fn cell() -> Cell {
        Cell {
            bench: Bench::Apply,
            part: String::new(),
            rows: vec![
                row(Some(Layout::Mapped), What::Library, 30.0),
                row(Some(Layout::Mapped), What::Resent, 12.0),
                row(Some(Layout::Flat), What::Resent, 120.0),
                row(None, What::Nft, 240.0),
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
        assert_eq!(lines[0][..5], ["mapped:", "library", "1,000", "30.0", "ms"]);
        assert_eq!(lines[0][10..], ["1", "2.50", "0.12"]);
        assert_eq!(lines[1][11..], ["1", "-", "0.050"]);
        assert_eq!(lines[2][11..], ["1", "-", "0.50"]);
        assert_eq!(lines[3][10..], ["1", "-", "-"]);
    }

    #[test]
    fn json_has_the_same_figures() {
        let rows = &cell().json()["rows"];
        assert_eq!(rows[0]["median"], 0.03);
        assert_eq!(rows[0]["ratios"]["bytes re-sent"], 2.5);
        assert_eq!(rows[0]["layout"], "mapped");
        assert_eq!(rows[3]["ratios"], json!({}));
    }
}
