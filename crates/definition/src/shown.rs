//! Text of others, safe to print on a terminal.

use palisade_core::words::shown as text;

/// The longest message, in characters: a name of a million bytes does not belong on a terminal.
const MAX_MESSAGE: usize = 300;
/// What remains of a longer one, at its end.
const TAIL: usize = 100;

/// A message safe to print, cut in its middle if it is too long for anybody to read.
pub(crate) fn message(message: &str) -> String {
    let len = message.chars().count();
    if len <= MAX_MESSAGE {
        return text(message);
    }
    let head: String = message.chars().take(MAX_MESSAGE - TAIL).collect();
    let tail: String = message.chars().skip(len - TAIL).collect();
    format!("{} ... {}", text(&head), text(&tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_ends() {
        let long = format!("begin{}end", "x".repeat(1 << 20));
        let cut = message(&long);
        assert!(cut.starts_with("beginxxx") && cut.ends_with("xxxend"));
        assert!(cut.len() < 400, "{}", cut.len());
    }
}
