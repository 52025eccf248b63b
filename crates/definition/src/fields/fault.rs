//! TOML and JSON that does not describe a network.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::vocabulary::{LIST, TableKind};

/// Fields that do not describe a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// Not TOML.
    #[error("not TOML: {message}")]
    Toml {
        /// The message of the parser.
        message: String,
    },
    /// Not JSON.
    #[error("not JSON: {message}")]
    Json {
        /// The message of the parser.
        message: String,
    },
    /// A key with too many parts, such as `a.b.c.d.e.f.g.h.i`.
    #[error("a dotted key has too many parts")]
    KeyParts,
    /// An unknown field.
    #[error("unknown field `{field}`")]
    Unknown {
        /// The field.
        field: String,
        /// The field that was probably meant.
        meant: Option<&'static str>,
        /// The fields that are known at this place.
        known: &'static [&'static str],
    },
    /// A field of another table.
    #[error("field `{field}` has no place here")]
    Elsewhere {
        /// The field.
        field: String,
        /// The table that has it.
        belongs: TableKind,
    },
    /// A word of libvirt's XML that is not a field.
    #[error("unknown field `{field}`")]
    OfLibvirt {
        /// The word.
        field: String,
        /// The fields that are known at this place.
        known: &'static [&'static str],
    },
    /// A field that is given twice.
    #[error("field `{field}` is given twice")]
    Twice {
        /// The field.
        field: String,
    },
    /// A missing field.
    #[error("field `{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A value of the wrong type.
    #[error("{} must be {expected}, not {found}", quoted(.field))]
    WrongType {
        /// The field, or what the value describes.
        field: &'static str,
        /// The type that it must have.
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
}

impl Hint for FieldFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
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
            Self::Elsewhere { belongs, .. } => belongs.place().into(),
            Self::OfLibvirt { field, known } => format!(
                "`{field}` is of libvirt's XML; fields are {}",
                known.join(", ")
            )
            .into(),
            Self::Twice { .. } => "keep one of them".into(),
            Self::Missing { field } | Self::WrongType { field, .. } => example(field).into(),
        }
    }
}

/// Quotes a field, but not a description such as "a network".
fn quoted(field: &str) -> String {
    if field.contains(' ') {
        field.to_owned()
    } else {
        format!("`{field}`")
    }
}

/// Examples of a field's value.
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
        "mtu" => "write the number of bytes, such as 1400",
        "mss_clamp" => "write true for the route's MTU, or the number of bytes, such as 1360",
        "forwards" => {
            "forwards are a list, such as [\"tcp 8080 -> 192.168.122.10:80\"], or of tables with \
             protocol, listen, to and from"
        }
        "protocol" => "protocols are \"tcp\", \"udp\" and \"sctp\"",
        "listen" => "write a port of the host, a range, or one at an address: \"203.0.113.7:8080\"",
        "to" => "write the guest's address and port, such as \"192.168.122.10:80\"",
        "from" => "sources are a list of strings, such as [\"198.51.100.0/24\", \"203.0.113.99\"]",
        "log" => "write true, or a table with prefix, rate and group",
        "prefix" => "prefixes are strings, such as \"lab: \"",
        "rate" => "rates are strings, such as \"10/second\"",
        "group" => "groups are numbers from 0 to 65535",
        "start" | "end" => "a range needs both start and end, which may be equal",
        LIST => "several networks are `[[network]]` in TOML, \"network\": [{...}, {...}] in JSON",
        "a network" | "the definition" => {
            "a network is a table of fields, name and bridge among them"
        }
        _ => "write true or false",
    }
}
