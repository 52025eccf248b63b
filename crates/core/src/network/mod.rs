//! What a user describes: networks, valid by construction.
//!
//! Every type here is parsed once and cannot hold a value that the rest of the program would have
//! to check again. [`Network::new`] takes a [`Description`] and refuses what contradicts itself;
//! [`conflicts`] looks at a set of networks and finds what cannot run side by side.

mod conflict;
mod description;
mod established;
mod forward;
mod interface;
mod name;
mod range;
mod subnet;
mod text;

pub use conflict::{Conflict, conflicts, told};
pub use description::{Description, Network, NetworkError};
pub use established::{Established, UnknownEstablished};
pub use forward::{Forward, Nat, UnmanagedMode};
pub use interface::{InterfaceName, InterfaceNameError};
pub use name::{MAX_NAME, Name, NameError};
pub use range::{AddressRange, PortRange, RangeError};
pub use subnet::{Family, Subnet, SubnetError};
