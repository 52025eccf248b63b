//! What documents say of code, and the examples in documentation.

use std::collections::BTreeSet;
use std::path::Path;

use super::files::Files;

/// Names in the code spans and blocks of documents for people.
#[derive(Debug, Default)]
pub(super) struct Documents(BTreeSet<String>);

impl Documents {
    /// Reads the README files and `docs/*.md`.
    pub(super) fn read(files: &Files) -> Self {
        let mut documents = Self::default();
        for (path, text) in files.iter() {
            let is_document = path.extension().is_some_and(|it| it == "md")
                && (path.parent() == Some(Path::new("docs")) || path.ends_with("README.md"));
            if is_document {
                documents.add(text);
            }
        }
        documents
    }

    /// Code is every second part between backticks; three of them are as good as one.
    fn add(&mut self, text: &str) {
        let single = text.replace("```", "`");
        for code in single.split('`').skip(1).step_by(2) {
            let names =
                code.split(|character: char| !character.is_alphanumeric() && character != '_');
            for name in names {
                // Words of the command's are no names of code.
                let is_named = name.starts_with(char::is_uppercase)
                    || code.contains(&format!("::{name}"))
                    || code.contains(&format!("{name}("));
                if is_named {
                    self.0.insert(name.to_owned());
                }
            }
        }
    }

    pub(super) fn name(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The blocks of Rust in a file's documentation, which run as tests of their own.
pub(super) fn examples(path: &Path, text: &str) -> Vec<String> {
    let is_source = path.extension().is_some_and(|it| it == "rs");
    let mut examples = Vec::new();
    // Inside of a block, and of a block of Rust.
    let mut block: Option<Option<String>> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let comment = line.strip_prefix("///").or(line.strip_prefix("//!"));
        let Some(line) = comment.or((!is_source).then_some(line)) else {
            continue;
        };
        let line = line.trim_start();
        if let Some(language) = line.strip_prefix("```") {
            block = match block.take() {
                Some(done) => {
                    examples.extend(done);
                    None
                }
                None => Some(is_rust(language).then(String::new)),
            };
        } else if let Some(Some(example)) = &mut block {
            *example += line.strip_prefix("# ").unwrap_or(line);
            *example += "\n";
        }
    }
    examples
}

fn is_rust(language: &str) -> bool {
    let mut words = language.split(',').map(str::trim);
    words.all(|word| {
        matches!(
            word,
            "" | "rust" | "no_run" | "should_panic" | "compile_fail"
        )
    })
}
