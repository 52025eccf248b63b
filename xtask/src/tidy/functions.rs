//! Functions that are too long to be read at once.

use super::crates::Crates;
use super::finding::Finding;

/// No function has more lines.
const LONGEST: usize = 100;

pub(super) fn long(crates: &Crates) -> Vec<Finding> {
    let mut found = Vec::new();
    for (_, module) in crates.modules() {
        let file = module.file.display();
        for function in &module.contents.functions {
            if function.length > LONGEST {
                let (name, line) = (&function.name, function.line);
                found.push(Finding {
                    name: format!("function of more than {LONGEST} lines: {name} in {file}"),
                    places: vec![format!("{file}:{line}: {} lines", function.length)],
                });
            }
        }
    }
    found
}
