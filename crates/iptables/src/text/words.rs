//! The words of a rule, and how they are quoted.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The words of a rule, without their quotes: `-i virbr0 -j ACCEPT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Words(Vec<String>);

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
        Ok(Self(words))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            if needs_quotes(word) {
                write!(f, "\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}

fn needs_quotes(word: &str) -> bool {
    word.is_empty() || word.contains([' ', '\t', '"', '\\', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.parse::<Words>().unwrap().0
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
