//! A netlink-native firewall engine for virtual networks.
//!
//! A [`Firewall`] makes the kernel enforce what [`definition`]s say of virtual networks, and takes
//! away again exactly what it installed:
//!
//! ```no_run
//! use palisade::{Firewall, Options, definition};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut firewall = Firewall::open(&Options::default())?;
//!     let networks = definition::read("default.xml".as_ref())?;
//!     firewall.apply(&networks)?; // one netlink batch, all or nothing
//!     for record in firewall.running()? {
//!         println!("{} on {}", record.network.name(), record.placement);
//!     }
//!     firewall.remove(&["default".parse()?])?;
//!     Ok(())
//! }
//! ```
//!
//! # Features
//!
//! All are on by default. Without any, an embedder that builds its [`Network`]s in code compiles no
//! format and no iptables.
//!
//! - `xml`, `toml`, `json`: definitions in these formats; `toml` also reads the configuration file.
//! - `iptables`: the backend that runs `iptables-restore`.
#![forbid(unsafe_code)]

pub mod backends;
#[cfg(any(feature = "xml", feature = "toml", feature = "json"))]
mod bridges;
mod choice;
#[cfg(feature = "toml")]
pub mod config;
mod counters;
mod firewall;
mod flows;
pub mod folder;
mod host;
mod options;
mod overview;
mod placement;
pub mod refusals;
mod render;
mod rights;
mod shown;
mod usual;
pub mod watch;

#[cfg(any(feature = "xml", feature = "toml", feature = "json"))]
pub use bridges::HostBridges;
pub use choice::{BackendChoice, Choice, UnknownBackend};
pub use counters::{Counters, ForwardCounters, prometheus};
pub use firewall::{Firewall, OpenError, ShowError};
pub use options::Options;
pub use overview::{Bridge, BridgeState, NetworkState, Overview, Sums};
pub use palisade_core::backend::{
    BackendError, Counted, Discrepancy, DiscrepancyKind, Line, Placement, Sign, Standing,
};
pub use palisade_core::engine::{
    Action, Adopted, Changed, EngineError, HostNote, Left, Reason, Recovered, Report, Shortcoming,
};
pub use palisade_core::evaluate;
pub use palisade_core::network::{self, Network};
pub use palisade_core::rules::{self, Traffic};
pub use palisade_core::state::{Record, Settled, Unconfirmed};
pub use palisade_core::words;
pub use palisade_core::{ErrorKind, Hint, NetworkOwner};
#[cfg(any(feature = "xml", feature = "toml", feature = "json"))]
pub use palisade_definition as definition;
#[cfg(feature = "iptables")]
pub use palisade_iptables::run::{Programs, Variant};
pub use palisade_nft::layout::{Layout, TableName};
pub use render::{RenderError, render};
pub use shown::{ActionState, Omitted, Shown, ShownAction};
