//! nf_tables natively: typed objects, the layouts of palisade's tables, and the wire format.
#![deny(unsafe_code)]

pub mod layout;
pub mod object;
pub mod program;
pub mod statement;
pub mod wire;
