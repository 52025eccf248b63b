//! Functions that are too long to be read at once. Tests may be long lists.

use super::crates::Crates;
use super::finding::Finding;
use super::package::TargetKind;

/// No function has more lines.
const LONGEST: usize = 100;

pub(super) fn long(crates: &Crates) -> Vec<Finding> {
    let mut found = Vec::new();
    for (_, each) in crates.iter().filter(|(_, it)| it.kind != TargetKind::Test) {
        let functions = each.modules.iter().flat_map(|module| {
            let functions = module.contents.functions.iter();
            functions.map(move |function| (module.file.display(), function))
        });
        for (file, function) in functions {
            if !function.is_test && function.length > LONGEST {
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
