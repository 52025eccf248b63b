//! Why a plan could not be made, and the way out.

use std::borrow::Cow;

use palisade_core::network::{Family, Name, PortForward};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::settings::SettingsError;
use crate::dump::DumpError;
use crate::layout;
use crate::object;

/// Why a plan could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum PlanError {
    /// The kernel's tables could not be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// A record or a choice that is none of this backend's.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A forward at every address of the host, in a kernel that cannot match these.
    #[error(
        "network `{network}` forwards `{forward}` at every address of the host, and this kernel has no `fib`, \
         which matches these"
    )]
    ForwardTakesFib {
        /// The network.
        network: Name,
        /// Its forward.
        forward: PortForward,
    },
    /// A table of our name that somebody else made.
    #[error("table {family} `{table}` was not made by palisade: it has not its mark")]
    NotOurs {
        /// The table's family.
        family: object::Family,
        /// Its name.
        table: String,
    },
    /// A table of ours of which somebody switched all rules off.
    #[error("table {family} `{table}` is dormant: none of its rules counts")]
    Dormant {
        /// The table's family.
        family: object::Family,
        /// Its name.
        table: String,
    },
    /// A table that another build made, in a way that this one does not know.
    #[error(
        "table {family} `{table}` has layout version {found}, this build knows version {}",
        layout::VERSION
    )]
    OtherVersion {
        /// The table's family.
        family: object::Family,
        /// Its name.
        table: String,
        /// The version it has.
        found: u32,
    },
    /// A table of an earlier build that cannot be rebuilt, since that would delete what the
    /// administrator put there.
    #[error(
        "table {family} `{table}` has layout version {found}, this build knows version {}, and it \
         holds rules of the administrator",
        layout::VERSION
    )]
    OfAdministrator {
        /// The table's family.
        family: object::Family,
        /// Its name.
        table: String,
        /// The version it has.
        found: u32,
    },
}

impl Hint for PlanError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Dump(error) => error.kind(),
            Self::Settings(_) => ErrorKind::State,
            Self::ForwardTakesFib { .. } => ErrorKind::Unsupported,
            Self::NotOurs { .. } | Self::Dormant { .. } | Self::OfAdministrator { .. } => {
                ErrorKind::Foreign
            }
            Self::OtherVersion { .. } => ErrorKind::State,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Dump(error) => error.hint(),
            Self::Settings(_) => "see `palisade list` for where networks are".into(),
            Self::ForwardTakesFib { forward, .. } => {
                let module = match forward.family() {
                    Family::Ipv4 => "nft_fib_ipv4",
                    Family::Ipv6 => "nft_fib_ipv6",
                };
                format!(
                    "load the kernel's module {module}, or forward the port at one address of the host: \
                     `{} ADDRESS:{} -> {}`",
                    forward.protocol(),
                    forward.listen(),
                    forward.target()
                )
                .into()
            }
            Self::NotOurs { family, table } => format!(
                "choose another name with --table, or delete it: nft delete table {family} {table}"
            )
            .into(),
            Self::Dormant { .. } => "`palisade repair` makes it anew, awake".into(),
            Self::OtherVersion { found, .. } if *found < layout::VERSION => {
                "`palisade repair` rebuilds it".into()
            }
            Self::OfAdministrator { family, table, .. } => format!(
                "save what is named `admin_*` there (`nft list table {family} {table}`), delete it, \
                 run `palisade repair`, and put it back"
            )
            .into(),
            Self::OtherVersion { .. } => {
                "remove the networks with the build that applied them, then apply them".into()
            }
        }
    }
}
