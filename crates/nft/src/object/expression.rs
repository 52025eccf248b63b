//! Expressions: what rules are made of.

use super::Register;

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Expression {
    /// Loads something that is known beside the packet: `iifname`.
    Meta(Meta),
    /// Loads bytes of the packet: `ip saddr`.
    Payload(Payload),
    /// Masks a register.
    Bitwise(Bitwise),
    /// Breaks the rule off unless a register compares so with a value.
    Compare(Compare),
    /// Breaks the rule off unless a register lies between two values.
    Range(Range),
    /// Looks a register up in a set or map, and breaks the rule off unless it is there.
    Lookup(Lookup),
    /// Puts a value into a register.
    Load(Load),
    /// Decides.
    Verdict(Verdict),
    /// Loads something that connection tracking knows: `ct state`.
    Conntrack(Conntrack),
    /// Loads what the host's routes say of an address: `fib saddr . iif oif`.
    Fib(Fib),
    /// Counts.
    Counter(Counter),
    /// Refuses with an answer.
    Reject(Reject),
    /// Translates the source to an address of the outgoing device.
    Masquerade(Masquerade),
    /// Translates an address.
    Nat(Nat),
    /// `rt load tcpmss => register`: the segment size that the packet's route allows.
    RouteMss(Register),
    /// `byteorder register = hton(register, 2, 2)`: two bytes into the order of the network.
    NetworkOrder(Register),
    /// `exthdr write tcpopt register => 2b @ 2 + 2`: writes the segment size that a connection announces,
    /// if it is smaller.
    SetMss(Register),
    /// Breaks the rule off for packets beyond a rate.
    Limit(Limit),
    /// Logs the packet.
    Log(Log),
    /// What this build does not know, or knows only in part: its name and its bytes.
    Unknown {
        /// The expression's name.
        name: String,
        /// Its attributes, as they stood on the wire.
        data: Vec<u8>,
    },
}

/// `meta load KEY => register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Meta {
    /// What to load.
    pub key: MetaKey,
    /// Where to.
    pub destination: Register,
}

/// What `meta` can load: `enum nft_meta_keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetaKey(pub u32);

impl MetaKey {
    /// The index of the interface that the packet came in through, 4 bytes.
    pub const IIF: Self = Self(4);
    /// The index of the interface that it leaves through, 4 bytes.
    pub const OIF: Self = Self(5);
    /// The name of the interface that the packet came in through, 16 bytes.
    pub const IIFNAME: Self = Self(6);
    /// The name of the interface that it leaves through, 16 bytes.
    pub const OIFNAME: Self = Self(7);
    /// The family of the packet, in tables that see several (`NFPROTO_*`), 1 byte.
    pub(crate) const NFPROTO: Self = Self(15);
    /// The protocol in the IP header (behind extension headers in IPv6), 1 byte.
    pub const L4PROTO: Self = Self(16);
}

/// `payload load LENb @ BASE + OFFSET => register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payload {
    /// From where to count.
    pub base: PayloadBase,
    /// The first byte.
    pub offset: u32,
    /// How many bytes.
    pub len: u32,
    /// Where to.
    pub destination: Register,
}

/// From where `payload` counts: `enum nft_payload_bases`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadBase(pub u32);

impl PayloadBase {
    /// The network header.
    pub const NETWORK: Self = Self(1);
    /// The transport header.
    pub const TRANSPORT: Self = Self(2);
}

/// `register = (register & mask) ^ xor`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bitwise {
    /// Where the value comes from.
    pub source: Register,
    /// Where it goes.
    pub destination: Register,
    /// Its length in bytes; `mask` and `xor` have the same.
    pub len: u32,
    /// The bits to keep.
    pub mask: Vec<u8>,
    /// The bits to flip then.
    pub xor: Vec<u8>,
}

/// `cmp OP register VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Compare {
    /// The register.
    pub source: Register,
    /// How to compare.
    pub operator: Comparison,
    /// With what; its length says how much of the register counts.
    pub value: Vec<u8>,
}

/// How `cmp` compares: `enum nft_cmp_ops`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The names say it.
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `range OP register FIRST LAST`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// The register.
    pub source: Register,
    /// Break off if it *does* lie between them.
    pub inverted: bool,
    /// The least value, as long as the last; its length says how much of the register counts.
    pub first: Vec<u8>,
    /// The greatest value.
    pub last: Vec<u8>,
}

/// `lookup register set NAME [=> register]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup {
    /// The set's name.
    pub set: String,
    /// Its number in the batch, if it is made there.
    pub set_id: Option<u32>,
    /// Where the key begins.
    pub source: Register,
    /// What a map's value is for.
    pub target: LookupTarget,
    /// Break off if the key *is* there.
    pub inverted: bool,
}

/// What a map's value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LookupTarget {
    /// It is a set: there is no value.
    None,
    /// It goes to a register.
    Register(Register),
    /// It is the verdict.
    Verdict,
}

/// `immediate register VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Load {
    /// Where to.
    pub destination: Register,
    /// What.
    pub value: Vec<u8>,
}

/// What a rule decides: `immediate` into the verdict register.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The packet is lost.
    Drop,
    /// It passes this base chain.
    Accept,
    /// On with the next rule.
    Continue,
    /// Back to the chain that jumped here.
    Return,
    /// On in another chain, and back behind this rule.
    Jump(String),
    /// On in another chain, and not back here.
    Goto(String),
    /// One that this build does not know.
    Other(i32),
}

/// `ct load KEY => register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Conntrack {
    /// What to load.
    pub key: ConntrackKey,
    /// Where to.
    pub destination: Register,
}

/// What `ct` can load: `enum nft_ct_keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConntrackKey(pub u32);

impl ConntrackKey {
    /// The state, one bit for each (invalid 1, established 2, related 4, new 8), 4 bytes in the
    /// host's order.
    pub const STATE: Self = Self(0);
    /// What happened to the flow (`IPS_*`), 4 bytes in the host's order.
    pub(crate) const STATUS: Self = Self(2);
}

/// `fib FLAGS RESULT => register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fib {
    /// What the routes are asked about.
    pub flags: FibFlags,
    /// What they answer.
    pub result: FibResult,
    /// Where the answer goes.
    pub destination: Register,
}

impl Fib {
    /// Whether it is asked what kind of address the packet goes to.
    #[must_use]
    pub(crate) fn is_destination_kind(self) -> bool {
        self.flags == FibFlags::DESTINATION && self.result == FibResult::ADDRESS_TYPE
    }
}

/// What `fib` asks about: `enum nft_fib_flags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FibFlags(pub u32);

impl FibFlags {
    /// The source, with the packet's mark, and only routes through the interface that the packet came
    /// in through; the answer is whether there is one, not which.
    pub(crate) const REVERSE_PATH: Self = Self(1 | 4 | 8 | Self::PRESENT);
    /// The destination.
    pub(crate) const DESTINATION: Self = Self(2);
    const PRESENT: u32 = 32;

    /// Whether it is asked if there is a route to the source through the interface that the packet
    /// came in through, with or without its mark.
    #[must_use]
    pub(crate) fn is_reverse_path(self) -> bool {
        const MARK: u32 = 4;
        self.0 | MARK | Self::PRESENT == Self::REVERSE_PATH.0
    }

    /// Whether the answer is only if there is a route.
    #[must_use]
    pub(crate) fn asks_presence(self) -> bool {
        self.0 & Self::PRESENT != 0
    }
}

/// What `fib` answers: `enum nft_fib_result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FibResult(pub u32);

impl FibResult {
    /// The index of the outgoing interface, 0 without a route.
    pub const OIF: Self = Self(1);
    /// The type of the address, as the routing table `local` has it.
    pub(crate) const ADDRESS_TYPE: Self = Self(3);
}

/// `counter packets N bytes N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Counter {
    /// Packets seen.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// `limit rate RATE/UNIT burst BURST packets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Limit {
    /// How many packets.
    pub rate: u64,
    /// In how many seconds.
    pub seconds: u64,
    /// How many packets at once after a pause.
    pub burst: u32,
}

/// `log prefix PREFIX [group GROUP]`: to the kernel's log as a warning, or to an NFLOG group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Log {
    /// The text before each packet.
    pub prefix: String,
    /// The NFLOG group.
    pub group: Option<u16>,
}

/// `reject with KIND code CODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reject {
    /// How.
    pub kind: RejectKind,
    /// The ICMP code.
    pub code: u8,
}

/// How `reject` refuses: `enum nft_reject_types`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RejectKind(pub u32);

impl RejectKind {
    /// With an ICMP or ICMPv6 "unreachable" of the code.
    pub const ICMP_UNREACHABLE: Self = Self(0);
    /// With a TCP reset.
    pub const TCP_RESET: Self = Self(1);
    /// With ICMP or ICMPv6, after the packet, in tables that see both.
    pub const ICMPX_UNREACHABLE: Self = Self(2);
}

/// `masquerade [to :min-max]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Masquerade {
    /// `NF_NAT_RANGE_*`: 2 where ports are given.
    pub flags: u32,
    /// The first source port, in a register.
    pub min_port: Option<Register>,
    /// The last one.
    pub max_port: Option<Register>,
}

/// `snat to min-max[:min-max]`, `dnat to ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nat {
    /// Source or destination.
    pub kind: NatKind,
    /// The family of the addresses: `NFPROTO_*`.
    pub family: super::Family,
    /// The first address, in a register.
    pub min_address: Option<Register>,
    /// The last one.
    pub max_address: Option<Register>,
    /// The first port.
    pub min_port: Option<Register>,
    /// The last one.
    pub max_port: Option<Register>,
    /// `NF_NAT_RANGE_*`: 1 where addresses are given, 2 where ports are.
    pub flags: u32,
}

/// Which end of a flow `nat` translates: `enum nft_nat_types`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NatKind {
    /// The source.
    Source,
    /// The destination.
    Destination,
}
