//! How packets are logged, in the names of sets.

use palisade_core::network::{LogPrefix, LogRefused};

const GROUP: &str = "_group-";
const PREFIX: &str = "_prefix-";

/// Part of names: what tells one way to log from others.
pub(super) fn name(log: LogRefused) -> String {
    let LogRefused {
        prefix,
        rate,
        group,
    } = log;
    let group = group.map(|group| format!("{GROUP}{group}"));
    // Names of sets have no spaces and no colons.
    let hex = |byte: u8| format!("{byte:02x}");
    let hex = |prefix: LogPrefix| prefix.as_str().bytes().map(hex).collect::<String>();
    let prefix = prefix.map(|prefix| format!("{PREFIX}{}", hex(prefix)));
    format!(
        "{}-{}{}{}",
        rate.packets(),
        rate.period().name(),
        group.unwrap_or_default(),
        prefix.unwrap_or_default()
    )
}

/// The inverse of [`name`].
pub(super) fn from_name(name: &str) -> Option<LogRefused> {
    let (name, prefix) = split(name, PREFIX);
    let (rate, group) = split(name, GROUP);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let text = |hex: &str| {
        let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
        String::from_utf8(bytes?).ok()?.parse::<LogPrefix>().ok()
    };
    Some(LogRefused {
        prefix: match prefix {
            Some(hex) => Some(text(hex)?),
            None => None,
        },
        rate: rate.replacen('-', "/", 1).parse().ok()?,
        group: match group {
            Some(group) => Some(group.parse().ok()?),
            None => None,
        },
    })
}

fn split<'a>(name: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    match name.split_once(at) {
        Some((name, rest)) => (name, Some(rest)),
        None => (name, None),
    }
}
