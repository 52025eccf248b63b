//! What happens to the packets of the networks that a [`Firewall`](palisade::Firewall) runs, and why.
//!
//! An [`Inspector`] reads the kernel and the firewall's records, and changes neither:
//!
//! ```no_run
//! use palisade::{Firewall, Options};
//! use palisade_inspect::Inspector;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut firewall = Firewall::open(&Options::default())?;
//!     for finding in Inspector::of(&mut firewall).doctor()?.findings {
//!         println!("{}", finding.summary);
//!     }
//!     Ok(())
//! }
//! ```
#![forbid(unsafe_code)]

pub mod compare;
mod consequence;
mod devices;
pub mod doctor;
pub mod explain;
mod host_rules;
mod inspector;
mod libvirt;
mod reverse_path;
mod routing;
mod shell;
pub mod trace;

pub use consequence::{Consequence, Example};
pub use host_rules::HostRulesError;
pub use inspector::Inspector;
pub use routing::{NoWay, Onward};
