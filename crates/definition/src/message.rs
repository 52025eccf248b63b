//! Messages that quote texts of unknown origin, safe to print on a terminal.

use palisade_core::words::shown;

/// The longest message, in characters: a text may have a name of a million bytes.
const MAX_LENGTH: usize = 300;
/// How much of the end remains of a longer message.
const TAIL: usize = 100;

/// A message in one line, safe to print; a long one is cut in its middle.
pub(crate) fn one_line(message: &str) -> String {
    let len = message.chars().count();
    if len <= MAX_LENGTH {
        return shown(message);
    }
    let head: String = message.chars().take(MAX_LENGTH - TAIL).collect();
    let tail: String = message.chars().skip(len - TAIL).collect();
    format!("{} ... {}", shown(&head), shown(&tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_ends() {
        let long = format!("begin{}end", "x".repeat(1 << 20));
        let cut = one_line(&long);
        assert!(cut.starts_with("beginxxx") && cut.ends_with("xxxend"));
        assert!(cut.len() < 400, "{}", cut.len());
    }
}
