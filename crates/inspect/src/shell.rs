//! Words and commands as a shell reads them.

/// A text as one word.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// One command after the other, as long as they succeed.
pub(crate) fn in_turn(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| commands.join(" && "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_word() {
        assert_eq!(word("virbr0"), "virbr0");
        assert_eq!(word("a;reboot"), "'a;reboot'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
