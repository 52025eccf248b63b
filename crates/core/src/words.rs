//! Errors of the operating system as people read them.

use std::io;

/// The operating system's words, without the number that Rust puts behind them.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
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

    /// What `tempfile` adds behind the number, the path that it chose, is of no use to anybody.
    #[test]
    fn a_temporary_file_that_cannot_be_made() {
        let error = tempfile::NamedTempFile::new_in("/nonexistent").unwrap_err();
        assert_eq!(in_words(&error), "no such file or directory");
    }
}
