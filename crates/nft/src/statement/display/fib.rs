//! What rules ask of the host's routes, in nft syntax.

use super::format::{Format, Value};
use crate::object::{Comparison, FibFlags, FibResult};

/// `NFTA_FIB_F_*`, as far as nft has words for them.
const ABOUT: [(u32, &str); 5] = [
    (1, "saddr"),
    (2, "daddr"),
    (4, "mark"),
    (8, "iif"),
    (16, "oif"),
];

/// `RTN_*`.
const TYPES: Format = Format::One(&[
    (0, "unspec"),
    (1, "unicast"),
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
]);

/// `fib daddr type local`, `fib saddr . iif oif missing`; none if nft has no such words.
pub(super) fn text(
    flags: FibFlags,
    result: FibResult,
    operator: Comparison,
    value: &[u8],
) -> Option<String> {
    let about = ABOUT.iter().filter(|(bit, _)| flags.0 & bit != 0);
    let about: Vec<&str> = about.map(|&(_, name)| name).collect();
    let is_none = value.iter().all(|&byte| byte == 0);
    let asked = match (result, operator) {
        (FibResult::ADDRESS_TYPE, Comparison::Equal | Comparison::NotEqual) => {
            let not = match operator {
                Comparison::Equal => "",
                _ => "!= ",
            };
            let value = Value {
                format: TYPES,
                bytes: value,
            };
            format!("type {not}{value}")
        }
        (FibResult::OIF, Comparison::Equal) if is_none => "oif missing".to_owned(),
        (FibResult::OIF, Comparison::NotEqual) if is_none => "oif exists".to_owned(),
        _ => return None,
    };
    Some(format!("fib {} {asked}", about.join(" . ")))
}
