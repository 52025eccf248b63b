//! Whether root is root of the host, or of a user namespace that a plain user made.

use std::fs;
use std::sync::OnceLock;

use nix::unistd::Uid;

/// `/proc/self/uid_map` says for each range of numbers which they are outside: first inside, first
/// outside, how many. The first user namespace has one range, of all numbers.
const MAP: &str = "/proc/self/uid_map";
const ALL: u64 = u32::MAX as u64;
const UNMAPPED: &str = "/proc/sys/kernel/overflowuid";
const USUALLY_UNMAPPED: u32 = 65534;

/// Ranges of user numbers, each with its first inside, its first outside, and its length.
type Ranges = Vec<[u64; 3]>;

/// Whether this process is in the host's first user namespace, where root may do all. So is one for
/// which the kernel does not say. It is looked at once: whoever has threads stays in its own.
#[must_use]
pub fn is_initial() -> bool {
    static INITIAL: OnceLock<bool> = OnceLock::new();
    *INITIAL.get_or_init(|| {
        let ranges = ranges(&fs::read_to_string(MAP).unwrap_or_default());
        matches!(ranges.as_slice(), [] | [[0, 0, ALL]])
    })
}

/// The number of this process's user where its user namespace was made.
#[must_use]
pub fn user_outside() -> u64 {
    let ranges = ranges(&fs::read_to_string(MAP).unwrap_or_default());
    outside(&ranges, Uid::effective().as_raw().into())
}

/// The number that stands for all users that have none in this process's user namespace.
pub(crate) fn unmapped_user() -> u32 {
    let text = fs::read_to_string(UNMAPPED).unwrap_or_default();
    text.trim().parse().unwrap_or(USUALLY_UNMAPPED)
}

fn ranges(map: &str) -> Ranges {
    let range = |line: &str| {
        let numbers = line.split_whitespace().map(|word| word.parse().ok());
        numbers.collect::<Option<Vec<u64>>>()?.try_into().ok()
    };
    map.lines().filter_map(range).collect()
}

fn outside(ranges: &Ranges, user: u64) -> u64 {
    let mut found = ranges.iter().filter_map(|&[inside, outside, length]| {
        let beyond = user.checked_sub(inside)?;
        (beyond < length).then_some(outside + beyond)
    });
    found.next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_their_numbers_outside() {
        let all = ranges("         0          0 4294967295\n");
        assert_eq!(all, [[0, 0, ALL]]);
        assert_eq!(outside(&all, 1000), 1000);
        let some = ranges("0 1000 1\n1 100000 65536\n");
        assert_eq!(
            [0, 1, 65536].map(|user| outside(&some, user)),
            [1000, 100_000, 165_535]
        );
        assert_eq!(outside(&some, 70_000), 70_000, "one that is not told");
    }
}
