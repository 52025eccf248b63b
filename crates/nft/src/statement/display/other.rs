//! What only other programs put into rules, in nft syntax as far as we know it.

use std::fmt;

use super::super::raw::Raw;
use super::super::{Field, Origin, Statement, quoted};
use super::context::Context;
use super::field::{self, Named};
use super::format::Value;
use crate::object::{self, ConntrackKey, Expression, Family, Load, Lookup, LookupTarget, MetaKey};
use crate::wire::foreign;
use crate::wire::others::{self, Limit, Log};

/// `LOGLEVEL_WARNING`: what is logged is a warning unless it is said to be something else.
const WARNING: u32 = 4;
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];
/// How many packets more than its rate a limit lets through at once, unless that is said.
const USUAL_BURST: u32 = 5;

pub(super) fn write(f: &mut fmt::Formatter<'_>, expression: &Expression) -> fmt::Result {
    let told = match expression {
        Expression::Unknown { name, data } => unknown(name, data),
        _ => None,
    };
    match told {
        Some(text) => f.write_str(&text),
        None => write!(f, "{}", Raw(expression)),
    }
}

pub(super) fn write_limit(f: &mut fmt::Formatter<'_>, known: object::Limit) -> fmt::Result {
    f.write_str(&limit(Limit {
        rate: known.rate,
        seconds: known.seconds,
        burst: known.burst,
        is_of_bytes: false,
        is_over: false,
    }))
}

pub(super) fn write_log(f: &mut fmt::Formatter<'_>, known: &object::Log) -> fmt::Result {
    f.write_str(&log(&Log {
        group: known.group,
        prefix: Some(&known.prefix),
        level: None,
        flags: 0,
    }))
}

fn unknown(name: &str, data: &[u8]) -> Option<String> {
    Some(match name {
        "limit" => limit(others::limit(data)?),
        "log" => log(&others::log(data)?),
        "quota" => {
            let (bytes, is_over) = others::quota(data)?;
            let over = if is_over { "over " } else { "" };
            format!("quota {over}{}", amount(bytes))
        }
        "notrack" => "notrack".to_owned(),
        "match" | "target" => format!("xt {name} {}", quoted(foreign::extension(data)?)),
        _ => return None,
    })
}

fn limit(limit: Limit) -> String {
    let unit = match limit.seconds {
        60 => "minute",
        3600 => "hour",
        86_400 => "day",
        604_800 => "week",
        _ => "second",
    };
    let over = if limit.is_over { "over " } else { "" };
    let rate = if limit.is_of_bytes {
        amount(limit.rate)
    } else {
        limit.rate.to_string()
    };
    let burst = match (limit.burst, limit.is_of_bytes) {
        (0, _) | (USUAL_BURST, false) => String::new(),
        (burst, false) => format!(" burst {burst} packets"),
        (burst, true) => format!(" burst {}", amount(burst.into())),
    };
    format!("limit rate {over}{rate}/{unit}{burst}")
}

/// `5 kbytes`, in the largest unit that leaves no rest.
fn amount(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["bytes", "kbytes", "mbytes"];
    let (mut value, mut unit) = (bytes, 0);
    while value != 0 && value.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

fn log(log: &Log<'_>) -> String {
    let mut text = "log".to_owned();
    if let Some(prefix) = log.prefix {
        text.push_str(&format!(" prefix {}", quoted(prefix)));
    }
    if let Some(group) = log.group {
        text.push_str(&format!(" group {group}"));
    }
    let level = log.level.filter(|&level| level != WARNING);
    let level = level.and_then(|level| LEVELS.get(usize::try_from(level).ok()?));
    if let Some(level) = level {
        text.push_str(&format!(" level {level}"));
    }
    if log.flags != 0 {
        text.push_str(&format!(" flags {:#x}", log.flags));
    }
    text
}

/// Several expressions that are one of nft's statements: its text, and how many of those behind the
/// first belong to it.
pub(super) fn several(
    first: &Statement,
    behind: &[Statement],
    context: Context,
) -> Option<(String, usize)> {
    let (Statement::Other(first), Some(Statement::Other(second))) = (first, behind.first()) else {
        return None;
    };
    match (first, second) {
        (Expression::Load(load), Expression::Unknown { name, data }) => {
            Some((set(load, name, data)?, 1))
        }
        (field, Expression::Lookup(lookup)) => Some((map(field, lookup, context)?, 1)),
        _ => None,
    }
}

/// `iifname vmap @ways`: where a packet goes is in the map.
fn map(field: &Expression, lookup: &Lookup, context: Context) -> Option<String> {
    let (origin, destination) = match field {
        Expression::Meta(meta) => (Origin::Meta(meta.key), meta.destination),
        Expression::Conntrack(ct) => (Origin::Conntrack(ct.key), ct.destination),
        Expression::Payload(payload) => {
            let (base, offset, len) = (payload.base, payload.offset, payload.len);
            (Origin::Payload { base, offset, len }, payload.destination)
        }
        _ => return None,
    };
    if lookup.target != LookupTarget::Verdict || lookup.source != destination {
        return None;
    }
    let field = &Field { origin, mask: None };
    Some(format!("{} vmap @{}", Named { field, context }, lookup.set))
}

/// `meta mark set 0x00000001`.
fn set(load: &Load, name: &str, data: &[u8]) -> Option<String> {
    let (origin, source) = match name {
        "meta" => {
            let (key, source) = others::meta_set(data)?;
            (Origin::Meta(MetaKey(key)), source)
        }
        "ct" => {
            let (key, source) = others::conntrack_set(data)?;
            (Origin::Conntrack(ConntrackKey(key)), source)
        }
        _ => return None,
    };
    let (name, format) = field::known(origin, Context::of(Family::Inet))?;
    let value = Value {
        format,
        bytes: &load.value,
    };
    (source == load.destination).then(|| format!("{name} set {value}"))
}
