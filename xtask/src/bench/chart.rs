//! Curves over the number of networks, as SVG. Both axes are logarithmic.

use std::fmt::Write;

use palisade::Layout;

use super::amount::{Amount, Unit};
use super::arguments::Bench;
use super::contestant::{Label, What, thousands};
use super::report::Cell;

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 410.0;
/// Ours are in these colours, one for what is measured, whatever the layout; others in grey.
const OURS: [&str; 6] = [
    "#0b6e4f", "#1f77b4", "#d1495b", "#8e44ad", "#e08e0b", "#0aa6a6",
];
const OTHERS: [&str; 5] = ["#222222", "#777777", "#aaaaaa", "#5b4636", "#b59f85"];

/// A picture of some cells.
struct Chart {
    title: String,
    y: Scale,
    series: Vec<Series>,
}

/// What stands at the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Of(Unit),
    /// Times something else.
    Times,
}

/// One contestant over the number of networks.
struct Series {
    label: Label,
    points: Vec<(f64, f64)>,
}

/// All curves that these cells give, with the names of their files.
pub(super) fn all(cells: &[Cell]) -> Vec<(String, String)> {
    let title = |bench| match bench {
        Bench::Encode => "From networks to bytes: time, nothing sent",
        Bench::Apply => "New networks where there are none: time for all of them",
        Bench::AddOne => "One network more beside others: time",
        Bench::RemoveOne => "One network less, others stay: time",
        Bench::NoChange => "Sync of networks that run as they should: time",
        Bench::ReadBack => "Reading back what stands: time",
        Bench::Packets | Bench::Start | Bench::Memory => "",
    };
    let mut charts = Vec::new();
    for bench in [
        Bench::Encode,
        Bench::Apply,
        Bench::AddOne,
        Bench::RemoveOne,
        Bench::NoChange,
        Bench::ReadBack,
    ] {
        let of_bench = cells.iter().filter(|cell| cell.bench == bench);
        let chart = Chart {
            title: title(bench).to_owned(),
            y: Scale::Of(bench.unit()),
            series: series(of_bench, |_| Some(1.0)),
        };
        charts.push((format!("{bench}.svg"), chart));
    }
    for cell in cells.iter().filter(|cell| cell.bench == Bench::Packets) {
        let chart = Chart {
            title: format!(
                "{}, times what they cost with one masquerade rule",
                cell.part
            ),
            y: Scale::Times,
            series: series([cell], |cell| {
                let rule = |row: &&super::measure::Row| row.label.what == What::Masquerade;
                let Amount(cost) = cell.rows.iter().find(rule)?.amounts.median();
                Some(cost)
            }),
        };
        let name = cell
            .part
            .to_lowercase()
            .replace(", ", "-")
            .replace(' ', "-");
        charts.push((format!("packets-{name}.svg"), chart));
    }
    let is_drawn = |(_, chart): &(String, Chart)| chart.series.iter().any(|s| s.points.len() > 1);
    let charts = charts.into_iter().filter(is_drawn);
    charts.map(|(name, chart)| (name, chart.svg())).collect()
}

/// What has the same name belongs together, whatever cell it is in. No network has no place on a
/// logarithmic axis.
fn series<'c>(
    cells: impl IntoIterator<Item = &'c Cell>,
    base: impl Fn(&Cell) -> Option<f64>,
) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for cell in cells {
        let Some(base) = base(cell) else { continue };
        for row in cell.rows.iter().filter(|row| row.label.size > 0) {
            let Amount(amount) = row.amounts.median();
            let point = (row.label.size as f64, amount / base);
            let name = row.label.name();
            match all.iter_mut().find(|series| series.label.name() == name) {
                // We run in two cells, first alone: the figures beside the others count.
                Some(series) => {
                    series.points.retain(|&(x, _)| x != point.0);
                    series.points.push(point);
                }
                None => all.push(Series {
                    label: row.label,
                    points: vec![point],
                }),
            }
        }
    }
    for series in &mut all {
        series.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

impl Chart {
    fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let xs = decades(points().map(|point| point.0));
        let ys = decades(points().map(|point| point.1));
        let place = |value: f64, (low, high): (i32, i32), from: f64, to: f64| {
            from + (value.log10() - f64::from(low)) / f64::from(high - low) * (to - from)
        };
        let x = |value| place(value, xs, LEFT, RIGHT);
        let y = |value| place(value, ys, BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}</text>\n",
            self.title
        );
        for decade in xs.0..=xs.1 {
            let value = 10_f64.powi(decade);
            let at = x(value);
            line(&mut svg, (at, TOP), (at, BOTTOM));
            let words = thousands(value as usize);
            text(&mut svg, (at, BOTTOM + 18.0), "middle", &words);
        }
        for decade in ys.0..=ys.1 {
            let value = 10_f64.powi(decade);
            let at = y(value);
            line(&mut svg, (LEFT, at), (RIGHT, at));
            text(
                &mut svg,
                (LEFT - 6.0, at + 4.0),
                "end",
                &self.y.shown(value),
            );
        }
        let middle = (LEFT + RIGHT) / 2.0;
        text(&mut svg, (middle, BOTTOM + 38.0), "middle", "networks");
        let (mut ours, mut others) = (Palette::of(&OURS), Palette::of(&OTHERS));
        let mut below = TOP + 4.0;
        for series in &self.series {
            let Label { layout, what, .. } = series.label;
            let (palette, dashes) = match (what.is_ours(), layout) {
                (true, Some(Layout::Flat)) => (&mut ours, " stroke-dasharray=\"2 4\""),
                (true, _) => (&mut ours, ""),
                (false, _) => (&mut others, " stroke-dasharray=\"8 4\""),
            };
            let colour = palette.colour(what);
            let mut path = String::new();
            for &(px, py) in &series.points {
                let (px, py) = (x(px), y(py));
                let _ = write!(path, "{px:.1},{py:.1} ");
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3\" fill=\"{colour}\"/>"
                );
            }
            let stroke = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}");
            let _ = writeln!(svg, "<polyline points=\"{}\" {stroke}/>", path.trim_end());
            let (from, to) = (RIGHT + 16.0, RIGHT + 40.0);
            let _ = writeln!(
                svg,
                "<line x1=\"{from}\" y1=\"{below}\" x2=\"{to}\" y2=\"{below}\" {stroke}/>"
            );
            text(
                &mut svg,
                (to + 6.0, below + 4.0),
                "start",
                &series.label.name(),
            );
            below += 20.0;
        }
        svg + "</svg>\n"
    }
}

/// Which colour stands for what.
struct Palette {
    colours: &'static [&'static str],
    given: Vec<What>,
}

impl Palette {
    fn of(colours: &'static [&'static str]) -> Self {
        let given = Vec::new();
        Self { colours, given }
    }

    fn colour(&mut self, what: What) -> &'static str {
        let known = self.given.iter().position(|&given| given == what);
        let place = known.unwrap_or_else(|| {
            self.given.push(what);
            self.given.len() - 1
        });
        let mut colours = self.colours.iter().cycle();
        colours.nth(place).copied().unwrap_or("black")
    }
}

impl Scale {
    fn shown(self, value: f64) -> String {
        match self {
            Self::Of(unit) => unit
                .shown(Amount(value))
                .replace(".00", "")
                .replace(".0", ""),
            Self::Times => format!("{value} x"),
        }
    }
}

/// The powers of ten around these values, at least one apart.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let exponents = values.filter(|value| *value > 0.0).map(f64::log10);
    let (low, high) = exponents.fold((f64::MAX, f64::MIN), |(low, high), exponent| {
        (low.min(exponent), high.max(exponent))
    });
    // Ratios near one stand a little below or above it.
    let low = (low + 0.05).floor() as i32;
    (low, (high.ceil() as i32).max(low + 1))
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{words}</text>",
        at.0, at.1
    );
}

#[cfg(test)]
mod tests {
    use palisade::Layout;

    use super::super::measure::{Amounts, Row};
    use super::*;

    fn cell(size: usize, milliseconds: f64) -> Cell {
        let row = |label, amount| Row {
            label,
            amounts: Amounts::new(vec![Amount(amount / 1e3)]),
        };
        let ours = Label::of(Layout::Mapped, What::Library, size);
        let nft = Label::other(What::Nft, size);
        Cell {
            bench: Bench::Apply,
            part: String::new(),
            rows: vec![row(ours, milliseconds), row(nft, milliseconds * 10.0)],
        }
    }

    #[test]
    fn a_curve_for_each_contestant() {
        let charts = all(&[cell(1, 1.0), cell(1_000, 10.0)]);
        let [(name, svg)] = charts.as_slice() else {
            panic!("one chart, not {}", charts.len());
        };
        assert_eq!(name, "apply.svg");
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(
            svg.matches("stroke-dasharray").count(),
            2,
            "nft's, and its legend"
        );
        // From 1 to 1,000 networks, from 1 ms to 100 ms: a tenfold time is a half of the height.
        assert!(svg.contains("points=\"78.0,410.0 590.0,227.0\""), "{svg}");
        assert!(svg.contains(">100 ms<") && svg.contains(">1,000<"), "{svg}");
    }

    #[test]
    fn one_point_is_no_curve() {
        assert!(all(&[cell(1, 1.0)]).is_empty());
    }

    #[test]
    fn decades_around_values() {
        assert_eq!(decades([2.0, 30.0].into_iter()), (0, 2));
        assert_eq!(decades([0.95, 1.1].into_iter()), (0, 1));
    }
}
