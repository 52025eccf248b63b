//! What can be wrong with what TOML or JSON says of a network.

use std::borrow::Cow;

use thiserror::Error;

/// Why fields describe no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// Not TOML.
    #[error("not TOML: {message}")]
    Toml {
        /// The parser's words.
        message: String,
    },
    /// Not JSON.
    #[error("not JSON: {message}")]
    Json {
        /// The parser's words.
        message: String,
    },
    /// A key such as `a.b.c.d.e.f.g.h.i`.
    #[error("a dotted key has too many parts")]
    KeyParts,
    /// A field that no network has.
    #[error("unknown field `{field}`")]
    Unknown {
        /// The field.
        field: String,
        /// What was probably meant.
        meant: Option<&'static str>,
        /// All fields that may stand there.
        known: &'static [&'static str],
    },
    /// Fields of a network beside a list of networks, or a list within a network.
    #[error("field `{field}` has no place here")]
    Elsewhere {
        /// The field.
        field: String,
    },
    /// A field twice.
    #[error("field `{field}` is given twice")]
    Twice {
        /// The field.
        field: String,
    },
    /// A field is missing.
    #[error("field `{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A value of the wrong kind.
    #[error("{} must be {expected}, not {found}", quoted(.field))]
    Kind {
        /// The field, or what the value describes.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
}

impl FieldFault {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Toml { .. } => "TOML has lines such as `name = \"lab\"`, each once; XML begins \
                                  with `<`, JSON with `{`"
                .into(),
            Self::Json { .. } => {
                "JSON looks like `{\"name\": \"lab\", \"bridge\": \"virbr1\"}`".into()
            }
            Self::KeyParts => "write a table of its own, or leave it out".into(),
            Self::Unknown {
                meant: Some(meant), ..
            } => format!("did you mean `{meant}`?").into(),
            Self::Unknown { known, .. } => format!("fields are {}", known.join(", ")).into(),
            Self::Elsewhere { field } if field == super::LIST => {
                "networks stand side by side, not within one another".into()
            }
            Self::Elsewhere { .. } => "move it into one of the networks of the list".into(),
            Self::Twice { .. } => "keep one of them".into(),
            Self::Missing { field } | Self::Kind { field, .. } => example(field).into(),
        }
    }
}

/// Fields are quoted, what they describe is not.
fn quoted(field: &str) -> String {
    if field.contains(' ') {
        field.to_owned()
    } else {
        format!("`{field}`")
    }
}

/// What a field may hold.
fn example(field: &str) -> &'static str {
    match field {
        "name" => "names are strings, such as \"lab\"",
        "bridge" => "bridges are strings, such as \"virbr1\"",
        "zone" => "zones are strings, such as \"libvirt\"",
        "mode" => "modes are strings, such as \"nat\"",
        "device" => "devices are strings, such as \"eth0\"",
        "subnets" => {
            "subnets are a list of strings, such as [\"192.168.122.1/24\", \"fd00:122::1/64\"]"
        }
        "ports" => "ports are \"1024-65535\", or a table with start and end",
        "addresses" => "addresses are \"203.0.113.8-203.0.113.15\", or a table with start and end",
        "start" | "end" => "a range needs both start and end, which may be equal",
        super::LIST => {
            "several networks are `[[network]]` in TOML, \"network\": [{...}, {...}] in JSON"
        }
        "a network" | "the definition" => {
            "a network is a table of fields, name and bridge among them"
        }
        _ => "write true or false",
    }
}
