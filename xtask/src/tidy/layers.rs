//! Which crate may use which other one.

use std::path::Path;

use super::crates::Crates;
use super::files::Files;
use super::finding::Finding;
use super::package::Package;

/// Each library, and which of the workspace's others it may use. Who is not named may use all.
const LAYERS: [(&str, &[&str]); 7] = [
    ("palisade-core", &[]),
    ("palisade-netlink", &["palisade-core"]),
    ("palisade-nft", &["palisade-core", "palisade-netlink"]),
    ("palisade-iptables", &["palisade-core"]),
    ("palisade-definition", &["palisade-core"]),
    (
        "palisade",
        &[
            "palisade-core",
            "palisade-netlink",
            "palisade-nft",
            "palisade-iptables",
            "palisade-definition",
        ],
    ),
    (
        "palisade-inspect",
        &[
            "palisade-core",
            "palisade-netlink",
            "palisade-nft",
            "palisade-iptables",
            "palisade-definition",
            "palisade",
        ],
    ),
];

/// Lines of manifests and sources that use a crate against the order.
pub(super) fn forbidden(files: &Files, packages: &[Package], crates: &Crates) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |path: &Path, line: usize, from: &str, to: &str| {
        let source = files.line(path, line);
        found.push(Finding {
            name: format!("layers: {from} may not use {to}"),
            places: vec![format!("{}:{line}: {source}", path.display())],
        });
    };
    let is_forbidden = |from: &str, to: &str| {
        let allowed = LAYERS.iter().find(|(name, _)| *name == from);
        let is_ours = packages.iter().any(|package| package.name == to);
        is_ours && from != to && allowed.is_some_and(|(_, allowed)| !allowed.contains(&to))
    };
    for package in packages {
        for dependency in &package.dependencies {
            if is_forbidden(&package.name, &dependency.name) {
                add(
                    &package.manifest,
                    dependency.line,
                    &package.name,
                    &dependency.name,
                );
            }
        }
    }
    for (of, each) in crates.iter() {
        for (_, module) in crates.modules().filter(|(id, _)| id.0 == of) {
            let contents = &module.contents;
            let imports = contents.imports.iter().map(|it| (&it.segments, it.line));
            let paths = contents.paths.iter().map(|it| (&it.segments, it.line));
            for (segments, line) in imports.chain(paths) {
                let first = segments.first().map(String::as_str).unwrap_or_default();
                let named = packages
                    .iter()
                    .find(|package| package.crate_name() == first);
                if let Some(named) = named.filter(|_| segments.len() > 1)
                    && is_forbidden(&each.package, &named.name)
                {
                    add(&module.file, line, &each.package, &named.name);
                }
            }
        }
    }
    found
}
