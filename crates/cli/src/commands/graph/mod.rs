//! `graph`: a picture of what runs.

mod dot;
mod mermaid;
mod model;
mod svg;

use palisade::Overview;

use crate::arguments::OutputFormat;
use crate::output::Outcome;
use model::Graph;

pub(super) fn graph(networks: &[Overview], format: OutputFormat) -> Outcome {
    let graph = Graph::of(networks);
    let text = match format {
        OutputFormat::Dot => dot::write(&graph),
        OutputFormat::Svg => svg::write(&graph),
        _ => mermaid::write(&graph),
    };
    Outcome::new(text, &graph)
}
