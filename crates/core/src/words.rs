//! Errors of the operating system and texts of others as people read them.

use std::io;

/// The way out where CAP_NET_ADMIN is missing.
pub const WITH_RIGHTS: &str =
    "run as root (sudo), or in a user and network namespace of your own (unshare -rn)";

/// The operating system's words, without the number that Rust puts behind them.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

/// A character of others as people shall see it: what would move the cursor, hide or turn around
/// what stands beside it is written as an escape; a tab as a space.
#[must_use]
pub fn character(c: char) -> String {
    match c {
        '\t' => " ".to_owned(),
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    }
}

/// All characters of a text so: it is safe to print on a terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(character).collect()
}

/// The same of a text that mostly needs no change.
#[must_use]
pub(crate) fn into_shown(text: String) -> String {
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if text.bytes().all(is_plain) {
        text
    } else {
        shown(&text)
    }
}

/// Whether a text can be written in a command as it is: no character of it is hidden, turns around what
/// stands beside it, or moves the cursor.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    text.chars().all(|c| character(c) == c.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_number() {
        let error = |number| in_words(&io::Error::from_raw_os_error(number));
        assert_eq!(error(nix::libc::ENOENT), "no such file or directory");
        assert_eq!(error(nix::libc::EPERM), "operation not permitted");
        // What is not the operating system's is said as it is.
        assert_eq!(in_words(&io::Error::other("No Way")), "No Way");
    }

    #[test]
    fn what_would_fool_a_reader_is_escaped() {
        assert_eq!(shown("a\tb\u{1b}[31m"), "a b\\u{1b}[31m");
        assert_eq!(shown("netz-größe '\\'"), "netz-größe '\\'");
        assert_eq!(shown("x\u{202e}y\nz\u{200b}"), "x\\u{202e}y\\nz\\u{200b}");
    }
}
