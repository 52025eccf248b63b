//! How output looks.

use clap::ValueEnum;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For Prometheus: of counters, and of what `doctor` finds.
    #[value(hide = true)]
    Prometheus,
    /// For Graphviz: of `graph` alone.
    #[value(hide = true)]
    Dot,
    /// For Mermaid: of `graph` alone.
    #[value(hide = true)]
    Mermaid,
    /// As a picture: of `graph` alone.
    #[value(hide = true)]
    Svg,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
