//! Where in the kernel the rules of a placement are.

/// Where in the kernel the rules of a placement are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// In a table of nf_tables that is palisade's alone, in the families `ip` and `ip6`.
    OwnTable(String),
    /// In palisade's chains in the tables of iptables, which it shares with other programs.
    SharedTables(Subsystem),
    /// Nowhere: the backend installs no rules.
    Nowhere,
}

/// A part of the kernel that holds rules and runs packets through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subsystem {
    /// nf_tables, which reports changes of rules and traced packets.
    NfTables,
    /// The old ip_tables and ip6_tables, which report neither.
    IpTables,
}
