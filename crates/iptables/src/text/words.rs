//! The words of a rule, and how they are quoted.

use std::convert::Infallible;
use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

/// The words of a rule, without their quotes: `-i virbr0 -j ACCEPT`. Copies share them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Words(Arc<[String]>);

impl Words {
    /// One after another.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The word behind this option.
    #[must_use]
    pub fn behind(&self, option: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == option)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// One line, in memory that was asked for once.
    #[must_use]
    pub fn line(&self) -> String {
        // Behind each a blank; around a comment quotes.
        let len: usize = self.0.iter().map(|word| word.len() + 1).sum();
        let mut line = String::with_capacity(len + 2);
        // Writing into memory does not fail.
        let _ = write!(line, "{self}");
        line
    }
}

impl<W: Into<String>> FromIterator<W> for Words {
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }
}

/// As the programs read a line: blanks part words, double quotes hold them together, and only
/// between quotes a backslash takes the next character as it is.
impl FromStr for Words {
    type Err = Infallible;

    fn from_str(line: &str) -> Result<Self, Infallible> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut in_quotes = false;
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => {
                    in_quotes = !in_quotes;
                    // An empty pair of quotes is a word too.
                    word.get_or_insert_default();
                }
                '\\' if in_quotes => word.get_or_insert_default().extend(characters.next()),
                ' ' | '\t' if !in_quotes => words.extend(word.take()),
                other => word.get_or_insert_default().push(other),
            }
        }
        words.extend(word);
        Ok(Self(words.into()))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            if needs_quotes(word) {
                f.write_str("\"")?;
                let mut rest = word.as_str();
                while let Some(at) = rest.find(['\\', '"']) {
                    write!(f, "{}\\{}", &rest[..at], &rest[at..=at])?;
                    rest = &rest[at + 1..];
                }
                f.write_str(rest)?;
                f.write_str("\"")?;
            } else {
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}

fn needs_quotes(word: &str) -> bool {
    let asks_for_them = |byte| matches!(byte, b' ' | b'\t' | b'"' | b'\\' | b'\'');
    word.is_empty() || word.bytes().any(asks_for_them)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.parse::<Words>().unwrap().0.to_vec()
    }

    #[test]
    fn quotes_hold_a_word_together() {
        assert_eq!(
            words("-m comment --comment \"it\\'s: a \\\"b\\\" \\\\\"  -j ACCEPT"),
            [
                "-m",
                "comment",
                "--comment",
                "it's: a \"b\" \\",
                "-j",
                "ACCEPT"
            ]
        );
        assert_eq!(words("a \"\" b\\c d\"e f\"g"), ["a", "", "b\\c", "de fg"]);
        assert_eq!(words("\t "), Vec::<String>::new());
        assert_eq!(words("never \"closed"), ["never", "closed"]);
    }

    #[test]
    fn only_words_that_need_quotes_have_them() {
        let words: Words = ["!", "-d", "10.0.0.0/8", "it's", "", "a b", "q\"\\"]
            .into_iter()
            .collect();
        assert_eq!(
            words.to_string(),
            "! -d 10.0.0.0/8 \"it's\" \"\" \"a b\" \"q\\\"\\\\\""
        );
    }
}
