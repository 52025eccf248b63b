//! What the `nft` programs leave out.

/// A rule of which `iptables-nft-save` prints something else, or which keeps it from printing its
/// table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprinted {
    /// The chain.
    pub chain: String,
    /// The kernel's number for it.
    pub handle: u64,
    /// What it says, in nft's words.
    pub text: String,
}
