//! The picture for Graphviz.

use std::fmt::Write;

use super::model::{Graph, NodeKind};

pub(super) fn write(graph: &Graph) -> String {
    let mut text = "digraph palisade {\n    rankdir=LR;\n".to_owned();
    for node in &graph.nodes {
        let shape = match node.kind {
            NodeKind::World => "circle",
            NodeKind::Device => "hexagon",
            NodeKind::Forward => "cds",
            NodeKind::Network => "box",
            NodeKind::Port => "ellipse",
        };
        let lines: Vec<String> = node.label.iter().map(|line| escaped(line)).collect();
        let (id, label) = (escaped(&node.id), lines.join("\\n"));
        let _ = writeln!(text, "    \"{id}\" [shape={shape}, label=\"{label}\"];");
    }
    for edge in &graph.edges {
        let (from, to) = (escaped(&edge.from), escaped(&edge.to));
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!(" [label=\"{}\"]", escaped(label)),
        };
        let _ = writeln!(text, "    \"{from}\" -> \"{to}\"{label};");
    }
    text.push_str("}\n");
    text
}

/// A text within double quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
