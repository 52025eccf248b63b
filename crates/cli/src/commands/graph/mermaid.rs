//! The picture for Mermaid, which Markdown renderers draw.

use std::fmt::Write;

use super::model::{Graph, NodeKind};

pub(super) fn write(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (place, node) in graph.nodes.iter().enumerate() {
        let lines: Vec<String> = node.label.iter().map(|line| escaped(line)).collect();
        let label = lines.join("<br/>");
        let [open, close] = match node.kind {
            NodeKind::World => ["((", "))"],
            NodeKind::Device => ["{{", "}}"],
            NodeKind::Forward => ["([", "])"],
            NodeKind::Network => ["[", "]"],
            NodeKind::Port => ["(", ")"],
        };
        let _ = writeln!(text, "    n{place}{open}\"{label}\"{close}");
    }
    for edge in &graph.edges {
        let (from, to) = (graph.place(&edge.from), graph.place(&edge.to));
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!("|\"{}\"|", escaped(label)),
        };
        let _ = writeln!(text, "    n{from} -->{label} n{to}");
    }
    text
}

/// Mermaid's entities: a number sign, the code and a semicolon.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '#' | '<' | '>' | '&' | '`' | '\\' | ';' => format!("#{};", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
