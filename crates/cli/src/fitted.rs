//! Tables that fit the terminal without breaking words.

use std::io;

use terminal_size::{Width, terminal_size_of};

use crate::output::wide_table;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    /// Where a terminal is narrow, columns go in the order of their ranks; those without one stay.
    rank: Option<u8>,
}

impl Column {
    /// A column that is always there.
    pub(crate) const fn kept(head: &'static str) -> Self {
        Self { head, rank: None }
    }

    /// A column that goes where there is no room for it.
    pub(crate) const fn dropped(head: &'static str, rank: u8) -> Self {
        Self {
            head,
            rank: Some(rank),
        }
    }
}

/// What stands between two columns.
const GAP: usize = 2;

/// What is left of the longest texts, at least.
const LEAST: usize = 8;

/// A table in which each row is one line. Where the terminal is narrower, columns are left out, and
/// then the longest texts are cut.
pub(crate) fn fitted(columns: &[Column], rows: Vec<Vec<String>>) -> String {
    let width = terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width));
    let (heads, rows) = match width {
        Some(width) => fit(columns, rows, width),
        None => (columns.iter().map(|column| column.head).collect(), rows),
    };
    wide_table(&heads, rows)
}

fn fit(
    columns: &[Column],
    mut rows: Vec<Vec<String>>,
    width: usize,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let mut columns = columns.to_vec();
    let of = |column: &Column, place: usize, rows: &[Vec<String>]| {
        let cells = rows.iter().map(|row| row[place].chars().count());
        cells.chain([column.head.len()]).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = (0..)
        .zip(&columns)
        .map(|(place, column)| of(column, place, &rows))
        .collect();
    let whole = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len();
    // Behind the last column there is no gap.
    while whole(&widths) > width + GAP {
        let ranked = (0..)
            .zip(&columns)
            .filter_map(|(place, column)| Some((column.rank?, place)));
        let Some((_, place)) = ranked.min() else {
            break;
        };
        columns.remove(place);
        widths.remove(place);
        for row in &mut rows {
            row.remove(place);
        }
    }
    while whole(&widths) > width + GAP {
        let widest = (0..).zip(&widths).max_by_key(|(_, width)| **width);
        let Some((place, &widest)) = widest.filter(|(_, width)| **width > LEAST) else {
            break;
        };
        let excess = whole(&widths) - width - GAP;
        // The second widest is cut when both are equally wide.
        let mut others = widths.clone();
        others.remove(place);
        let second = others.into_iter().max().unwrap_or_default();
        let to = widest
            .saturating_sub(excess)
            .max(second.min(widest - 1))
            .max(LEAST);
        for row in &mut rows {
            cut(&mut row[place], to);
        }
        widths[place] = to;
    }
    (columns.iter().map(|column| column.head).collect(), rows)
}

/// Cuts a text to so many characters, of which the last one says that there is more.
fn cut(text: &mut String, to: usize) {
    if text.chars().count() > to {
        *text = text.chars().take(to - 1).chain(['…']).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::kept("NAME"),
        Column::dropped("BRIDGE", 1),
        Column::kept("SUBNETS"),
        Column::dropped("PORTS", 0),
    ];

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        vec![
            row([
                "default",
                "virbr0",
                "192.168.122.0/24, fd00:122::/64",
                "vnet0, vnet1",
            ]),
            row(["a-name-that-is-long", "virbr1", "10.0.0.0/8", "-"]),
        ]
    }

    fn widest(heads: &[&str], rows: &[Vec<String>]) -> usize {
        let line = |cells: Vec<usize>| cells.iter().sum::<usize>() + GAP * (cells.len() - 1);
        let mut widths: Vec<usize> = heads.iter().map(|head| head.len()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        line(widths)
    }

    #[test]
    fn columns_go_by_rank_and_then_long_texts_are_cut() {
        let heads = |width| fit(&COLUMNS, rows(), width).0;
        assert_eq!(heads(200), ["NAME", "BRIDGE", "SUBNETS", "PORTS"]);
        assert_eq!(heads(70), ["NAME", "BRIDGE", "SUBNETS"]);
        assert_eq!(heads(55), ["NAME", "SUBNETS"]);
        for width in 20..200 {
            let (heads, rows) = fit(&COLUMNS, rows(), width);
            assert!(widest(&heads, &rows) <= width, "{width}: {rows:?}");
        }
        let (_, rows) = fit(&COLUMNS, rows(), 40);
        assert_eq!(rows[0][0], "default");
        assert_eq!(rows[0][1], "192.168.122.0/24, …");
    }

    #[test]
    fn no_width_is_too_small() {
        for width in 0..20 {
            assert_eq!(fit(&COLUMNS, rows(), width).0, ["NAME", "SUBNETS"]);
        }
    }
}
