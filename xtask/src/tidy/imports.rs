//! The names of `use` declarations.

use proc_macro2::{Delimiter, TokenTree};

use super::contents::{Import, Visibility};
use super::tokens::{comma_parts, group, is_punct, line, word};

/// The names of a `use` tree.
pub(super) fn imports(
    tree: &[TokenTree],
    prefix: &[String],
    visibility: Visibility,
) -> Vec<Import> {
    let mut all = Vec::new();
    for part in comma_parts(tree) {
        let mut segments = prefix.to_vec();
        let import = |segments: &[String], name: Option<String>| Import {
            segments: segments.to_vec(),
            name,
            visibility,
            line: line(part, 0),
            is_test: false,
        };
        let mut at = 0;
        loop {
            if let Some(group) = group(part, at, Delimiter::Brace) {
                let tree: Vec<TokenTree> = group.stream().into_iter().collect();
                all.extend(imports(&tree, &segments, visibility));
                break;
            }
            if is_punct(part, at, '*') {
                all.push(import(&segments, None));
                break;
            }
            let Some(name) = word(part, at) else {
                // A path that begins with `::` is of another crate.
                if at == 0 && is_punct(part, 0, ':') {
                    at = 2;
                    continue;
                }
                break;
            };
            if name != "self" || segments.is_empty() {
                segments.push(name);
            }
            if is_punct(part, at + 1, ':') {
                at += 3;
                continue;
            }
            let renamed = match word(part, at + 1).as_deref() {
                Some("as") => word(part, at + 2),
                _ => segments.last().cloned(),
            };
            all.push(import(&segments, renamed));
            break;
        }
    }
    all
}
