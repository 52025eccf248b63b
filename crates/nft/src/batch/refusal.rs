//! Objects that the kernel refused, in words.

use std::fmt;

use nix::errno::Errno;
use palisade_core::ErrorKind;
use palisade_netlink::Ack;

use crate::object::{Chain, Expression, Log, Rule, Set};
use crate::wire::{self, Kind, Message};

/// How many refused objects a message names: they mostly have one cause.
const NAMED: usize = 3;

/// An object of a batch that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was to be done, and with what: "add rule to chain `guest_nat` of table ip `palisade`".
    pub object: String,
    /// The kernel's number for the reason.
    pub errno: Errno,
    /// The kernel's own words, if it has any.
    pub words: Option<String>,
    /// What may be missing in the kernel.
    missing: Option<String>,
    /// Whether it is a rule with the expression `fib`, which the kernel does not know.
    is_of_fib: bool,
    /// Whether it logs or limits, which the kernel cannot.
    is_of_log: bool,
}

impl Refusal {
    pub(super) fn of(batch: &[u8], ack: &Ack, errno: Errno) -> Self {
        let message = wire::messages(batch)
            .flatten()
            .find(|message| message.header.sequence == ack.original.sequence);
        let (object, missing) = match &message {
            Some(message) => (describe(message), missing(message, errno)),
            None => ("the batch".to_owned(), None),
        };
        Self {
            object,
            errno,
            words: ack.message.clone(),
            missing,
            is_of_fib: message.is_some_and(|message| is_of_fib(&message, errno)),
            is_of_log: message.is_some_and(|message| is_of_log(&message, errno)),
        }
    }

    /// Whether something of another program's is there already, or uses it.
    fn is_in_the_way(&self) -> bool {
        matches!(self.errno, Errno::EEXIST | Errno::EBUSY)
    }

    /// Whether it is a rule with the expression `fib`, which the kernel does not know.
    pub(crate) fn lacks_fib(&self) -> bool {
        self.is_of_fib
    }

    /// Whether it is a rule with the expression `log`, or something with a `limit`, and the kernel lacks
    /// some of it.
    pub(crate) fn lacks_log(&self) -> bool {
        self.is_of_log
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.errno.desc().to_lowercase();
        write!(f, "{}: {reason}", self.object)?;
        if let Some(words) = &self.words {
            write!(f, " ({words})")?;
        }
        Ok(())
    }
}

/// The first few, and how many there are beside them.
pub(super) fn list(refusals: &[Refusal]) -> String {
    let named: Vec<String> = refusals
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    let named = named.join("; ");
    match refusals.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

pub(super) fn kind(refusals: &[Refusal]) -> ErrorKind {
    if refusals.iter().any(|refusal| refusal.missing.is_some()) {
        ErrorKind::Unsupported
    } else if refusals.iter().any(Refusal::is_in_the_way) {
        ErrorKind::Foreign
    } else {
        ErrorKind::Refused
    }
}

pub(super) fn hint(refusals: &[Refusal]) -> String {
    if let Some(missing) = refusals.iter().find_map(|refusal| refusal.missing.clone()) {
        return missing;
    }
    let some = |errno| refusals.iter().any(|refusal| refusal.errno == errno);
    if refusals.iter().any(Refusal::is_in_the_way) {
        "another program uses an object of ours; `nft list ruleset` shows which".to_owned()
    } else if some(Errno::ENOMEM) || some(Errno::ENOSPC) {
        "the kernel has no room for it; see its log with `dmesg`".to_owned()
    } else {
        "`nft list ruleset` shows what stands in the kernel; nothing was changed".to_owned()
    }
}

/// "add rule to chain `guest_nat` of table ip `palisade` (default: nat tcp)".
fn describe(message: &Message<'_>) -> String {
    let Some(kind) = message.kind else {
        return "the batch as a whole".to_owned();
    };
    let (family, body) = (message.family, message.body);
    let action = match kind {
        Kind::NEW_TABLE | Kind::NEW_CHAIN | Kind::NEW_RULE | Kind::NEW_SET | Kind::NEW_ELEMENT => {
            "add"
        }
        _ => "delete",
    };
    let known = match kind {
        Kind::NEW_TABLE | Kind::DEL_TABLE => wire::table::decode(family, body)
            .map(|table| format!("{action} table {family} `{}`", table.name)),
        Kind::NEW_CHAIN | Kind::DEL_CHAIN => wire::chain::decode(family, body).map(|chain| {
            format!(
                "{action} chain `{}` of table {family} `{}`",
                chain.name, chain.table
            )
        }),
        Kind::NEW_RULE | Kind::DEL_RULE => wire::rule::decode(family, body).map(|rule| {
            let comment = match rule.userdata.text() {
                Some(comment) => format!(" ({comment})"),
                None => String::new(),
            };
            let way = if action == "add" { "to" } else { "of" };
            format!(
                "{action} rule {way} chain `{}` of table {family} `{}`{comment}",
                rule.chain, rule.table
            )
        }),
        Kind::NEW_SET | Kind::DEL_SET => wire::set::decode(family, body).map(|set| {
            format!(
                "{action} set `{}` of table {family} `{}`",
                set.name, set.table
            )
        }),
        Kind::NEW_ELEMENT | Kind::DEL_ELEMENT => {
            wire::element::decode(family, body).map(|elements| {
                let owner = elements.elements.first().and_then(|e| e.userdata.text());
                let owner = owner.map_or(String::new(), |owner| format!(" (network {owner})"));
                let way = if action == "add" { "to" } else { "of" };
                format!(
                    "{action} elements {way} set `{}` of table {family} `{}`{owner}",
                    elements.set, elements.table
                )
            })
        }
        _ => Ok(format!("message {} of family {family}", kind.0)),
    };
    known.unwrap_or_else(|_| format!("{action} an object of family {family}"))
}

/// Which part of nf_tables an object needs that this kernel may lack. The kernel answers with
/// "no such file or directory" or "operation not supported" then.
fn missing(message: &Message<'_>, errno: Errno) -> Option<String> {
    if !matches!(errno, Errno::ENOENT | Errno::EOPNOTSUPP) {
        return None;
    }
    let (family, body) = (message.family, message.body);
    let modules = match message.kind? {
        Kind::NEW_TABLE => vec!["nf_tables"],
        Kind::NEW_CHAIN => modules_of_chain(&wire::chain::decode(family, body).ok()?),
        Kind::NEW_RULE => modules_of_rule(&wire::rule::decode(family, body).ok()?),
        Kind::NEW_SET => vec![module_of_set(&wire::set::decode(family, body).ok()?)],
        _ => vec![],
    };
    if modules.is_empty() {
        return None;
    }
    Some(format!(
        "is it missing in this kernel? try: modprobe -a {}",
        modules.join(" ")
    ))
}

fn is_of_fib(message: &Message<'_>, errno: Errno) -> bool {
    let rule = match message.kind {
        Some(Kind::NEW_RULE) => wire::rule::decode(message.family, message.body).ok(),
        _ => None,
    };
    let is_fib = |expression: &Expression| matches!(expression, Expression::Fib(_));
    errno == Errno::ENOENT && rule.is_some_and(|rule| rule.expressions.iter().any(is_fib))
}

fn is_of_log(message: &Message<'_>, errno: Errno) -> bool {
    let (family, body) = (message.family, message.body);
    let expressions = match message.kind {
        Some(Kind::NEW_RULE) => wire::rule::decode(family, body).map(|rule| rule.expressions),
        Some(Kind::NEW_SET) => wire::set::decode(family, body).map(|set| set.expressions),
        _ => return false,
    };
    let logs =
        |expression: &Expression| matches!(expression, Expression::Log(_) | Expression::Limit(_));
    let is_lacking = matches!(errno, Errno::ENOENT | Errno::EOPNOTSUPP);
    is_lacking && expressions.is_ok_and(|expressions| expressions.iter().any(logs))
}

fn modules_of_chain(chain: &Chain) -> Vec<&'static str> {
    match &chain.base {
        Some(base) if base.kind == "nat" => vec!["nft_chain_nat"],
        _ => vec!["nf_tables"],
    }
}

fn module_of_set(set: &Set) -> &'static str {
    let is_limited = |expression: &Expression| matches!(expression, Expression::Limit(_));
    match set.expressions.iter().any(is_limited) {
        true => "nft_limit (sets with limits need Linux 5.7 or later)",
        false => "nf_tables (sets with counters need Linux 5.7 or later)",
    }
}

fn modules_of_rule(rule: &Rule) -> Vec<&'static str> {
    let module = |expression: &Expression| match expression {
        Expression::Masquerade(_) => Some("nft_masq"),
        Expression::Nat(_) => Some("nft_nat"),
        Expression::Reject(_) => Some("nft_reject_ipv4 nft_reject_ipv6"),
        Expression::Conntrack(_) => Some("nft_ct"),
        Expression::Fib(_) => Some("nft_fib_ipv4 nft_fib_ipv6"),
        Expression::Limit(_) => Some("nft_limit"),
        Expression::Log(Log { group: None, .. }) => Some("nft_log nf_log_syslog"),
        Expression::Log(_) => Some("nft_log nfnetlink_log"),
        _ => None,
    };
    let mut modules: Vec<&str> = rule.expressions.iter().filter_map(module).collect();
    modules.dedup();
    modules
}
