//! Flags of messages: `NLM_F_*`.

/// `NLM_F_REQUEST`: a request to the kernel.
pub const REQUEST: u16 = 0x1;
/// `NLM_F_MULTI`: one of several replies, of which the last is `NLMSG_DONE`.
pub const MULTI: u16 = 0x2;
/// `NLM_F_ACK`: the kernel must acknowledge the request.
pub const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: what a dump lists changed while it was dumped.
pub(crate) const DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`: all objects of a kind.
pub const DUMP: u16 = 0x300;
/// `NLM_F_EXCL`: refuse if the object exists.
pub const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`: create the object if it does not exist.
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`: add the object behind the others.
pub const APPEND: u16 = 0x800;
