//! The kinds of errors: what programs decide by.

use std::fmt;

use serde::Serialize;

/// The kind of an error. Its [code](Self::code) stays the same from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong, and would fail on every host.
    Usage,
    /// A definition cannot be used.
    Definition,
    /// The configuration file cannot be used.
    Configuration,
    /// Networks exclude each other.
    Conflict,
    /// A network that was named does not run.
    UnknownNetwork,
    /// A guest that was named is none of the network, or not blocked.
    UnknownGuest,
    /// An earlier change waits for its confirmation.
    Unconfirmed,
    /// Nothing waits for a confirmation.
    NothingToConfirm,
    /// The process may not do it: mostly CAP_NET_ADMIN is missing.
    Permission,
    /// Another process is at work; it may work a moment later.
    Busy,
    /// The kernel, the host or this build lacks something.
    Unsupported,
    /// The kernel refused a change. Nothing has changed.
    Refused,
    /// Something that others made stands in the way.
    Foreign,
    /// The state directory.
    State,
    /// There is no such network namespace.
    NoNamespace,
    /// A program cannot be run, or failed.
    Program,
    /// It is not known what became of a change; recovering finds out.
    InDoubt,
    /// A change failed, and was not undone completely.
    NotUndone,
    /// The operating system: sockets, files, memory.
    System,
    /// The kernel and this build do not understand each other, or a mistake in palisade.
    Internal,
}

impl ErrorKind {
    /// The name for programs: what is serialized.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Definition => "definition",
            Self::Configuration => "configuration",
            Self::Conflict => "conflict",
            Self::UnknownNetwork => "unknown-network",
            Self::UnknownGuest => "unknown-guest",
            Self::Unconfirmed => "unconfirmed",
            Self::NothingToConfirm => "nothing-to-confirm",
            Self::Permission => "permission",
            Self::Busy => "busy",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::Foreign => "foreign",
            Self::State => "state",
            Self::NoNamespace => "no-namespace",
            Self::Program => "program",
            Self::InDoubt => "in-doubt",
            Self::NotUndone => "not-undone",
            Self::System => "system",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_is_serialized() {
        for kind in [ErrorKind::Usage, ErrorKind::NoNamespace, ErrorKind::InDoubt] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
        }
    }
}
