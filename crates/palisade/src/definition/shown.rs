//! Text of others, safe to print on a terminal.

/// The longest message, in characters: a name of a million bytes does not belong on a terminal.
const MAX_MESSAGE: usize = 300;
/// What remains of a longer one, at its end.
const TAIL: usize = 100;

/// The character as people shall see it: what would move the cursor, hide or turn around what
/// stands beside it is written as an escape; a tab as a space.
pub(super) fn character(c: char) -> String {
    match c {
        '\t' => " ".to_owned(),
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    }
}

/// All characters of a text so.
pub(super) fn text(text: &str) -> String {
    text.chars().map(character).collect()
}

/// A message so, cut in its middle if it is too long for anybody to read.
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
    fn what_would_fool_a_reader_is_escaped() {
        assert_eq!(text("a\tb\u{1b}[31m"), "a b\\u{1b}[31m");
        assert_eq!(text("netz-größe '\\'"), "netz-größe '\\'");
        assert_eq!(text("x\u{202e}y\nz\u{200b}"), "x\\u{202e}y\\nz\\u{200b}");
    }

    #[test]
    fn a_long_message_keeps_its_ends() {
        let long = format!("begin{}end", "x".repeat(1 << 20));
        let cut = message(&long);
        assert!(cut.starts_with("beginxxx") && cut.ends_with("xxxend"));
        assert!(cut.len() < 400, "{}", cut.len());
    }
}
