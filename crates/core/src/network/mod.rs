//! What a user describes: networks, valid by construction.
//!
//! Every type here is parsed once and cannot hold a value that the rest of the program would have
//! to check again. [`Network::new`] takes a [`Description`] and refuses what contradicts itself;
//! [`conflicts`] looks at a set of networks and finds what cannot run side by side.

mod blocked;
mod checks;
mod claim;
mod conflict;
mod description;
mod established;
mod forward;
mod guest;
mod interface;
mod log_refused;
mod name;
mod network_error;
mod port_forward;
mod range;
mod segment;
mod subnet;
mod text;
mod validated;
mod zone;

pub use blocked::BlockError;
pub(crate) use claim::{Block, Claim, Space};
pub use conflict::{Conflict, conflicts, told};
pub use description::Description;
pub use established::{Established, UnknownEstablished};
pub use forward::{Forward, Nat, UnmanagedMode};
pub use guest::{Guest, GuestError};
pub use interface::{InterfaceName, InterfaceNameError};
pub use log_refused::{LogError, LogPeriod, LogPrefix, LogRate, LogRefused};
pub use name::{Name, NameError};
pub use network_error::{NetworkError, TargetProblem};
pub use port_forward::{ForwardProtocol, Listen, PortForward, PortForwardError, Target};
pub use range::{AddressRange, PortRange, RangeError};
pub use segment::{MssClamp, Mtu, SegmentSize, SizeError};
pub use subnet::{Family, Subnet, SubnetError};
pub use validated::Network;
pub use zone::Zone;
