//! What this kernel can do beyond the bare minimum, feature by feature: tried out like a layout,
//! each in a batch that must fail at its end.

use palisade_core::network::Family as IpFamily;

use super::Nftables;
use super::probe::{ProbeError, TABLE, attempt};
use crate::batch::{At, Batch};
use crate::layout::{self, TableName};
use crate::object::{
    BaseChain, Chain, Counter, DataType, Expression, Family, Fib, FibFlags, FibResult, Hook, Limit,
    Log, Masquerade, Policy, Register, Reject, RejectKind, Rule, Set, Table, Userdata,
};

/// Something that a kernel may have been built without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// `masquerade`, for networks behind NAT.
    Masquerade,
    /// `reject`, for all networks.
    Reject,
    /// Counters of set elements, for layout `mapped`.
    SetCounter,
    /// `fib`, by which layout `mapped`, forwards and other programs' rules ask the host's routes.
    Fib,
    /// `log` to the kernel's log behind a `limit`, for networks that log what they refuse.
    Log,
    /// `log` to an NFLOG group, likewise.
    LogGroup,
    /// Tables that belong to a socket.
    OwnedTable,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Masquerade,
        Self::Reject,
        Self::SetCounter,
        Self::Fib,
        Self::Log,
        Self::LogGroup,
        Self::OwnedTable,
    ];

    /// What it is, in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Masquerade => "masquerade",
            Self::Reject => "reject",
            Self::SetCounter => "counters of set elements",
            Self::Fib => "fib",
            Self::Log => "log",
            Self::LogGroup => "log group",
            Self::OwnedTable => "tables that belong to a socket",
        }
    }

    /// The module that brings it for a family; none if it takes another kernel.
    #[must_use]
    pub fn module(self, family: IpFamily) -> Option<&'static str> {
        match (self, family) {
            (Self::Masquerade, _) => Some("nft_masq"),
            (Self::Reject, IpFamily::Ipv4) => Some("nft_reject_ipv4"),
            (Self::Reject, IpFamily::Ipv6) => Some("nft_reject_ipv6"),
            (Self::Fib, IpFamily::Ipv4) => Some("nft_fib_ipv4"),
            (Self::Fib, IpFamily::Ipv6) => Some("nft_fib_ipv6"),
            (Self::Log, _) => Some("nft_limit nft_log nf_log_syslog"),
            (Self::LogGroup, _) => Some("nft_limit nft_log nfnetlink_log"),
            (Self::SetCounter | Self::OwnedTable, _) => None,
        }
    }

    /// The Linux version that has it.
    #[must_use]
    pub fn since(self) -> &'static str {
        match self {
            Self::Masquerade | Self::Reject => "3.18",
            Self::Log | Self::LogGroup => "3.17",
            Self::Fib => "4.10",
            Self::SetCounter => "5.7",
            Self::OwnedTable => "5.12",
        }
    }
}

impl Nftables {
    /// The features that this kernel lacks in a family. Nothing stands afterwards.
    ///
    /// # Errors
    /// If the kernel cannot be asked.
    pub fn lacks(&mut self, family: IpFamily) -> Result<Vec<Feature>, ProbeError> {
        let mut lacking = Vec::new();
        let Ok(table) = TABLE.parse::<TableName>() else {
            return Ok(lacking);
        };
        for feature in Feature::ALL {
            let refusals = attempt(self, |batch| trial(batch, &table, family, feature))?;
            if !refusals.is_empty() {
                lacking.push(feature);
            }
        }
        Ok(lacking)
    }
}

fn trial(batch: &mut Batch, name: &TableName, family: IpFamily, feature: Feature) {
    /// `NFT_TABLE_F_OWNER`.
    const OWNER: u32 = 2;
    let table = Table {
        flags: if feature == Feature::OwnedTable {
            OWNER
        } else {
            0
        },
        ..layout::table(name, family)
    };
    batch.add_table(&table);
    let (kind, hook, expressions) = match feature {
        Feature::Masquerade => (
            "nat",
            Hook::POSTROUTING,
            vec![Expression::Masquerade(Masquerade::default())],
        ),
        Feature::Reject => ("filter", Hook::FORWARD, vec![Expression::Reject(refusal())]),
        Feature::Fib => ("filter", Hook::PREROUTING, vec![Expression::Fib(fib())]),
        Feature::Log => ("filter", Hook::FORWARD, logging(None)),
        Feature::LogGroup => ("filter", Hook::FORWARD, logging(Some(0))),
        Feature::SetCounter => {
            batch.add_set(&counting(&table));
            return;
        }
        Feature::OwnedTable => return,
    };
    let chain = chain(&table, kind, hook);
    batch.add_chain(&chain);
    let rule = Rule {
        family: table.family,
        table: table.name.clone(),
        chain: chain.name.clone(),
        expressions,
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    };
    batch.add_rule(&rule, At::End);
}

fn chain(table: &Table, kind: &str, hook: Hook) -> Chain {
    Chain {
        family: table.family,
        table: table.name.clone(),
        name: "tried".to_owned(),
        base: Some(BaseChain {
            kind: kind.to_owned(),
            hook,
            priority: 100,
            policy: Policy::ACCEPT,
            hook_extra: Vec::new(),
        }),
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    }
}

fn refusal() -> Reject {
    Reject {
        kind: RejectKind::ICMP_UNREACHABLE,
        code: 3,
    }
}

fn logging(group: Option<u16>) -> Vec<Expression> {
    let limit = Limit {
        rate: 1,
        seconds: 1,
        burst: 5,
    };
    let log = Log {
        prefix: "tried".to_owned(),
        group,
    };
    vec![Expression::Limit(limit), Expression::Log(log)]
}

fn fib() -> Fib {
    Fib {
        flags: FibFlags::REVERSE_PATH,
        result: FibResult::OIF,
        destination: Register::FIRST,
    }
}

fn counting(table: &Table) -> Set {
    let (key_type, key_len) = match table.family {
        Family::Ip6 => (DataType::IPV6_ADDR, 16),
        _ => (DataType::IPV4_ADDR, 4),
    };
    Set {
        family: table.family,
        table: table.name.clone(),
        name: "tried".to_owned(),
        id: None,
        flags: 0,
        key_type,
        key_len,
        data: None,
        expressions: vec![Expression::Counter(Counter::default())],
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    }
}
