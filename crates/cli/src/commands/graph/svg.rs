//! The picture as SVG, without other programs: a column for each kind of node.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::model::{Graph, Node, NodeKind};

/// Sizes in pixels.
const LINE: usize = 18;
const MARGIN: usize = 24;
const GAP: usize = 16;
/// Between columns, where arrows and their labels are.
const WAY: usize = 190;
/// A character of the font, at most.
const CHARACTER: usize = 8;

/// A box in the picture.
#[derive(Debug, Clone, Copy)]
struct Frame {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

pub(super) fn write(graph: &Graph) -> String {
    let frames = frames(&graph.nodes);
    let far = |end: fn(&Frame) -> usize| frames.iter().map(end).max().unwrap_or_default() + MARGIN;
    let width = far(|frame| frame.x + frame.width);
    let height = far(|frame| frame.y + frame.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\">\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for edge in &graph.edges {
        let (from, to) = (graph.place(&edge.from), graph.place(&edge.to));
        text.push_str(&arrow(frames[from], frames[to], &edge.label));
    }
    for (node, frame) in graph.nodes.iter().zip(&frames) {
        text.push_str(&framed(node, *frame));
    }
    text.push_str("</svg>\n");
    text
}

/// Where each node is drawn.
fn frames(nodes: &[Node]) -> Vec<Frame> {
    let size = |node: &Node| {
        let longest = node.label.iter().map(|line| line.chars().count()).max();
        let width = longest.unwrap_or_default() * CHARACTER + GAP;
        (width, node.label.len() * LINE + GAP)
    };
    let mut widths: BTreeMap<NodeKind, usize> = BTreeMap::new();
    for node in nodes {
        let width = widths.entry(node.kind).or_default();
        *width = (*width).max(size(node).0);
    }
    let mut left = MARGIN;
    let mut columns: BTreeMap<NodeKind, (usize, usize)> = BTreeMap::new();
    for (&kind, width) in &widths {
        columns.insert(kind, (left, MARGIN));
        left += width + WAY;
    }
    let frame = |node: &Node| {
        let (width, height) = size(node);
        let (x, y) = columns.get_mut(&node.kind).map_or((0, 0), |(x, y)| {
            let at = (*x, *y);
            *y += height + GAP;
            at
        });
        Frame {
            x,
            y,
            width,
            height,
        }
    };
    nodes.iter().map(frame).collect()
}

/// From one box to another, from the sides that face each other. Two arrows between the same boxes lie a
/// little apart.
fn arrow(from: Frame, to: Frame, label: &str) -> String {
    let is_rightwards = from.x < to.x;
    let apart = if is_rightwards { LINE / 3 } else { 0 };
    let middle = |frame: Frame| frame.y + frame.height / 2 + apart;
    let (start, end) = match is_rightwards {
        true => (from.x + from.width, to.x),
        false => (from.x, to.x + to.width),
    };
    let (from_y, to_y) = (middle(from), middle(to));
    let mut text = format!(
        "<line x1=\"{start}\" y1=\"{from_y}\" x2=\"{end}\" y2=\"{to_y}\" stroke=\"#555\" \
         marker-end=\"url(#end)\"/>\n"
    );
    if !label.is_empty() {
        let (x, y) = (usize::midpoint(start, end), usize::midpoint(from_y, to_y));
        let y = if is_rightwards {
            y + LINE - 4
        } else {
            y.saturating_sub(4)
        };
        let label = escaped(label);
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#333\">{label}</text>"
        );
    }
    text
}

fn framed(node: &Node, frame: Frame) -> String {
    let Frame {
        x,
        y,
        width,
        height,
    } = frame;
    let (fill, radius) = match node.kind {
        NodeKind::World => ("#e8e8e8", 12),
        NodeKind::Device => ("#fff3d6", 2),
        NodeKind::Forward => ("#ffe3e0", 12),
        NodeKind::Network => ("#dcebff", 4),
        NodeKind::Port => ("#e4f6e4", 8),
    };
    let mut text = format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"{fill}\" \
         stroke=\"#555\"/>\n"
    );
    for (line, label) in (1..).zip(&node.label) {
        let (x, y) = (x + GAP / 2, y + GAP / 2 + line * LINE - 4);
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(label));
    }
    text
}

/// A text in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
