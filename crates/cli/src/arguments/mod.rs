//! The command line. Scripts rely on its names, which are part of the contract.

mod asked;
mod command;
mod definitions;
mod environment;
mod format;
mod global;
mod internal;
mod narrow;
mod networks;
mod packets;
mod read;
mod seconds;

pub(crate) use asked::Asked;
pub(crate) use command::{Arguments, Command, Shell};
pub(crate) use definitions::{Applied, Files, RenderedFamily};
pub(crate) use format::{Color, OutputFormat};
pub(crate) use global::Global;
pub(crate) use internal::InternalCommand;
pub(crate) use networks::{
    Counters, Guests, ListColumn, Listed, Migration, Named, Recovery, Removal, Target, Watched,
};
pub(crate) use packets::{CtState, ExplainedPacket, TracedPackets};
