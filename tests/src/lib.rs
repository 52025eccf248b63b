//! A lab of network namespaces, in which the command `palisade` meets the kernel.
//!
//! The tests know the command by its contract alone: they run the binary, and look at what `nft`
//! lists and at what becomes of real packets. Everything happens in namespaces of their own, which
//! end with the test, also when it panics; the machine's own network is never touched.

mod answer;
mod binary;
mod chance;
pub mod counted;
mod definition;
mod dump;
mod firewalld;
pub mod iptables;
pub mod libvirt;
mod namespace;
mod palisade;
pub mod place;
pub mod probe;
pub mod raw;
mod tap;
mod trial;

pub use answer::Answer;
pub use chance::Chance;
pub use definition::Definition;
pub use dump::{Dump, assert_same};
pub use firewalld::Firewalld;
pub use namespace::Namespace;
pub use palisade::{Palisade, assert_as_applied};
pub use tap::{Frame, Tap};
pub use trial::{Trials, is_in_path, run, run_side_by_side};
