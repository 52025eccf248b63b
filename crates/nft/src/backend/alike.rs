//! In what chains and sets are other than they should be.

use crate::object::{BaseChain, Set};
use crate::program::{Numbered, TypeNames};

/// What of a chain's entry is another, from what to what; none if nothing is.
pub(super) fn of_base(found: Option<&BaseChain>, wanted: Option<&BaseChain>) -> Option<String> {
    let (found, wanted) = match (found, wanted) {
        (None, None) => return None,
        (Some(found), Some(wanted)) => (found, wanted),
        (None, Some(wanted)) => {
            return Some(format!("it is at no hook and should be at {}", wanted.hook));
        }
        (Some(found), None) => {
            return Some(format!(
                "it is at hook {} and should be at none",
                found.hook
            ));
        }
    };
    let mut told = Vec::new();
    let mut tell = |what: &str, found: String, wanted: String| {
        if found != wanted {
            told.push(format!("{what} is {found} and should be {wanted}"));
        }
    };
    tell("type", found.kind.clone(), wanted.kind.clone());
    tell("hook", found.hook.to_string(), wanted.hook.to_string());
    let priority = |base| Numbered(base).to_string();
    tell("priority", priority(found), priority(wanted));
    tell(
        "policy",
        found.policy.to_string(),
        wanted.policy.to_string(),
    );
    if told.is_empty() && found != wanted {
        told.push("what else is said of its hook is another".to_owned());
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// What of a set's keys and counters is another, from what to what; none if nothing is. What `nft`
/// notes beside them for itself is another when it has saved and loaded them.
pub(super) fn of_set(found: &Set, wanted: &Set) -> Option<String> {
    let mut told = Vec::new();
    let mut tell = |what: &str, found: String, wanted: String| {
        if found != wanted {
            told.push(format!("{what} {found} and should be {wanted}"));
        }
    };
    let types = |set| TypeNames(set).to_string();
    tell("type is", types(found), types(wanted));
    if types(found) == types(wanted) {
        let lengths = |set: &Set| match set.data {
            Some(data) => format!("{} and {}", set.key_len, data.len),
            None => set.key_len.to_string(),
        };
        tell("length in bytes is", lengths(found), lengths(wanted));
    }
    tell("flags are", flags(found), flags(wanted));
    match (found.expressions.is_empty(), wanted.expressions.is_empty()) {
        (true, false) => told.push("its elements do not count and should".to_owned()),
        (false, true) => told.push("its elements count and should not".to_owned()),
        _ if found.expressions != wanted.expressions => {
            told.push("its elements do something else than count".to_owned());
        }
        _ => {}
    }
    if told.is_empty() && (found.key_type, found.data) != (wanted.key_type, wanted.data) {
        told.push("type is another".to_owned());
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// `NFT_SET_*`, as `nft` calls them where it has words for them.
fn flags(set: &Set) -> String {
    const WORDS: [&str; 9] = [
        "anonymous",
        "constant",
        "interval",
        "map",
        "timeout",
        "dynamic",
        "object map",
        "concatenation",
        "expression",
    ];
    let is_set = |bit: &u32| set.flags & 1 << bit != 0;
    let word = |bit| match WORDS.get(bit as usize) {
        Some(&word) => word.to_owned(),
        None => format!("bit {bit}"),
    };
    let words: Vec<String> = (0..u32::BITS).filter(is_set).map(word).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}
